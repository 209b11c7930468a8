//! The stages of decontamination end to end, after duplicates.

use std::collections::BTreeMap;

use corpus::record::{CONTAMINATION, DOCUMENTS, Document, EXCISIONS, EvaluationItem, Excision, ITEMS};
use corpus::{Id, SourceCode};

use super::super::tests::{Bench, Source, dropped, rows};
use super::super::{Decontaminated, Ngrams, SplitAssignment};
use super::*;
use crate::config::{Action, EvaluationSetConfig};
use crate::subject::tests::document;

const ITEM: &str =
    "If a train leaves the station at noon and another one leaves an hour later, when do they meet?";
const COMMON: &str = "Choose the one best answer of those that are given below this line please.";

/// A text of so many sentences that no other has.
fn prose(number: u64, sentences: u64) -> String {
    let word = |at: u64| corpus::random::hash(number, "prose", &at.to_le_bytes()) % 100_000;
    let sentence =
        |n: u64| (0..12).map(|at| format!("w{}", word(n * 100 + at))).collect::<Vec<_>>().join(" ") + ".";
    (0..sentences).map(sentence).collect::<Vec<_>>().join(" ")
}

/// Five clean documents, three with the item within them, one that is the item, twelve with what is common.
fn documents() -> Source<Document> {
    let mut texts: Vec<String> = (0..5).map(|n| prose(n, 10)).collect();
    texts.push(format!("{} {ITEM} {}", prose(5, 10), prose(6, 10)));
    texts.push(format!("{} {} {}", prose(7, 10), ITEM.to_uppercase().replace(' ', "\n> "), prose(8, 10)));
    texts.push(format!("{} {ITEM}", prose(9, 40)));
    texts.push(ITEM.to_owned());
    texts.extend((0..12).map(|n| format!("{COMMON} {}", prose(20 + n, 10))));
    let at = |(position, text): (usize, String)| Document {
        id: Id::new(SourceCode(1), 0, position as u64).unwrap(),
        ..document(0, &text)
    };
    let documents: Vec<_> = texts.into_iter().enumerate().map(at).collect();
    let (first, second) = documents.split_at(6);
    Source { name: "documents", stream: DOCUMENTS, tasks: vec![first.to_vec(), second.to_vec()] }
}

/// What a run left behind.
struct Ended {
    kept: BTreeMap<u64, Document>,
    /// Dropped documents with reason and value.
    dropped: BTreeMap<Id, (String, String)>,
    excisions: Vec<Excision>,
    report: Vec<Contamination>,
    bytes: corpus::report::Counts,
}

fn run(action: Action) -> Ended {
    run_by(action, DecontaminateConfig::default().common)
}

/// Returns items of the set `trains`.
fn items(texts: &[&str]) -> Source<EvaluationItem> {
    let id = |row: usize| Id::new(SourceCode(254), 0, row as u64).unwrap();
    let item = |(row, text): (usize, &&str)| EvaluationItem {
        id: id(row),
        set: "trains".into(),
        text: (*text).to_owned(),
    };
    Source { name: "items", stream: ITEMS, tasks: vec![texts.iter().enumerate().map(item).collect()] }
}

fn config(action: Action, common: u64) -> DecontaminateConfig {
    let set = EvaluationSetConfig { path: "trains.jsonl".into(), fields: vec!["q".into()] };
    DecontaminateConfig { sets: [("trains".to_owned(), set)].into(), action, common, ..Default::default() }
}

fn ngrams(config: &DecontaminateConfig) -> Ngrams {
    Ngrams { name: "ngrams".into(), items: "items".into(), config: config.clone() }
}

fn run_by(action: Action, common: u64) -> Ended {
    let config = config(action, common);
    let mut bench = Bench::new();
    bench.run(&items(&[ITEM, COMMON, "Too short."]));
    let collected = bench.run(&ngrams(&config));
    assert_eq!(dropped(&collected).into_values().collect::<Vec<_>>(), [("words_min".into(), "2".into())]);
    let index = Arc::new(SharedIndex::new(config, "ngrams"));
    bench.run(&documents());
    let names = || ("documents".to_owned(), "matches".to_owned(), "contamination".to_owned());
    let (documents, matches, contamination) = names();
    bench.run(&Matches { name: matches, documents, index: Arc::clone(&index) });
    let (documents, matches, name) = names();
    let counts = bench.run(&Counts { name, matches, items: "items".into(), index: Arc::clone(&index) });
    let split = SplitAssignment { seed: 1, validation_share: 0.5 };
    let text = bench.run(&Decontaminated { name: "text".into(), documents, contamination, index, split });
    Ended {
        kept: rows(&text, DOCUMENTS).into_iter().map(|d| (d.id.position(), d)).collect(),
        dropped: dropped(&text),
        excisions: rows(&text, EXCISIONS),
        report: rows(&counts, CONTAMINATION),
        bytes: text.manifest().report.units["bytes"].clone(),
    }
}

#[test]
fn items_are_cut_out_and_what_is_common_stays() {
    let Ended { kept, dropped, excisions, .. } = run(Action::Cut);
    let gone: Vec<_> =
        dropped.iter().map(|(id, why)| (id.position(), why.0.as_str(), why.1.as_str())).collect();
    assert_eq!(gone, [(8, "contaminated", "trains")]);
    assert_eq!(kept.len(), 20);
    for position in [5, 6, 7] {
        let text = &kept[&position].text;
        assert!(!text.to_lowercase().contains("train"), "{text}");
        assert!(text.len() > 200 && text.ends_with('.'), "{text}");
    }
    assert_eq!(kept[&5].text.matches("\n\n").count(), 1);
    assert_eq!(kept[&9].text, format!("{COMMON} {}", prose(20, 10)));
    let places: Vec<_> = excisions.iter().map(|cut| (cut.id.position(), cut.sets.join(" "))).collect();
    assert_eq!(places, [5, 6, 7].map(|position| (position, "trains".to_owned())));
    assert!(excisions[0].text.contains(ITEM));
    assert!(kept.values().all(|document| document.split.is_some()));
}

#[test]
fn documents_with_items_are_dropped_where_that_is_asked_for() {
    let Ended { kept, dropped, excisions, .. } = run(Action::Drop);
    assert_eq!(dropped.keys().map(|id| id.position()).collect::<Vec<_>>(), [5, 6, 7, 8]);
    assert_eq!((kept.len(), excisions.len()), (17, 0));
}

#[test]
fn an_ngram_is_common_from_the_bound_on() {
    // Twelve documents hold it.
    let common = |bound| run_by(Action::Cut, bound).report[0].ngrams_common;
    assert_eq!([11, 12, 13].map(common), [2, 2, 0]);
}

#[test]
fn the_bytes_that_were_taken_are_counted() {
    let texts: Vec<Document> = documents().tasks.concat();
    let read: u64 = texts.iter().map(|document| document.text.len() as u64).sum();
    for action in [Action::Cut, Action::Drop] {
        let Ended { kept, bytes, .. } = run(action);
        let left: u64 = kept.values().map(|document| document.text.len() as u64).sum();
        assert_eq!((bytes.read, bytes.kept), (read, left), "{action:?}");
        assert_eq!(bytes.dropped, [("contaminated".to_owned(), read - left)].into());
    }
}

#[test]
fn the_report_tells_what_was_found_of_each_set() {
    let report = run(Action::Cut).report;
    let expected = Contamination {
        set: "trains".into(),
        items: 2,
        items_found: 1,
        ngrams: 9,
        ngrams_found: 7,
        ngrams_common: 2,
        documents: 4,
    };
    assert_eq!(report, [expected]);
}

#[test]
fn a_set_without_long_items_is_refused_before_any_document_is_read() {
    let mut bench = Bench::new();
    bench.run(&items(&["Too short.", "Which of the two?"]));
    let refused = bench.attempt(&ngrams(&config(Action::Cut, 10)), u64::MAX).unwrap_err().to_string();
    let expected =
        "stage ngrams: text.decontaminate.sets.trains: no item of trains.jsonl has 8 words or more in q";
    assert!(refused.starts_with(expected), "{refused}");
}
