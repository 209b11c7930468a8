//! The three stages end to end in a store of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod memory;

use corpus::handle::Handle;
use corpus::record::{DOCUMENTS, DROPPED, FINGERPRINTS, PAGES, PAIRS, VERDICTS};
use std::collections::BTreeMap;

use corpus::record::{Document, Pair, Removed, SegmentKind, Verdicts};
use corpus::stage::Inputs;
use corpus::{Dataset, Error, Id, SourceCode, Split, Stage};

pub(super) use bench::{Bench, Source, dropped, rows};

use super::*;
use crate::config::{ExactConfig, InterleavedConfig};
use crate::flow::{Shared, page_stages};
use crate::rule::{Images, Language, PageRule, PairRule, PersonTag, Symbols, TextRule, UrlLists, Words};
use crate::subject::tests::{document, page, pair};

fn id(source: u8, position: u64) -> Id {
    Id::new(SourceCode(source), 0, position).unwrap()
}

const RIVER: &str = "The old man walked slowly along the river and looked at the birds in the trees.";
const BOAT: &str = "A small boat was pulled across the lake by children who laughed all the way home.";

fn text_rules(inputs: &[&str]) -> Rules<Document> {
    let rules = vec![
        TextRule::Words(Words { words_min: 5, words_max: 1_000 }),
        TextRule::Symbols(Symbols::default()),
        TextRule::Language(Language::default()),
    ];
    rules_of(inputs, rules)
}

pub(super) fn rules_of(inputs: &[&str], rules: Vec<TextRule>) -> Rules<Document> {
    let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
    Rules::new("text.rules", inputs, rules, true)
}

pub(super) fn exact_keys(of: &str, priority: &[u8]) -> ContentKeys {
    ContentKeys {
        name: format!("{of}.exact.keys"),
        rules: format!("{of}.rules"),
        memory_mb: 64,
        source_priority: SourcePriority(priority.iter().map(|code| SourceCode(*code)).collect()),
    }
}

pub(super) fn exact(of: &str, partitions: u32) -> Exact {
    Exact { name: format!("{of}.exact"), keys: format!("{of}.exact.keys"), partitions, memory_mb: 64 }
}

fn text(validation_share: f64) -> Deduplicated<Document> {
    let split = SplitAssignment { seed: 7, validation_share };
    Deduplicated::new("text", vec!["text.rules".into()], "text.exact", Some(split))
}

/// Runs the text stages over documents of sources 1 and 2 and the pages of source 3.
fn run_text(bench: &mut Bench, partitions: u32, priority: &[u8]) -> Dataset {
    let at = |source, position, text: &str| Document { id: id(source, position), ..document(0, text) };
    let one = vec![
        vec![at(1, 0, RIVER), at(1, 1, "Too short."), at(1, 2, BOAT)],
        vec![at(1, 3, "The old man walked  slowly along the river\nand looked at the birds in the trees.")],
    ];
    let two = vec![vec![
        at(2, 0, BOAT),
        at(2, 1, "Das kleine Boot wurde von einer Gruppe lachender Kinder über den See gezogen."),
        at(2, 2, "Buy now #sale #win 😀😀 https://spam.example/ and be happy with it"),
    ]];
    let mut crawled = page(&[(SegmentKind::Heading, RIVER), (SegmentKind::Text, BOAT)]);
    crawled.id = id(3, 4_096);
    bench.run(&Source { name: "one", stream: DOCUMENTS, tasks: one });
    bench.run(&Source { name: "two", stream: DOCUMENTS, tasks: two });
    bench.run(&Source { name: "crawl", stream: PAGES, tasks: vec![vec![crawled]] });
    bench.run(&text_rules(&["one", "two", "crawl"]));
    bench.run(&exact_keys("text", priority));
    bench.run(&exact("text", partitions));
    bench.run(&text(0.5))
}

#[test]
fn rules_and_duplicates_leave_one_of_each_text() {
    let mut bench = Bench::new();
    let kept = run_text(&mut bench, 3, &[2, 1]);
    let judged = bench.dataset("text.rules");

    let reasons = dropped(judged);
    let reason = |source, position| reasons[&id(source, position)].clone();
    assert_eq!(reasons.len(), 3);
    assert_eq!(reason(1, 1), ("words_min".into(), "2".into()));
    assert_eq!(reason(2, 1), ("language".into(), "deu".into()));
    assert_eq!(reason(2, 2).0, "symbols");
    let verdicts: Vec<Verdicts> = rows(judged, VERDICTS);
    assert_eq!(verdicts.len(), 8);
    assert!(verdicts.iter().all(|v| v.values.len() == 4), "every rule has a value for every record");
    assert_eq!(judged.manifest().report.units["documents"].kept, 5);

    // Source 2 is preferred, so its boat stays and that of source 1 goes.
    let documents: Vec<Document> = rows(&kept, DOCUMENTS);
    let ids: Vec<Id> = documents.iter().map(|d| d.id).collect();
    assert_eq!(ids, [id(1, 0), id(2, 0), id(3, 4_096)]);
    assert!(documents.iter().all(|d| d.language.as_deref() == Some("eng") && d.split.is_some()));
    let expected = [(id(1, 2), id(2, 0)), (id(1, 3), id(1, 0))];
    let expected = expected.map(|(id, other)| (id, ("duplicate".to_owned(), other.to_string())));
    assert_eq!(dropped(&kept), BTreeMap::from(expected));
}

#[test]
fn kept_records_are_those_that_were_read_but_for_language_and_split() {
    let full = |position, text: &str| Document {
        id: id(1, position),
        key: Some(format!("key-{position}")),
        source: format!("source-{position}"),
        url: Some(format!("https://a.example/{position}")),
        date: Some(format!("2021-01-0{position}")),
        language: None,
        text: text.to_owned(),
        split: None,
    };
    let documents = vec![full(1, RIVER), full(2, BOAT)];
    let mut bench = Bench::new();
    bench.run(&Source { name: "one", stream: DOCUMENTS, tasks: vec![documents.clone()] });
    bench.run(&text_rules(&["one"]));
    bench.run(&exact_keys("text", &[]));
    bench.run(&exact("text", 1));
    let kept: Vec<Document> = rows(&bench.run(&text(0.0)), DOCUMENTS);
    let expected = documents.into_iter().map(|document| Document {
        language: Some("eng".to_owned()),
        split: Some(Split::Train),
        ..document
    });
    assert_eq!(kept, expected.collect::<Vec<_>>());
}

#[test]
fn kept_pairs_are_those_that_were_read() {
    let whole = Pair {
        id: id(9, 3),
        key: Some("row-3".to_owned()),
        source: "coyo".to_owned(),
        url: "https://a.example/3.png".to_owned(),
        caption: "a bird at sea".to_owned(),
        width: Some(640),
        height: Some(480),
        similarity: Some(0.31),
        nsfw: Some(0.02),
        watermark: Some(0.4),
        aesthetic: Some(5.5),
        digest: Some("md5:00".to_owned()),
        extra: Some("{\"licence\":\"CC0\"}".to_owned()),
    };
    let mut bench = Bench::new();
    bench.run(&Source { name: "captions", stream: PAIRS, tasks: vec![vec![whole.clone()]] });
    let rules = vec![PairRule::CaptionWords(Words { words_min: 2, words_max: 9 })];
    bench.run(&Rules::<Pair>::new("pairs.rules", vec!["captions".into()], rules, true));
    bench.run(&exact_keys("pairs", &[]));
    bench.run(&exact("pairs", 1));
    let kept =
        bench.run(&Deduplicated::<Pair>::new("pairs", vec!["pairs.rules".into()], "pairs.exact", None));
    assert_eq!(rows(&kept, PAIRS), [whole]);
}

#[test]
fn what_is_removed_keeps_its_key_its_url_and_its_beginning() {
    let of = |position, text: &str| Document {
        id: id(1, position),
        key: Some(format!("key-{position}")),
        url: Some(format!("https://a.example/{position}")),
        ..document(0, text)
    };
    let mut bench = Bench::new();
    let documents = vec![of(1, "Too short."), of(2, RIVER), of(3, RIVER)];
    bench.run(&Source { name: "one", stream: DOCUMENTS, tasks: vec![documents] });
    let judged = bench.run(&text_rules(&["one"]));
    bench.run(&exact_keys("text", &[]));
    bench.run(&exact("text", 2));
    let names = Representatives::<Document>::new("names", vec!["text.rules".into()], &["text.exact"], 64);
    bench.run(&names);
    let last = bench.run(&text(0.5).with_names("names", None));
    let removed = |position: u64, reason: &str, value: &str, preview: &str| Removed {
        id: id(1, position),
        key: Some(format!("key-{position}")),
        url: Some(format!("https://a.example/{position}")),
        unit: "documents".to_owned(),
        reason: reason.to_owned(),
        value: value.to_owned(),
        preview: preview.to_owned(),
    };
    assert_eq!(rows(&judged, DROPPED), [removed(1, "words_min", "2", "Too short.")]);
    let expected = removed(3, "duplicate", "1:0:2 key-2", RIVER);
    assert_eq!(rows(&last, DROPPED), [expected]);
}

#[test]
fn pairs_and_pages_name_what_stands_for_them() {
    let at = |position, key: Option<&str>| Pair {
        id: id(9, position),
        key: key.map(str::to_owned),
        ..pair("coyo", "a bird")
    };
    let mut bench = Bench::new();
    bench.run(&Source {
        name: "captions",
        stream: PAIRS,
        tasks: vec![vec![at(1, None), at(2, Some("two"))]],
    });
    bench.run(&Rules::<Pair>::new("pairs.rules", vec!["captions".into()], Vec::new(), true));
    bench.run(&exact_keys("pairs", &[]));
    bench.run(&exact("pairs", 1));
    let records = || vec!["pairs.rules".to_owned()];
    bench.run(&Representatives::<Pair>::new("names", records(), &["pairs.exact"], 64));
    let kept = bench
        .run(&Deduplicated::<Pair>::new("pairs", records(), "pairs.exact", None).with_names("names", None));
    assert_eq!(dropped(&kept)[&id(9, 2)].1, format!("9:0:1 {}", at(1, None).url));

    // Pages whose text nothing judges are documents as they are.
    let crawled = |position| {
        let mut page = page(&[(SegmentKind::Text, RIVER)]);
        page.id = id(3, position);
        page
    };
    let mut bench = Bench::new();
    bench.run(&Source { name: "crawl", stream: PAGES, tasks: vec![vec![crawled(1), crawled(2)]] });
    bench.run(&rules_of(&["crawl"], Vec::new()).keys_only());
    bench.run(&exact_keys("text", &[]));
    bench.run(&exact("text", 1));
    bench.run(&Representatives::<Document>::new("names", vec!["crawl".into()], &["text.exact"], 64));
    let last = Deduplicated::<Document>::new("text", vec!["crawl".into()], "text.exact", None);
    let kept = bench.run(&last.with_names("names", None));
    assert_eq!(dropped(&kept)[&id(3, 2)].1, "3:0:1 https://a.example/");
}

#[test]
fn the_number_of_partitions_does_not_change_what_is_kept() {
    let content = |partitions| run_text(&mut Bench::new(), partitions, &[1, 2]).manifest().content.clone();
    assert_eq!(content(1), content(5));
}

#[test]
fn the_split_follows_the_share_and_the_id() {
    for (share, split) in [(0.0, Split::Train), (1.0, Split::Validation)] {
        let mut bench = Bench::new();
        run_text(&mut bench, 1, &[]);
        let documents: Vec<Document> = rows(&bench.run(&text(share)), DOCUMENTS);
        assert!(documents.iter().all(|d| d.split == Some(split)));
    }
    let of = |position| SplitAssignment { seed: 7, validation_share: 0.5 }.of(id(1, position));
    assert_eq!(of(3), of(3));
    let seeded = |seed| {
        let split = SplitAssignment { seed, validation_share: 0.5 };
        (0..64).map(|position| split.of(id(1, position))).collect::<Vec<_>>()
    };
    assert_ne!(seeded(7), seeded(8), "another seed, another split");
    assert!((0..64).any(|p| of(p) == Split::Train) && (0..64).any(|p| of(p) == Split::Validation));
}

#[test]
fn a_cancelled_run_continues_to_the_same_parts() {
    // More than one committed range, stopped in the middle of the second.
    let many: Vec<Document> =
        (0..22_000).map(|n| document(n, &format!("text number {} of many", n / 2))).collect();
    let rules = rules_of(&["many"], vec![TextRule::Words(Words { words_min: 3, words_max: 9 })]);
    let stages: [&dyn Stage; 4] = [&rules, &exact_keys("text", &[]), &exact("text", 2), &text(0.1)];
    let run = |stop_after: Option<u64>| {
        let mut bench = Bench::new();
        bench.run(&Source { name: "many", stream: DOCUMENTS, tasks: vec![many.clone()] });
        let mut sealed = Vec::new();
        for stage in stages {
            // Half of the records are duplicates, in two partitions.
            let most = if stage.name() == "text.exact" { 5_000 } else { u64::MAX };
            if let Some(records) = stop_after.map(|records| records.min(most)) {
                assert!(matches!(bench.attempt(stage, records), Err(Error::Cancelled)));
            }
            let dataset = bench.run(stage);
            sealed.push((dataset.manifest().content.clone(), dataset.manifest().report.clone()));
        }
        sealed
    };
    let straight = run(None);
    assert_eq!(straight[3].1.units["documents"].dropped["duplicate"], 11_000);
    assert_eq!(run(Some(20_500)), straight);
    assert_eq!(run(Some(1)), straight);
}

#[test]
fn pairs_are_duplicates_by_url_and_caption() {
    let at = |position, source, url: &str, caption: &str| Pair {
        id: id(9, position),
        url: url.into(),
        ..pair(source, caption)
    };
    let tasks = vec![vec![
        at(0, "cc12m", "https://a.example/1", "<PERSON> feeds a bird"),
        at(1, "cc12m", "https://a.example/1", "a man feeds a bird"),
        at(2, "coyo", "https://a.example/1", "a  man feeds a bird "),
        at(3, "coyo", "https://a.example/1", "a bird is fed"),
    ]];
    let mut bench = Bench::new();
    bench.run(&Source { name: "captions", stream: PAIRS, tasks });
    bench.run(&Rules::<Pair>::new(
        "pairs.rules",
        vec!["captions".into()],
        vec![PairRule::PersonTag(PersonTag { sources: vec!["cc12m".into()] })],
        true,
    ));
    bench.run(&exact_keys("pairs", &[]));
    bench.run(&exact("pairs", 2));
    let kept =
        bench.run(&Deduplicated::<Pair>::new("pairs", vec!["pairs.rules".into()], "pairs.exact", None));
    let ids: Vec<Id> = rows(&kept, PAIRS).iter().map(|p| p.id).collect();
    assert_eq!(ids, [id(9, 1), id(9, 3)]);
}

#[test]
fn pages_are_selected_before_anything_is_fetched() {
    let image = (SegmentKind::Image, "https://a.example/1.png");
    let pages = vec![page(&[(SegmentKind::Text, RIVER), image]), page(&[(SegmentKind::Text, BOAT)])];
    let mut bench = Bench::new();
    bench.run(&Source { name: "crawl", stream: PAGES, tasks: vec![pages] });
    let selected = bench.run(
        &Rules::<corpus::record::Page>::new(
            "interleaved.select",
            vec!["crawl".into()],
            vec![PageRule::Images(Images::default()), PageRule::Language(Language::default())],
            true,
        )
        .without_keys(),
    );
    assert_eq!(selected.summary(PAGES).unwrap().rows, 1);
    assert_eq!(selected.parts(FINGERPRINTS).count(), 0);
    assert_eq!(selected.manifest().report.units["pages"].dropped["images"], 1);
}

#[test]
fn of_pages_with_the_same_text_one_is_selected() {
    let image = (SegmentKind::Image, "https://a.example/1.png");
    let rewrapped = RIVER.replace(' ', "\n");
    let texts = [RIVER, BOAT, &rewrapped, RIVER];
    let of = |(position, text): (u64, &&str)| corpus::record::Page {
        id: id(1, position),
        url: Some(format!("https://a.example/{position}")),
        ..page(&if position == 3 {
            vec![(SegmentKind::Text, *text)]
        } else {
            vec![(SegmentKind::Text, *text), image]
        })
    };
    let pages = (0..).zip(&texts).map(of).collect();
    let mut bench = Bench::new();
    bench.run(&Source { name: "crawl", stream: PAGES, tasks: vec![pages] });
    let shared = Shared { seed: 1, priority: SourcePriority::default() };
    for rules in [vec![PageRule::Images(Images::default())], Vec::new()] {
        let config =
            InterleavedConfig { rules, exact: Some(ExactConfig { partitions: 2, ..ExactConfig::default() }) };
        let (stages, _) = page_stages(&config, &shared, &[Handle::new("crawl")]);
        let runs: Vec<Dataset> = stages.iter().map(|stage| bench.run(stage.as_ref())).collect();
        let selected = &runs[runs.len() - 1];
        assert_eq!(
            rows(selected, PAGES).iter().map(|page| page.id).collect::<Vec<_>>(),
            [id(1, 0), id(1, 1)]
        );
        let (reason, value) = &dropped(selected)[&id(1, 2)];
        assert_eq!((reason.as_str(), value.as_str()), ("duplicate", "1:0:0 https://a.example/0"));
    }
}

#[test]
fn an_empty_source_gives_an_empty_corpus() {
    let mut bench = Bench::new();
    bench.run(&Source::<Document> { name: "one", stream: DOCUMENTS, tasks: vec![vec![]] });
    bench.run(&text_rules(&["one"]));
    bench.run(&exact_keys("text", &[]));
    bench.run(&exact("text", 2));
    assert_eq!(bench.run(&text(0.5)).manifest().part_count(), 0);
}

#[test]
fn documents_that_no_rule_judges_are_read_where_they_are() {
    let of = |position, text: &str| Document { id: id(1, position), ..document(0, text) };
    let documents = vec![of(0, RIVER), of(1, BOAT), of(2, &RIVER.replace(' ', "\n"))];
    let mut bench = Bench::new();
    bench.run(&Source { name: "mine", stream: DOCUMENTS, tasks: vec![documents] });
    let judged = bench.run(&rules_of(&["mine"], Vec::new()).keys_only());
    assert_eq!(
        corpus_testing::parts(&judged).iter().map(|p| p.stream.as_str()).collect::<Vec<_>>(),
        ["fingerprints"]
    );
    assert_eq!(judged.manifest().report.units["documents"].kept, 3);
    bench.run(&exact_keys("text", &[]));
    bench.run(&exact("text", 1));
    let kept = bench.run(&Deduplicated::<Document>::new("text", vec!["mine".into()], "text.exact", None));
    assert_eq!(rows(&kept, DOCUMENTS).len(), 2);
    assert_eq!(dropped(&kept)[&id(1, 2)], ("duplicate".to_owned(), id(1, 0).to_string()));
}

#[test]
fn files_of_rules_are_read_with_the_stage_and_name_their_drops() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("domains");
    let lists = |path: &std::path::Path| {
        vec![TextRule::UrlLists(UrlLists { domains: vec![path.to_owned()], ..UrlLists::default() })]
    };
    let rules = Rules::<Document>::new("text.rules", vec!["web".into()], lists(&list), true);
    assert!(rules.settings().unwrap_err().to_string().contains("domains"), "the missing file is named");
    std::fs::write(&list, "bad.example\n").unwrap();
    let at = |position, url: Option<&str>| Document {
        id: id(1, position),
        url: url.map(str::to_owned),
        ..document(0, RIVER)
    };
    let documents = vec![
        at(0, None),
        at(1, Some("https://www.bad.example/a")),
        at(2, Some("https://good.example/")),
        at(3, Some("no url")),
    ];
    let mut bench = Bench::new();
    bench.run(&Source { name: "web", stream: DOCUMENTS, tasks: vec![documents] });
    let judged = bench.run(&rules_of(&["web"], lists(&list)));
    let expected = BTreeMap::from([(id(1, 1), ("url_domain".to_owned(), "1".to_owned()))]);
    assert_eq!(dropped(&judged), expected);
}

#[test]
fn a_broken_model_is_refused_before_any_task() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("lid.bin");
    std::fs::write(&model, "not a model").unwrap();
    let language = Language { model: Some(model), ..Language::default() };
    let rules = rules_of(&[], vec![TextRule::Language(language)]);
    let error = rules.plan(&Inputs::default()).unwrap_err().to_string();
    assert!(error.contains("text.rules") && error.contains("lid.bin"), "{error}");
}
