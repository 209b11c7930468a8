//! Decisions equal to datatrove's, where its words and sentences are given (tests/golden/filters.py).

mod bounds;

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::fineweb::Line;
use super::{C4, Finding, Fineweb, GopherQuality, GopherRepetition};

#[derive(Deserialize)]
struct Golden {
    settings: Vec<Setting>,
    cases: Vec<Case>,
}

/// A rule with settings; `finding` names the one that is looked at alone.
#[derive(Deserialize)]
struct Setting {
    rule: String,
    finding: Option<String>,
    settings: Value,
}

/// A text, here or in the folder of open data, and what was said of it by each setting.
#[derive(Deserialize)]
struct Case {
    text: Option<String>,
    file: Option<String>,
    at: Option<String>,
    spans: String,
    sentences: Vec<Vec<usize>>,
    decisions: Vec<Value>,
    c4_chars: Option<usize>,
}

/// Open data, each file read once.
#[derive(Default)]
struct Texts(HashMap<String, Option<Value>>);

impl Texts {
    fn get(&mut self, case: &Case) -> Option<String> {
        let (Some(file), Some(at)) = (&case.file, &case.at) else { return case.text.clone() };
        let open = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/open");
        let read = |file: &str| serde_json::from_slice(&std::fs::read(open.join(file)).ok()?).ok();
        let values = self.0.entry(file.clone()).or_insert_with_key(|file| read(file)).as_ref()?;
        Some(values.pointer(at)?.as_str()?.to_owned())
    }
}

/// Returns the words by their bounds: characters that are skipped and taken, by turns.
fn words<'t>(text: &'t str, spans: &str) -> Vec<&'t str> {
    let starts: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let bounds: Vec<usize> = spans.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let mut at = 0;
    let word = |pair: &[usize]| {
        let begin = at + pair[0];
        at = begin + pair[1];
        &text[starts[begin]..starts[at]]
    };
    bounds.chunks(2).map(word).collect()
}

fn parse<R: for<'de> Deserialize<'de>>(settings: &Value) -> R {
    R::deserialize(settings).unwrap()
}

/// Returns what a rule finds, and the characters that C4 leaves.
fn findings(
    setting: &Setting,
    text: &str,
    words: &[&str],
    counts: &mut impl Iterator<Item = Vec<usize>>,
) -> (Vec<Finding<'static>>, Option<usize>) {
    let settings = &setting.settings;
    match setting.rule.as_str() {
        "gopher_quality" => (parse::<GopherQuality>(settings).judge_tokens(text, words).to_vec(), None),
        "gopher_repetition" => (parse::<GopherRepetition>(settings).judge_runs(text, words, 1), None),
        "fineweb" => {
            (parse::<Fineweb>(settings).judge_counted(text, words.len(), Line::SPACED).to_vec(), None)
        }
        "c4" => {
            let mut counts = counts.next().unwrap().into_iter();
            let cleaned = parse::<C4>(settings).clean_counting(text, |_| counts.next().unwrap_or_default());
            (cleaned.findings.to_vec(), Some(cleaned.text.chars().count()))
        }
        other => panic!("no rule {other}"),
    }
}

#[test]
fn decisions_are_those_of_datatrove() {
    let golden: Golden = serde_json::from_str(include_str!("../../../tests/golden/filters.json")).unwrap();
    let (mut texts, mut judged, mut skipped) = (Texts::default(), 0, 0);
    let mut differences = Vec::new();
    for (place, case) in golden.cases.iter().enumerate() {
        let Some(text) = texts.get(case) else {
            skipped += 1;
            continue;
        };
        let words = words(&text, &case.spans);
        let mut counts = case.sentences.iter().cloned();
        for (setting, expected) in golden.settings.iter().zip(&case.decisions) {
            let (findings, chars) = findings(setting, &text, &words, &mut counts);
            let found = match &setting.finding {
                Some(name) => Value::from(findings.iter().any(|f| f.rule == name && !f.passed)),
                None => findings.iter().find(|f| !f.passed).map_or(Value::Null, |f| f.rule.into()),
            };
            let is_equal_left = case.c4_chars.is_none()
                || setting.finding.is_some()
                || chars.is_none()
                || chars == case.c4_chars;
            if found != *expected || !is_equal_left {
                differences.push(format!(
                    "{place} {:?} {:?}: {found}, not {expected}; {chars:?} {:?}",
                    setting.rule, setting.finding, case.c4_chars
                ));
            }
            judged += 1;
        }
    }
    if skipped > 0 {
        println!("skipped {skipped} texts: there is no folder of open data");
    }
    assert!(differences.is_empty(), "{} of {judged}: {:#?}", differences.len(), differences);
}
