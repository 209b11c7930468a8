//! The stages of near-duplicates end to end, after rules and exact duplicates.

use std::collections::{BTreeMap, BTreeSet};

use corpus::record::{DOCUMENTS, DUPLICATES, Document, Duplicate};
use corpus::{Id, Report, SourceCode};

use super::super::tests::{Bench, Source, dropped, exact, exact_keys, rows, rules_of};
use super::super::{ContentKeys, Deduplicated, Representatives, SourcePriority, SplitAssignment};
use super::*;
use crate::config::NearConfig;
use crate::near::Scheme;
use crate::subject::tests::document;

/// A story of two hundred words that no other has; every edit replaces a word.
fn story(number: u64, edits: u64) -> String {
    let word = |at: u64| corpus::random::hash(number, "story", &at.to_le_bytes()) % 100_000;
    let words = (0..200).map(|at| match edits > 0 && at % (200 / edits) == 7 {
        true => format!("edited{}", word(1_000 + at)),
        false => format!("w{}", word(at)),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Two sources: stories 0 to 59 in the first; in the second edited copies of the first twenty of
/// them, by one word, and of the next twenty by 25 words, and an exact copy of one.
fn sources() -> Source<Document> {
    let at = |source, position, text: String| Document {
        id: Id::new(SourceCode(source), 0, position).unwrap(),
        // Every third has an id of its source's, every other one a URL.
        key: (position % 3 == 0).then(|| format!("key {source}-{position}")),
        url: (position % 2 == 0).then(|| format!("https://{source}.example/{position}")),
        ..document(0, &text)
    };
    let first = (0..60).map(|n| at(1, n, story(n, 0))).collect();
    let mut second: Vec<Document> = (0..20).map(|n| at(2, n, story(n, 1))).collect();
    second.extend((20..40).map(|n| at(2, n, story(n, 25))));
    second.push(at(2, 50, story(50, 0)));
    Source { name: "stories", stream: DOCUMENTS, tasks: vec![first, second] }
}

fn config() -> NearConfig {
    NearConfig { partitions: 3, ..NearConfig::default() }
}

/// What a run left behind.
struct Ended {
    /// Near-duplicates and what stands for them.
    found: BTreeMap<Id, Id>,
    /// Dropped documents with reason and value.
    dropped: BTreeMap<Id, (String, String)>,
    kept: u64,
    clusters: Report,
}

fn run(config: &NearConfig, priority: &[u8]) -> Ended {
    let mut bench = Bench::new();
    let priority = SourcePriority(priority.iter().map(|code| SourceCode(*code)).collect());
    bench.run(&sources());
    bench.run(&rules_of(&["stories"], Vec::new()));
    let rules = || "text.rules".to_owned();
    bench.run(&ContentKeys { source_priority: priority.clone(), ..exact_keys("text", &[]) });
    bench.run(&exact("text", 1));
    let (keys, links) = ("keys".to_owned(), "links".to_owned());
    let (exact, near) = ("text.exact".to_owned(), config.clone());
    bench.run(&Keys { name: keys.clone(), documents: vec![rules()], exact, config: near.clone(), seed: 1 });
    bench.run(&Links { name: links.clone(), keys: keys.clone(), config: near.clone() });
    let mut verified = links.clone();
    if let Some(jaccard_min) = config.jaccard_min {
        verified = "verified".to_owned();
        let (name, config) = (verified.clone(), near.clone());
        bench.run(&Verified { name, documents: vec![rules()], links: links.clone(), config, jaccard_min });
    }
    let clusters = bench.run(&Clusters {
        name: "near".into(),
        rules: rules(),
        keys,
        links: verified,
        found: links,
        config: near,
        source_priority: priority,
    });
    let found = rows::<Duplicate>(&clusters, DUPLICATES).into_iter().map(|d| (d.id, d.representative));
    let found = found.collect();
    let split = SplitAssignment { seed: 1, validation_share: 0.5 };
    let names = Representatives::<Document>::new("names", vec![rules()], &["text.exact"], 64);
    bench.run(&names.with_near(Some(("near", config))));
    let last = Deduplicated::<Document>::new("text", vec![rules()], "text.exact", Some(split));
    let text = bench.run(&last.with_near(Some("near")).with_names("names", Some(config)));
    let kept = text.manifest().report.units["documents"].kept;
    Ended { found, dropped: dropped(&text), kept, clusters: clusters.manifest().report.clone() }
}

#[test]
fn lightly_edited_copies_are_dropped_and_name_the_story_that_stays() {
    let Ended { found, dropped, kept, .. } = run(&config(), &[1, 2]);
    let position = |id: &Id| (id.source().0, id.position());
    let stories: BTreeSet<_> = found.iter().map(|(id, story)| (position(id), position(story))).collect();
    let expected: BTreeSet<_> = (0..20).map(|n| ((2, n), (1, n))).collect();
    assert_eq!(stories, expected);
    let exact = dropped.values().filter(|(reason, _)| reason == "duplicate").collect::<Vec<_>>();
    assert_eq!(exact, [&("duplicate".to_owned(), "1:0:50 https://1.example/50".to_owned())]);
    assert_eq!(dropped.values().filter(|(reason, _)| reason == "near_duplicate").count(), 20);
    assert_eq!(kept, 80);
}

#[test]
fn a_near_duplicate_tells_its_representative_with_similarity_and_name() {
    for scheme in [Scheme::Fast, Scheme::Datatrove] {
        let Ended { found, dropped, .. } = run(&NearConfig { scheme, ..config() }, &[1, 2]);
        for (id, stays) in &found {
            let (reason, value) = &dropped[id];
            assert_eq!(reason, "near_duplicate");
            let mut fields = value.splitn(3, ' ');
            assert_eq!(fields.next(), Some(stays.to_string().as_str()));
            // One word of two hundred: 191 / 201 = 0.95, within three standard errors.
            let similarity: f64 = fields.next().unwrap().parse().unwrap();
            assert!((0.87..=1.0).contains(&similarity), "{value}");
            let position = stays.position();
            let name = match (position % 3 == 0, position % 2 == 0) {
                (true, _) => Some(format!("key 1-{position}")),
                (_, true) => Some(format!("https://1.example/{position}")),
                _ => None,
            };
            assert_eq!(fields.next(), name.as_deref(), "{value}");
        }
    }
}

#[test]
fn the_result_is_the_same_whatever_the_size_of_groups_and_partitions() {
    let expected = run(&config(), &[1, 2]).dropped;
    assert_eq!(run(&NearConfig { partitions: 1, memory_mb: 64, ..config() }, &[1, 2]).dropped, expected);
}

#[test]
fn the_preferred_source_stays() {
    let found = run(&config(), &[2, 1]).found;
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|(id, stays)| (id.source().0, stays.source().0) == (1, 2)));
}

#[test]
fn the_result_depends_on_neither_partitions_nor_memory_nor_the_scheme() {
    let expected = run(&config(), &[1, 2]).found;
    for (partitions, memory_mb) in [(1, 64), (16, 1_024)] {
        assert_eq!(run(&NearConfig { partitions, memory_mb, ..config() }, &[1, 2]).found, expected);
    }
    assert_eq!(run(&NearConfig { scheme: Scheme::Datatrove, ..config() }, &[1, 2]).found, expected);
}

#[test]
fn a_link_stays_only_if_the_exact_similarity_is_large_enough() {
    // One word of two hundred: 191 of 196 shingles are shared, 191 / 201 = 0.95.
    let strict = NearConfig { jaccard_min: Some(0.96), ..config() };
    assert_eq!(run(&strict, &[1, 2]).found.len(), 0);
    let loose = NearConfig { jaccard_min: Some(0.94), ..config() };
    assert_eq!(run(&loose, &[1, 2]).found.len(), 20);
    // Exactly at the bound a link stays.
    let similarity = 191.0 / 201.0;
    let at = |jaccard_min: f64| NearConfig { jaccard_min: Some(jaccard_min), ..config() };
    assert_eq!(run(&at(similarity), &[1, 2]).found.len(), 20);
    assert_eq!(run(&at(f64::next_up(similarity)), &[1, 2]).found.len(), 0);
    // Bands of one row find nearly everything: 25 edits leave 0.22, and the check decides.
    let wide = NearConfig { bands: Some(64), rows: Some(1), jaccard_min: Some(0.15), ..config() };
    assert_eq!(run(&wide, &[1, 2]).found.len(), 40);
}

#[test]
fn planted_copies_are_counted_and_change_nothing() {
    let checked = run(&NearConfig { selfcheck: 1_000, ..config() }, &[1, 2]);
    let copies = &checked.clusters.units["planted_copies"];
    // Of all documents but the exact copy; with a similarity of 0.85, 98.9 % are found.
    assert_eq!(copies.read, 100);
    assert!(copies.kept >= 95, "{copies:?}");
    let plain = run(&config(), &[1, 2]);
    assert_eq!((checked.found, checked.dropped), (plain.found, plain.dropped));
    assert!(!plain.clusters.units.contains_key("planted_copies"));
}
