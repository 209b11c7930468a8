//! Images of the main text: which, and where they stand in it.

use std::path::Path;

use corpus::record::{Segment, SegmentKind};
use ingest::html::{self, Ruby, charset};
use url::Url;

use crate::{gunzip, open_data};

/// The address that the labels' relative links are relative to.
const BASE: &str = "http://fakehost/test/page.html";

/// An image: addresses that name it, and the share of the text's words before it.
struct Image {
    urls: Vec<String>,
    position: f64,
}

/// Returns the images of a labelled page, which is clean markup.
fn expected(html: &str) -> Vec<Image> {
    let mut words = 0;
    let mut images = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        if tag.starts_with("img ") {
            images.push(Image { urls: urls(tag), position: f64::from(words) });
        }
        words += text.split_whitespace().count() as u32;
    }
    for image in &mut images {
        image.position /= f64::from(words.max(1));
    }
    images
}

/// Returns the addresses that a tag names.
fn urls(tag: &str) -> Vec<String> {
    let value = |name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.replace("&amp;", "&"))
    };
    let set = value("srcset").unwrap_or_default();
    let candidates = set.split(", ").filter_map(|one| one.split_whitespace().next()).map(str::to_owned);
    let base = Url::parse(BASE).unwrap();
    let all = candidates.chain(value("src"));
    all.filter_map(|url| base.join(&url).ok()).map(String::from).collect()
}

/// Returns the images that the extractor found.
fn found(segments: &[Segment]) -> Vec<(&str, f64)> {
    let words = |segment: &Segment| match segment.kind {
        SegmentKind::Image => 0,
        _ => segment.text.split_whitespace().count(),
    };
    let all = segments.iter().map(words).sum::<usize>().max(1) as f64;
    let mut before = 0;
    let mut images = Vec::new();
    for segment in segments {
        if let (SegmentKind::Image, Some(url)) = (segment.kind, &segment.url) {
            images.push((url.as_str(), before as f64 / all));
        }
        before += words(segment);
    }
    images
}

fn page(folder: &Path, name: &str) -> String {
    charset::decode(&gunzip(&folder.join(name)), "", BASE).unwrap().0
}

#[test]
fn images_of_labelled_pages_are_found_where_they_stand() {
    let Some(data) = open_data() else { return };
    let (mut hits, mut wanted, mut shown, mut displaced) = (0, 0, 0, 0.0);
    for entry in std::fs::read_dir(data.join("html/readability")).unwrap() {
        let folder = entry.unwrap().path();
        let segments = html::extract(&page(&folder, "source.html.gz"), BASE, Ruby::default()).segments;
        let mut found = found(&segments);
        let expected = expected(&page(&folder, "expected.html.gz"));
        wanted += expected.len();
        shown += found.len();
        for image in expected {
            if let Some(place) = found.iter().position(|(url, _)| image.urls.iter().any(|one| one == url)) {
                displaced += (found.remove(place).1 - image.position).abs();
                hits += 1;
            }
        }
    }
    let (hits, wanted, shown) = (f64::from(hits), wanted as f64, shown as f64);
    let (recall, precision, displaced) = (hits / wanted, hits / shown, displaced / hits);
    assert!(
        recall >= 0.95 && precision >= 0.9 && displaced <= 0.05,
        "recall {recall:.4}, precision {precision:.4}, {displaced:.4} of the text away"
    );
}
