//! Labelled pages: how much of their main text is found, and nothing else.

use std::collections::{BTreeMap, HashMap};

use corpus::record::{Segment, SegmentKind};
use ingest::html::{self, Ruby, charset};
use serde_json::Value;

use crate::{files, gunzip, open_data};

fn text(segments: &[Segment]) -> String {
    let texts = segments.iter().filter(|s| s.kind != SegmentKind::Image);
    texts.map(|s| s.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Counts runs of four words.
fn shingles(text: &str) -> HashMap<Vec<&str>, u32> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words: Vec<&str> = text.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let mut counts = HashMap::new();
    for shingle in words.windows(words.len().clamp(1, 4)) {
        *counts.entry(shingle.to_vec()).or_default() += 1;
    }
    counts
}

/// Returns precision and recall of a page, as the article-extraction-benchmark counts them.
fn score(truth: &str, found: &str) -> (f64, f64) {
    let (truth, found) = (shingles(truth), shingles(found));
    let total = |counts: &HashMap<Vec<&str>, u32>| f64::from(counts.values().sum::<u32>());
    let both: u32 =
        truth.iter().map(|(shingle, count)| found.get(shingle).map_or(0, |other| *count.min(other))).sum();
    let share = |all: f64| if all == 0.0 { 0.0 } else { f64::from(both) / all };
    (share(total(&found)), share(total(&truth)))
}

#[test]
fn main_text_of_labelled_articles_is_found() {
    let Some(data) = open_data() else { return };
    let folder = data.join("html/aeb");
    let truth = std::fs::read(folder.join("ground-truth.json")).unwrap();
    let truth: BTreeMap<String, Value> = serde_json::from_slice(&truth).unwrap();
    let (mut precision, mut recall, mut pages) = (0.0, 0.0, 0.0);
    for (name, page) in truth {
        let path = folder.join("html").join(format!("{name}.html.gz"));
        if !path.exists() {
            continue;
        }
        let url = page["url"].as_str().unwrap_or_default();
        let (html, _) = charset::decode(&gunzip(&path), "", url).unwrap();
        let found = text(&html::extract(&html, url, Ruby::default()).segments);
        let (p, r) = score(page["articleBody"].as_str().unwrap(), &found);
        precision += p;
        recall += r;
        pages += 1.0;
    }
    let (precision, recall) = (precision / pages, recall / pages);
    let f1 = 2.0 * precision * recall / (precision + recall);
    assert!(f1 >= 0.96, "F1 {f1:.4}, precision {precision:.4}, recall {recall:.4} over {pages} pages");
}

#[test]
fn every_labelled_page_ends_with_text_and_a_sane_size() {
    let Some(data) = open_data() else { return };
    let pages = files(&data.join("html")).into_iter();
    let pages = pages.filter(|path| path.to_string_lossy().ends_with(".html.gz"));
    let (mut count, mut with_text) = (0, 0);
    for path in pages {
        let (html, _) = charset::decode(&gunzip(&path), "", "http://h.example/").unwrap();
        let extract = html::extract(&html, "http://h.example/", Ruby::default());
        assert!(text(&extract.segments).len() <= html.len(), "{}", path.display());
        count += 1;
        with_text += usize::from(extract.has_text());
    }
    assert!(count > 200 && with_text * 100 >= count * 97, "{with_text} of {count} pages have text");
}
