//! Real pages, archives and caption lists, where they are at hand: `shared/data/open` beside
//! the repository.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::crash::Crashes;
use corpus::engine::{Engine, Unobserved};
use corpus::mirror::Mirrors;
use corpus::record::{Page, Pair, Segment, SegmentKind};
use corpus::stage::{Cancel, Inputs};
use corpus::{Dataset, Store};
use flate2::read::GzDecoder;
use ingest::html::{self, charset};
use ingest::warc::{Entry, Reader};
use ingest::{Client, SourceConfig, fetch};
use serde_json::{Value, json};

fn open_data() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = repository.parent()?.join("shared/data/open");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no {}", folder.display());
    None
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn gunzip(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn text(segments: &[Segment]) -> String {
    let texts = segments.iter().filter(|s| s.kind != SegmentKind::Image);
    texts.map(|s| s.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn run(folder: &Path, config: Value) -> Dataset {
    let config: SourceConfig = serde_json::from_value(config).unwrap();
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
    let store = Store::local(folder).unwrap();
    let engine = Engine {
        store: &store,
        workers: 2,
        cancel: &Cancel::default(),
        crashes: &Crashes::default(),
        observer: &Unobserved,
    };
    let stages = ingest::stages("src", &config, &client).unwrap();
    let listing = engine.run(stages[0].as_ref(), &Inputs::default()).unwrap();
    let inputs = Inputs(BTreeMap::from([(stages[0].name(), listing)]));
    engine.run(stages[1].as_ref(), &inputs).unwrap()
}

#[test]
fn every_archive_is_read_to_its_end_and_nothing_panics() {
    let Some(data) = open_data() else { return };
    let files = files(&data.join("warc"));
    assert!(files.len() > 70);
    let scratch = tempfile::tempdir().unwrap();
    let config = json!({"code": 2, "files": files, "format": {"crawl": {}}});
    let dataset = run(scratch.path(), config);
    let counts = &dataset.manifest().report.units["records"];
    assert!(counts.kept > 100, "{counts:?}");
    assert!(counts.failed.contains_key("gzip_broken"), "{counts:?}");
    assert!(!counts.failed.contains_key("panic"), "{counts:?}");
    for page in dataset.rows::<Page>("pages") {
        assert!(!page.unwrap().text().trim().is_empty());
    }
}

#[test]
fn a_damaged_archive_loses_the_damaged_record_alone() {
    let Some(data) = open_data() else { return };
    let entries = |name: &str| -> Vec<Entry> {
        let path = data.join("warc").join(name);
        Reader::new(File::open(path).unwrap()).unwrap().map(Result::unwrap).collect()
    };
    let records = |entries: &[Entry]| entries.iter().filter(|e| matches!(e, Entry::Record(_))).count();
    let whole = entries("whirlwind-python__whirlwind.warc.gz");
    let one = entries("derived/whirlwind-python__whirlwind.onemember.warc.gz");
    let flipped = entries("derived/whirlwind-python__whirlwind.flipped.warc.gz");
    assert_eq!(records(&whole), whole.len());
    assert_eq!(records(&one), whole.len());
    assert_eq!((records(&flipped), flipped.len()), (whole.len() - 1, whole.len()));
}

#[test]
fn caption_lists_of_laion_are_read_by_their_own_column_names() {
    let Some(data) = open_data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let file = data.join("captions/img2dataset__test_10000_rows_1000_5000.parquet");
    let config = json!({"code": 3, "files": [file], "format": {"pairs": {"layout": "laion"}}});
    let dataset = run(scratch.path(), config);
    let counts = &dataset.manifest().report.units["pairs"];
    assert!(counts.kept > 3_000, "{counts:?}");
    let pairs: Vec<Pair> = dataset.rows("pairs").map(Result::unwrap).collect();
    let web = pairs.iter().filter(|pair| pair.url.starts_with("http")).count();
    assert!(web * 100 >= pairs.len() * 99, "{web} of {} are web addresses", pairs.len());
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
        let found = text(&html::extract(&html, url).segments);
        let (p, r) = score(page["articleBody"].as_str().unwrap(), &found);
        precision += p;
        recall += r;
        pages += 1.0;
    }
    let (precision, recall) = (precision / pages, recall / pages);
    let f1 = 2.0 * precision * recall / (precision + recall);
    assert!(f1 >= 0.95, "F1 {f1:.4}, precision {precision:.4}, recall {recall:.4} over {pages} pages");
}

#[test]
fn every_labelled_page_ends_with_text_and_a_sane_size() {
    let Some(data) = open_data() else { return };
    let pages = files(&data.join("html")).into_iter();
    let pages = pages.filter(|path| path.to_string_lossy().ends_with(".html.gz"));
    let (mut count, mut with_text) = (0, 0);
    for path in pages {
        let (html, _) = charset::decode(&gunzip(&path), "", "http://h.example/").unwrap();
        let extract = html::extract(&html, "http://h.example/");
        assert!(text(&extract.segments).len() <= html.len(), "{}", path.display());
        count += 1;
        with_text += usize::from(extract.has_text());
    }
    assert!(count > 200 && with_text * 100 >= count * 97, "{with_text} of {count} pages have text");
}
