//! The stages of repeated passages end to end, after duplicates.

use std::collections::BTreeMap;

use corpus::record::{CUTS, CutRepeat, DOCUMENTS, Document};
use corpus::{Id, SourceCode};

use super::super::tests::{Bench, Source, dropped, rows};
use super::super::{Representatives, SplitAssignment};
use super::*;
use crate::config::{Keep, RepeatsConfig, Unit};
use crate::passages::has_anchors;
use crate::passages::tests::config;
use crate::subject::tests::document;

/// So many words that no other text has.
fn words(number: u64, count: u64) -> String {
    let word = |at: u64| corpus::random::hash(number, "words", &at.to_le_bytes()) % 1_000_000;
    (0..count).map(|at| format!("w{}", word(at))).collect::<Vec<_>>().join(" ")
}

/// Documents in two parts, positions 0, 1, ...
fn source(texts: &[String]) -> Source<Document> {
    let at = |(position, text): (usize, &String)| Document {
        id: Id::new(SourceCode(1), 0, position as u64).unwrap(),
        url: Some(format!("https://a.example/{position}")),
        ..document(0, text)
    };
    let documents: Vec<Document> = texts.iter().enumerate().map(at).collect();
    let (first, second) = documents.split_at(texts.len() / 2);
    Source { name: "documents", stream: DOCUMENTS, tasks: vec![first.to_vec(), second.to_vec()] }
}

/// What a run left behind: texts by position, what was dropped and why, what was cut.
struct Ended {
    texts: BTreeMap<u64, String>,
    dropped: Vec<(u64, String, String)>,
    cuts: Vec<(u64, u64, String)>,
}

fn run(texts: &[String], config: &RepeatsConfig) -> Ended {
    run_by(texts, config, has_anchors(config))
}

fn run_by(texts: &[String], config: &RepeatsConfig, by_anchors: bool) -> Ended {
    let mut bench = Bench::new();
    bench.run(&source(texts));
    let documents = "documents".to_owned();
    let mut find = |of, name: &str, anchors| {
        let (keys, found) = (format!("{name}.keys"), format!("{name}.found"));
        let (name, documents) = (keys.clone(), documents.clone());
        bench.run(&Passages { name, documents, of, anchors, config: config.clone() });
        bench.run(&Repeats { name: found.clone(), keys, of, config: config.clone() });
        found
    };
    let anchors = by_anchors.then(|| find(KeyRole::Anchors, "anchors", None));
    let found = find(KeyRole::Passages, "passages", anchors);
    let split = Some(SplitAssignment { seed: 1, validation_share: 0.5 });
    let (name, repeats) = ("text".to_owned(), found);
    let records = vec![documents.clone()];
    bench.run(&Representatives::<Document>::new("names", records, &[repeats.as_str()], 64));
    let names = Some("names".to_owned());
    let text = bench.run(&Cut { name, documents, repeats, names, config: config.clone(), split });
    let kept = rows::<Document>(&text, DOCUMENTS);
    assert!(kept.iter().all(|document| document.split.is_some()));
    let cuts = rows::<CutRepeat>(&text, CUTS).into_iter();
    Ended {
        texts: kept.into_iter().map(|document| (document.id.position(), document.text)).collect(),
        dropped: dropped(&text).into_iter().map(|(id, (why, value))| (id.position(), why, value)).collect(),
        cuts: cuts.map(|cut| (cut.id.position(), cut.first.position(), cut.text)).collect(),
    }
}

#[test]
fn lines_that_were_before_are_cut_whatever_their_case_and_marks() {
    let texts = [
        "Home | About us\nA story of a fox.",
        "A story of a dog.\n\nhome  about US",
        "HOME: about us!",
        "A story of a cat.",
    ]
    .map(str::to_owned);
    let Ended { texts, dropped, cuts } =
        run(&texts, &RepeatsConfig { words_left_min: 1, ..config(Unit::Lines) });
    assert_eq!(texts[&0], "Home | About us\nA story of a fox.");
    assert_eq!(texts[&1], "A story of a dog.");
    assert_eq!(texts[&3], "A story of a cat.");
    assert_eq!(dropped, [(2, "repeated".to_owned(), "1:0:0 https://a.example/0".to_owned())]);
    let expected = [(1, 0, "home  about US".to_owned()), (2, 0, "HOME: about us!".to_owned())];
    assert_eq!(cuts, expected);
}

#[test]
fn a_document_stays_with_the_least_words_that_must_be_left() {
    let texts = ["A menu line here.\nOne.", "A menu line here.\nTwo words."].map(str::to_owned);
    let left = |words_left_min| {
        run(&texts, &RepeatsConfig { words_left_min, ..config(Unit::Lines) }).texts.contains_key(&1)
    };
    assert_eq!([1, 2, 3].map(left), [true, true, false]);
}

#[test]
fn lines_of_everywhere_are_cut_everywhere_where_none_is_to_stay() {
    let texts = ["Posted on 24 May\nOne.", "Posted on 14 May\nTwo.", "Three.\nTwo."].map(str::to_owned);
    let config = RepeatsConfig { keep: Keep::None, any_digit: true, ..config(Unit::Lines) };
    let Ended { texts, cuts, .. } = run(&texts, &config);
    assert_eq!(texts, [(0, "One.".to_owned()), (2, "Three.".to_owned())].into());
    // Of the second document both lines at once.
    assert_eq!(cuts.len(), 3);
}

#[test]
fn spans_of_three_sentences_are_cut_and_shorter_ones_stay() {
    let texts = [
        "One is here. Two is here. Three is here. Four is here. Five is here.",
        "Alone. Two is here. Three is here. Four is here.\nFive was here. End.",
        "Two is here. Three is here. Five is here.",
        "Two is here. Three is here.",
    ]
    .map(str::to_owned);
    let Ended { texts: left, .. } = run(&texts, &config(Unit::Sentences));
    assert_eq!(left[&0], texts[0]);
    assert_eq!(left[&1], "Alone.\nFive was here. End.");
    assert_eq!(left[&2], texts[2]);
    assert_eq!(left[&3], texts[3]);
}

#[test]
fn a_run_of_fifty_words_is_cut_wherever_it_is_and_one_of_forty_nine_is_not() {
    let (long, short) = (words(1, 60), words(2, 49));
    let texts = [
        format!("{} {long} {short} {}", words(3, 20), words(4, 20)),
        format!("{} {} {}", words(5, 30), long.to_uppercase().replace(' ', "\n"), words(6, 30)),
        format!("{} {short} {}", words(7, 30), words(8, 30)),
    ];
    let Ended { texts: left, cuts, .. } = run(&texts, &config(Unit::Words));
    assert_eq!(left[&0], texts[0]);
    assert_eq!(left[&1], format!("{}\n{}", words(5, 30), words(6, 30)));
    assert_eq!(left[&2], texts[2]);
    assert_eq!(cuts.len(), 1);
}

#[test]
fn of_a_text_that_repeats_itself_the_first_run_stays() {
    let text = |count| vec!["ha"; count].join(" ");
    let left = |count, keep| {
        let config = RepeatsConfig { run: Some(5), keep, ..config(Unit::Words) };
        run(&[text(count)], &config).texts.get(&0).map_or(0, |left| left.split_whitespace().count())
    };
    assert_eq!((left(9, Keep::First), left(12, Keep::First)), (9, 5));
    assert_eq!((left(9, Keep::None), left(12, Keep::None)), (9, 0));
}

/// Texts, and what datatrove leaves of them (`tests/golden/repeats.py`).
#[derive(serde::Deserialize)]
struct Golden {
    texts: Vec<String>,
    lines: Vec<String>,
    sentences: Vec<String>,
}

#[test]
fn what_is_left_is_what_datatrove_leaves() {
    let golden: Golden = serde_json::from_str(include_str!("../../../../tests/golden/repeats.json")).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (unit, expected) in [(Unit::Lines, &golden.lines), (Unit::Sentences, &golden.sentences)] {
        let config = RepeatsConfig { any_digit: true, ..config(unit) };
        let left = run(&golden.texts, &config).texts;
        for (index, expected) in expected.iter().enumerate() {
            // What nothing is left of is dropped here as there.
            let left = left.get(&(index as u64)).map_or("", String::as_str);
            assert_eq!(words(left), words(expected), "{unit:?} of {index}");
        }
    }
}

mod brute_force {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The plain way: every run of words is looked for in all that came before it.
    fn expected(texts: &[Vec<u8>], run: usize) -> Vec<String> {
        let mut left = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let mut gone = BTreeSet::new();
            for at in 0..(text.len() + 1).saturating_sub(run) {
                let passage = &text[at..at + run];
                let earlier =
                    texts[..index].iter().any(|other| other.windows(run).any(|other| other == passage));
                let first_here = text.windows(run).position(|other| other == passage).unwrap();
                if earlier || first_here + run <= at {
                    gone.extend(at..at + run);
                }
            }
            let words = text.iter().enumerate().filter(|(at, _)| !gone.contains(at));
            left.push(words.map(|(_, word)| format!("w{word}")).collect::<Vec<_>>().join(" "));
        }
        left
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_is_left_is_what_comparing_everything_leaves(
            texts in prop::collection::vec(prop::collection::vec(0_u8..3, 0..30), 1..8), run in 2_u32..7,
            by_anchors: bool,
        ) {
            let joined = |text: &Vec<u8>| text.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
            let given: Vec<String> = texts.iter().map(joined).collect();
            let config = RepeatsConfig { run: Some(run), ..config(Unit::Words) };
            let left = run_by(&given, &config, by_anchors).texts;
            let left: Vec<String> =
                (0..given.len() as u64).map(|at| left.get(&at).cloned().unwrap_or_default()).collect();
            prop_assert_eq!(left, expected(&texts, run as usize));
        }
    }
}
