//! The Pile: three files of JSON lines under zstd, with sets that KOSMOS-1 keeps and
//! sets that it does not.

use std::collections::BTreeMap;
use std::io;

use rand::seq::SliceRandom;
use serde_json::Value;

use crate::config::Config;
use crate::prose::{Language, Prose, jaccard};
use crate::random::{Stream, assign, stream, word};
use crate::truth::{Counts, DocumentRef, NearDuplicate, TextOutcome, Truth};

/// The sets that KOSMOS-1 keeps (paper, section 3.1).
pub const KEPT_SETS: [&str; 7] = [
    "Pile-CC",
    "OpenWebText2",
    "Wikipedia (en)",
    "NIH ExPorter",
    "Books3",
    "BookCorpus2",
    "Gutenberg (PG-19)",
];
/// Sets of the Pile that KOSMOS-1 does not keep and this world has.
const OTHER_SETS: [&str; 4] = ["Github", "ArXiv", "StackExchange", "PubMed Abstracts"];

/// The files, with the share of the lines in percent.
const FILES: [(&str, usize); 3] =
    [("train/00.jsonl.zst", 45), ("train/01.jsonl.zst", 45), ("val.jsonl.zst", 10)];
const ZSTD_LEVEL: i32 = 3;
/// One in so many lines has `meta` as a JSON string, as re-uploads have.
const STRING_META_EVERY: usize = 40;
/// One in so many stories is a single paragraph, for pages to copy.
const SINGLE_EVERY: usize = 5;

/// What one line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Story,
    Copy,
    Near,
    Foreign,
    Spam,
    Short,
    OtherSet,
    NotJson,
    NoText,
    TextNotString,
}

const SHARES: [(Kind, u32); 9] = [
    (Kind::Copy, 20),
    (Kind::Near, 20),
    (Kind::Foreign, 30),
    (Kind::Spam, 15),
    (Kind::Short, 15),
    (Kind::OtherSet, 100),
    (Kind::NotJson, 4),
    (Kind::NoText, 3),
    (Kind::TextNotString, 3),
];

/// The Pile's files, and stories of one paragraph for pages to copy.
pub(crate) struct Pile {
    /// Compressed bytes by name.
    pub(crate) files: BTreeMap<&'static str, io::Result<Vec<u8>>>,
    /// Kept stories of one paragraph that nothing else in the Pile repeats.
    pub(crate) singles: Vec<(DocumentRef, Prose)>,
}

/// Writes all lines and counts what is expected of them.
pub(crate) fn build(config: &Config, truth: &mut Truth) -> Pile {
    let mut order = stream(config.seed, "pile order", 0);
    let kinds = assign(config.documents, &SHARES, Kind::Story, &mut order);
    let mut stories: Vec<usize> =
        (0..kinds.len()).filter(|index| kinds.get(*index) == Some(&Kind::Story)).collect();
    stories.shuffle(&mut order);
    let places = places(kinds.len());
    let mut texts: BTreeMap<&'static str, String> = BTreeMap::new();
    for (index, (kind, place)) in kinds.iter().zip(&places).enumerate() {
        let mut stream = stream(config.seed, "pile line", index as u64);
        let original = match kind {
            Kind::Copy | Kind::Near => stories.pop(),
            _ => None,
        };
        let line = match original {
            Some(original) => {
                let story = story(config.seed, original);
                repeat(*kind, &story, places.get(original), place, &mut stream, truth)
            }
            None => line(*kind, config.seed, index, &mut stream, truth),
        };
        let counts = truth.pile_files.entry(place.0.to_owned()).or_default();
        count(*kind, &mut [counts, &mut truth.pile]);
        let text = texts.entry(place.0).or_default();
        text.push_str(&line);
        text.push('\n');
    }
    let singles = stories
        .into_iter()
        .filter(|index| index.is_multiple_of(SINGLE_EVERY))
        .filter_map(|index| Some((reference(places.get(index)?), story(config.seed, index))))
        .collect();
    let compress = |text: String| zstd::encode_all(text.as_bytes(), ZSTD_LEVEL);
    let files = texts.into_iter().map(|(name, text)| (name, compress(text)));
    Pile { files: files.collect(), singles }
}

/// Gives each line its file and its row there.
fn places(count: usize) -> Vec<(&'static str, u32)> {
    let mut places = Vec::with_capacity(count);
    for (file, percent) in FILES {
        let rows = if file.starts_with("val") { count - places.len() } else { count * percent / 100 };
        places.extend((0..rows).map(|row| (file, row as u32)));
    }
    places
}

fn reference(place: &(&'static str, u32)) -> DocumentRef {
    DocumentRef::Pile { file: place.0.to_owned(), row: place.1 }
}

/// Tells the story of a line; the same each time it is asked for.
fn story(seed: u64, index: usize) -> Prose {
    let story = Prose::story(&mut stream(seed, "pile story", index as u64));
    if index.is_multiple_of(SINGLE_EVERY) { story.single() } else { story }
}

/// Writes a copy or a near-duplicate of `story`.
fn repeat(
    kind: Kind,
    story: &Prose,
    original: Option<&(&'static str, u32)>,
    place: &(&'static str, u32),
    stream: &mut Stream,
    truth: &mut Truth,
) -> String {
    if kind == Kind::Copy {
        truth.count_text(TextOutcome::Duplicate);
        return document(&story.text(), &KEPT_SETS, 1, stream);
    }
    let near = story.near(stream).text();
    truth.count_text(TextOutcome::Kept);
    truth.near_duplicates.extend(original.map(|original| NearDuplicate {
        original: reference(original),
        changed: reference(place),
        jaccard: jaccard(&story.text(), &near),
    }));
    document(&near, &KEPT_SETS, 1, stream)
}

/// Writes a line that repeats no other.
fn line(kind: Kind, seed: u64, index: usize, stream: &mut Stream, truth: &mut Truth) -> String {
    let (prose, outcome) = match kind {
        Kind::Foreign => {
            let language = Language::ALL[index % Language::ALL.len()];
            (Prose::foreign(language, stream), "language")
        }
        Kind::Spam => (Prose::spam(stream), "symbols"),
        Kind::Short => (Prose::short(stream), "words_min"),
        Kind::OtherSet => return document(&story(seed, index).text(), &OTHER_SETS, index, stream),
        Kind::NotJson => {
            let line = document(&story(seed, index).text(), &KEPT_SETS, index, stream);
            return line.trim_end_matches('}').replacen(':', " ", 1);
        }
        Kind::NoText => return format!(r#"{{"meta":{}}}"#, meta(KEPT_SETS[0])),
        Kind::TextNotString => {
            return format!(r#"{{"text":{index},"meta":{}}}"#, meta(KEPT_SETS[0]));
        }
        Kind::Story | Kind::Copy | Kind::Near => (story(seed, index), "kept"),
    };
    truth.count_text(match outcome {
        "kept" => TextOutcome::Kept,
        reason => TextOutcome::Rule(reason),
    });
    document(&prose.text(), &KEPT_SETS, index, stream)
}

/// Writes a line key by key, so that no feature of the JSON library reorders it.
fn document(text: &str, sets: &[&'static str], index: usize, stream: &mut Stream) -> String {
    let meta = meta(word(sets, stream));
    let meta = if index.is_multiple_of(STRING_META_EVERY) { Value::from(meta).to_string() } else { meta };
    format!(r#"{{"text":{},"meta":{meta}}}"#, Value::from(text))
}

fn meta(set: &str) -> String {
    format!(r#"{{"pile_set_name":{}}}"#, Value::from(set))
}

fn count(kind: Kind, counts: &mut [&mut Counts]) {
    for counts in counts {
        match kind {
            Kind::OtherSet => counts.drop("set"),
            Kind::NotJson => counts.fail("json"),
            Kind::NoText | Kind::TextNotString => counts.fail("no_text"),
            _ => counts.keep(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::*;

    fn lines(pile: &Pile) -> BTreeMap<&'static str, Vec<String>> {
        let decode = |bytes: &io::Result<Vec<u8>>| {
            let text = zstd::decode_all(bytes.as_ref().unwrap().as_slice()).unwrap();
            String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
        };
        pile.files.iter().map(|(name, bytes)| (*name, decode(bytes))).collect()
    }

    /// Reads as a pipeline would: set, or the reason for which a line is none.
    fn read(line: &str) -> Result<(String, String), &'static str> {
        let value: Value = serde_json::from_str(line).map_err(|_| "json")?;
        let text = value.get("text").and_then(Value::as_str).ok_or("no_text")?;
        let meta = match value.get("meta").unwrap() {
            Value::String(meta) => serde_json::from_str(meta).unwrap(),
            meta => meta.clone(),
        };
        Ok((meta["pile_set_name"].as_str().unwrap().to_owned(), text.to_owned()))
    }

    #[test]
    fn what_the_files_hold_is_what_the_truth_says() {
        let mut truth = Truth::default();
        let config = Config { documents: 1000, ..Config::default() };
        let files = lines(&build(&config, &mut truth));
        let (mut total, mut texts, mut copies) = (Counts::default(), BTreeSet::new(), 0);
        let mut string_meta = 0;
        for line in files.values().flatten() {
            string_meta += u32::from(line.contains(r#""meta":"{"#));
            match read(line) {
                Err(reason) => total.fail(reason),
                Ok((set, _)) if !KEPT_SETS.contains(&set.as_str()) => total.drop("set"),
                Ok((_, text)) => {
                    total.keep();
                    copies += u64::from(!texts.insert(text));
                }
            }
        }
        assert_eq!(total, truth.pile);
        assert_eq!(total.read, 1000);
        assert_eq!(truth.text_exact.dropped.get("duplicate"), Some(&copies));
        assert_eq!(truth.text_rules.read, truth.pile.kept);
        assert!(string_meta > 5);
    }

    #[test]
    fn near_duplicates_are_where_the_truth_says() {
        let mut truth = Truth::default();
        let files = lines(&build(&Config { documents: 500, ..Config::default() }, &mut truth));
        let text = |document: &DocumentRef| match document {
            DocumentRef::Pile { file, row } => read(&files[file.as_str()][*row as usize]).unwrap().1,
            DocumentRef::Page { url } => panic!("{url} is not in the pile"),
        };
        assert_eq!(truth.near_duplicates.len(), 10);
        for near in &truth.near_duplicates {
            assert_eq!(jaccard(&text(&near.original), &text(&near.changed)), near.jaccard);
            assert!((0.4..1.0).contains(&near.jaccard));
        }
    }
}
