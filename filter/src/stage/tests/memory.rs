//! Neither memory nor the number of workers changes a byte, a count or a fingerprint.

use corpus::record::{CUTS, DOCUMENTS, Document, EncodedImage, IMAGES, Image};
use corpus::sort::task_bytes;

use super::*;
use crate::config::{ImageDuplicatesConfig, NearConfig, RepeatsConfig, Unit};
use crate::passages::tests::config as repeats_config;
use crate::stage::image_hashes::{ImageClusters, ImageLinks};
use crate::stage::near::{Clusters, Keys, Links, Verified};
use crate::stage::repeats::{Cut, KeyRole, Passages, Repeats};

/// Memory in MiB and workers: shares of 1 MiB, the least, of 4 MiB, and two that hold everything.
const CASES: [(u32, usize); 4] = [(1, 4), (4, 1), (4_096, 1), (4_096, 4)];

/// Runs stages in every case and compares all that they leave behind. Every `(stage, stream, bytes of a row)` must
/// have more rows in a task than the least share holds, so that sorters do spill.
fn check(run: impl Fn(&mut Bench, u32), spilled: &[(&str, &str, u64)]) {
    let mut expected = None;
    for (memory_mb, workers) in CASES {
        let mut bench = Bench::with_workers(workers);
        run(&mut bench, memory_mb);
        for (stage, stream, bytes) in spilled {
            let rows = bench.dataset(stage).parts_of(|of| of.stream == *stream);
            let rows = rows.map(|part| part.unwrap().rows).max().unwrap();
            assert!(rows * bytes > task_bytes(1, 1) as u64, "{rows} rows of {stage} spill nothing");
        }
        let manifests = bench.manifests();
        let expected = expected.get_or_insert_with(|| manifests.clone());
        for (manifest, expected) in manifests.iter().zip(expected.iter()) {
            assert_eq!(manifest, expected, "{} with {memory_mb} MiB and {workers} workers", manifest.stage);
        }
        assert_eq!(manifests.len(), expected.len());
    }
}

/// Texts as documents in two parts.
fn source(texts: impl Iterator<Item = String>) -> Source<Document> {
    let at = |(position, text): (u64, String)| Document {
        id: id(1, position),
        url: (position % 3 > 0).then(|| format!("https://a.example/{position}")),
        ..document(0, &text)
    };
    let mut first: Vec<Document> = (0..).zip(texts).map(at).collect();
    let second = first.split_off(first.len() / 2);
    Source { name: "documents", stream: DOCUMENTS, tasks: vec![first, second] }
}

/// So many words that texts of other numbers do not have.
fn words(number: u64, count: u64) -> String {
    let word = |at: u64| corpus::random::hash(number, "words", &at.to_le_bytes()) % 1_000_000;
    (0..count).map(|at| format!("w{}", word(at))).collect::<Vec<_>>().join(" ")
}

/// Runs the stages of exact duplicates over documents.
fn run_exact(bench: &mut Bench, memory_mb: u32) {
    bench.run(&rules_of(&["documents"], Vec::new()).keys_only());
    bench.run(&ContentKeys { memory_mb, ..exact_keys("text", &[]) });
    bench.run(&Exact { memory_mb, ..exact("text", 1) });
}

fn records() -> Vec<String> {
    vec!["documents".to_owned()]
}

#[test]
fn exact_duplicates_are_the_same_with_any_memory() {
    let run = |bench: &mut Bench, memory_mb| {
        bench.run(&source((0..80_000).map(|n| format!("text number {} of many", n % 40_000))));
        run_exact(bench, memory_mb);
        bench.run(&Representatives::<Document>::new("names", records(), &["text.exact"], memory_mb));
        let last = Deduplicated::<Document>::new("text", records(), "text.exact", None);
        let text = bench.run(&last.with_names("names", None));
        assert_eq!(text.manifest().report.units["documents"].dropped["duplicate"], 40_000);
    };
    // Two sorters of 16 bytes a row share the memory of `text.exact`.
    let spilled =
        [("text.exact.keys", "keys", 32), ("text.exact", "duplicates", 32), ("names", "representatives", 48)];
    check(run, &spilled);
}

#[test]
fn near_duplicates_are_the_same_with_any_memory() {
    // Twelve of a text: they differ in marks, and the last three in a word.
    let texts = || {
        (0..24_000_u64).map(|n| match n % 12 {
            of @ 9.. => format!("{} other{of}", words(n / 12, 11)),
            of => format!("{}{}", words(n / 12, 12), "!".repeat(of as usize + 1)),
        })
    };
    let run = |bench: &mut Bench, memory_mb| {
        bench.run(&source(texts()));
        run_exact(bench, memory_mb);
        let config = NearConfig { partitions: 1, memory_mb, selfcheck: 100, ..NearConfig::default() };
        let (keys, links, jaccard_min) = ("keys".to_owned(), "links".to_owned(), 0.9);
        let (name, exact) = (keys.clone(), "text.exact".to_owned());
        bench.run(&Keys { name, documents: records(), exact, config: config.clone(), seed: 1 });
        bench.run(&Links { name: links.clone(), keys: keys.clone(), config: config.clone() });
        let (name, documents) = ("verified".to_owned(), records());
        bench.run(&Verified { name, documents, links: links.clone(), config: config.clone(), jaccard_min });
        let clusters = bench.run(&Clusters {
            name: "near".to_owned(),
            rules: "text.rules".to_owned(),
            keys,
            links: "verified".to_owned(),
            found: links,
            config: config.clone(),
            source_priority: SourcePriority::default(),
        });
        assert!(clusters.manifest().report.units["duplicates"].kept >= 16_000);
        let names = Representatives::<Document>::new("names", records(), &["text.exact"], memory_mb);
        bench.run(&names.with_near(Some(("near", &config))));
        let last = Deduplicated::<Document>::new("text", records(), "text.exact", None);
        bench.run(&last.with_near(Some("near")).with_names("names", Some(&config)));
    };
    // Links are found in 14 bands each; of a cluster's members three sorters hold rows.
    let spilled = [("keys", "keys", 16), ("links", "links", 14 * 32), ("near", "duplicates", 3 * 32)];
    check(run, &spilled);
}

#[test]
fn duplicate_images_are_the_same_with_any_memory() {
    // Ten images of a look, which differ in two bits; every other one has the bytes of the one before it.
    let image = |n: u64| Image {
        id: id(1, n),
        key: u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes(),
        url: String::new(),
        image: EncodedImage { bytes: Default::default(), path: None },
        width: 64,
        height: 64,
        original_width: 64 + (n % 3) as u32,
        original_height: 64,
        sha256: format!("{:016x}", n / 2).repeat(4),
        perceptual_hash: corpus::random::hash(n / 10, "looks", &[]) ^ 1 << (n % 10),
        sharpness: 1.0,
        colour_spread: 200,
        uses: Vec::new(),
    };
    let run = |bench: &mut Bench, memory_mb| {
        let tasks = vec![(0..15_000).map(image).collect(), (15_000..30_000).map(image).collect()];
        bench.run(&Source { name: "pass", stream: IMAGES, tasks });
        let config =
            ImageDuplicatesConfig { hamming_max: Some(2), memory_mb, ..ImageDuplicatesConfig::default() };
        let (images, links) = (vec!["pass".to_owned()], "links".to_owned());
        bench.run(&ImageLinks { name: links.clone(), images: images.clone(), config: config.clone() });
        let found = bench.run(&ImageClusters { name: "duplicates".to_owned(), images, links, config });
        assert_eq!(found.manifest().report.units["duplicates"].kept, 27_000);
    };
    check(run, &[("links", "links", 32), ("duplicates", "duplicates", 3 * 32)]);
}

#[test]
fn repeated_passages_are_the_same_with_any_memory() {
    let texts = || (0..1_800).map(|n| format!("{} {}", words(n, 150), words(10_000 + n / 2, 250)));
    let run = |bench: &mut Bench, memory_mb| {
        bench.run(&source(texts()));
        let config = RepeatsConfig { run: Some(20), partitions: 1, memory_mb, ..repeats_config(Unit::Words) };
        let documents = "documents".to_owned();
        let mut anchors = None;
        for (of, found) in [(KeyRole::Anchors, "shared"), (KeyRole::Passages, "found")] {
            let (keys, documents) = (format!("{found}.keys"), documents.clone());
            let (name, config) = (keys.clone(), config.clone());
            bench.run(&Passages { name, documents, of, anchors: anchors.take(), config: config.clone() });
            bench.run(&Repeats { name: found.to_owned(), keys, of, config });
            anchors = Some(found.to_owned());
        }
        bench.run(&Representatives::<Document>::new("names", records(), &["found"], memory_mb));
        let (name, repeats, names) = ("text".to_owned(), "found".to_owned(), Some("names".to_owned()));
        let text = bench.run(&Cut { name, documents, repeats, names, config, split: None });
        assert_eq!(text.summary(CUTS).unwrap().rows, 900);
    };
    let spilled = [
        ("shared.keys", "keys", 24),
        ("shared", "repeats", 48),
        ("found.keys", "keys", 24),
        ("found", "repeats", 48),
    ];
    check(run, &spilled);
}
