//! The pages of `docs/` that are generated: they say what the types say.
//!
//! With `KOSMOS_WRITE_DOCS=1` the tests write the pages; without it they compare them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use corpus::column::Described;
use corpus::record::{DROPPED, FAILED, PAGES, PAIRS, tables};
use corpus::stream::streams_of;
use pipeline::config::keys::{Default, Key, in_one_line, keys};
use pipeline::config::load;
use pipeline::{Context, Flow};

use crate::support::repository;

/// What stages do, by their names in a run; `SOURCE` is the name of a source, `UNIT` what passages are runs of.
const STAGES: [(&str, &str); 53] = [
    ("SOURCE.files", "lists a source's files and gives each its index in ids"),
    ("SOURCE.index.files", "lists the parts of a snapshot's index"),
    ("SOURCE.index", "selects records of a snapshot by its index"),
    ("SOURCE of texts", "reads documents"),
    ("SOURCE of pages", "reads web pages and finds their main content"),
    ("SOURCE of pairs", "reads image URLs and captions"),
    ("text.evaluation.files", "reads which files evaluation sets have"),
    ("text.evaluation", "reads the items of evaluation sets"),
    ("text.ngrams", "makes n-grams of those items"),
    ("text.rules", "applies the rules to documents"),
    ("text.exact.keys", "hashes texts"),
    ("text.exact", "finds equal texts"),
    ("text.near.keys", "computes MinHash bands"),
    ("text.near.links", "links documents with an equal band"),
    ("text.near.verified", "checks links by the exact Jaccard similarity"),
    ("text.near", "clusters linked documents and chooses which one stays"),
    ("text.representatives", "names the document that stands for each duplicate"),
    ("text.deduplicated", "drops duplicates"),
    ("text.UNIT.anchors", "hashes anchors of passages"),
    ("text.UNIT.shared", "finds anchors that occur more than once"),
    ("text.UNIT.keys", "hashes passages"),
    ("text.UNIT.found", "finds passages that occur more than once"),
    ("text.UNIT.representatives", "names the document in which each passage stays"),
    ("text.UNIT", "cuts repeated passages"),
    ("text.matches", "finds n-grams of evaluation sets in documents"),
    ("text.contamination", "counts them by item"),
    ("text", "the texts that go on, with their split"),
    ("pairs.rules", "applies the rules to pairs"),
    ("pairs.exact.keys", "hashes pairs"),
    ("pairs.exact", "finds equal pairs"),
    ("pairs.representatives", "names the pair that stands for each duplicate"),
    ("pairs", "the pairs that go on"),
    ("interleaved.rules", "applies the rules to pages, where duplicates are looked for, too"),
    ("interleaved.exact.keys", "hashes pages"),
    ("interleaved.exact", "finds equal pages"),
    ("interleaved.representatives", "names the page that stands for each duplicate"),
    ("interleaved.select", "the pages of which interleaved documents are made"),
    ("images.list.uses", "lists which image every pair and page uses"),
    ("images.list", "groups these uses by URL"),
    ("images.passN", "fetches, decodes, resizes and stores images; later passes repeat what may succeed"),
    ("images.evaluation", "decodes the images of evaluation sets"),
    ("images.duplicates.links", "links images with equal bytes or similar hashes"),
    ("images.duplicates", "clusters linked images and chooses which one stays"),
    ("interleaved", "builds interleaved documents"),
    ("tower", "downloads the vision tower's weights"),
    ("features.pairs", "computes CLIP features of the images of pairs"),
    ("features.interleaved", "computes CLIP features of the images of interleaved documents"),
    ("tokenizer", "trains or imports the tokenizer"),
    ("pack.text", "packs texts into sequences"),
    ("pack.pairs", "packs pairs into sequences"),
    ("pack.interleaved", "packs interleaved documents into sequences"),
    ("train", "trains the network"),
    ("evaluate", "captions held-out images and measures losses"),
];

/// Sections that built-in configurations leave out, so that every stage there is stands on the page.
const FURTHER: [&str; 6] = [
    "text.near.jaccard_min=0.7",
    "text.repeats=[{unit=\"lines\"}, {unit=\"words\"}]",
    "text.decontaminate.sets.set.path=\"set.jsonl\"",
    "image_duplicates.evaluation.set=\"images\"",
    "interleaved.select.exact={}",
    "model.tower.weights={download={url=\"https://host/model.safetensors\"}}",
];

/// A stage as the page tells it.
#[derive(Debug, Default)]
struct Row {
    inputs: BTreeSet<String>,
    streams: BTreeMap<String, String>,
}

/// Returns all stages by their names in [`STAGES`].
fn stages() -> BTreeMap<String, Row> {
    let mut stages: BTreeMap<String, Row> = BTreeMap::new();
    let further: Vec<String> = FURTHER.iter().map(|set| (*set).to_owned()).collect();
    for (config, set) in [("sample", &further[..]), ("crawl", &[]), ("pages", &[]), ("dedup", &[])] {
        let config = load::load(config, set).unwrap().config;
        let flow = Flow::new(&config, &Context::offline(&config).unwrap(), 0).unwrap();
        let streams: BTreeMap<String, BTreeMap<String, String>> = flow
            .stages
            .iter()
            .map(|stage| {
                let streams = streams_of(stage.as_ref()).into_iter().map(|s| (s.stream, s.table));
                (stage.name(), streams.collect())
            })
            .collect();
        let general = |name: &str| general(name, config.sources.keys(), &streams);
        for stage in &flow.stages {
            let row = stages.entry(general(&stage.name())).or_default();
            row.inputs.extend(stage.inputs().iter().map(|input| general(input)));
            row.streams.extend(streams[&stage.name()].clone());
        }
    }
    stages
}

/// Returns the name of a stage without what the configuration named.
fn general<'s>(
    name: &str,
    mut sources: impl Iterator<Item = &'s String>,
    streams: &BTreeMap<String, BTreeMap<String, String>>,
) -> String {
    let rest = sources.find_map(|source| name.strip_prefix(source.as_str()));
    match rest {
        Some("") => {
            let has = |stream: &str| streams[name].contains_key(stream);
            let kind = if has(PAIRS.name()) {
                "pairs"
            } else if has(PAGES.name()) {
                "pages"
            } else {
                "texts"
            };
            return format!("SOURCE of {kind}");
        }
        Some(rest) if rest.starts_with('.') => return format!("SOURCE{rest}"),
        _ => {}
    }
    for unit in ["lines", "sentences", "words"] {
        let named = format!("text.{unit}");
        if let Some(rest) = name.strip_prefix(&named) {
            return format!("text.UNIT{rest}");
        }
    }
    match name.strip_prefix("images.pass") {
        Some(_) => "images.passN".to_owned(),
        None => name.to_owned(),
    }
}

fn outputs() -> String {
    let mut page = "# Stages, streams and columns\n\n\
        A run's folder holds the output of every stage in `data/STAGE/FINGERPRINT/STREAM/`: Parquet files, or files that \
        are no tables. `kosmos parts DIR STAGE STREAM` prints their paths. Every stage may also write `dropped` and \
        `failed` rows. This page is generated from the types.\n\n\
        ## Stages\n\n| stage | reads | writes | |\n|---|---|---|---|\n"
        .to_owned();
    let stages = stages();
    for (name, meaning) in STAGES {
        let Some(row) = stages.get(name) else { panic!("no configuration makes {name}") };
        let inputs: Vec<String> = row.inputs.iter().map(|input| format!("`{input}`")).collect();
        let is_own = |stream: &&String| ![DROPPED.name(), FAILED.name()].contains(&stream.as_str());
        let streams: Vec<String> =
            row.streams.keys().filter(is_own).map(|name| format!("`{name}`")).collect();
        writeln!(page, "| `{name}` | {} | {} | {meaning} |", inputs.join(", "), streams.join(", ")).unwrap();
    }
    let unknown: Vec<&String> = stages.keys().filter(|name| !STAGES.iter().any(|(n, _)| n == name)).collect();
    assert!(unknown.is_empty(), "stages without a meaning: {unknown:?}");
    page += "\n## Tables\n";
    let mut by_table: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (stream, table) in stages.values().flat_map(|row| &row.streams) {
        by_table.entry(table).or_default().insert(stream);
    }
    for table in tables() {
        let streams = by_table.remove(table.name).unwrap_or_default();
        let streams: Vec<String> = streams.iter().map(|stream| format!("`{stream}`")).collect();
        writeln!(page, "\n### {}\n\n{}", table.name, in_one_line(table.row.meaning)).unwrap();
        if !streams.is_empty() {
            writeln!(page, "Streams: {}.", streams.join(", ")).unwrap();
        }
        page += "\n| column | type | |\n|---|---|---|\n";
        columns(&mut page, "", &table.row);
    }
    page += "\n## Other files\n\n| stream | media type |\n|---|---|\n";
    for (media_type, streams) in by_table {
        assert!(
            media_type.split('/').all(|part| part.parse::<u32>().is_err()),
            "{media_type} is no known table"
        );
        for stream in streams {
            writeln!(page, "| `{stream}` | `{media_type}` |").unwrap();
        }
    }
    page
}

fn columns(page: &mut String, path: &str, described: &Described) {
    for (name, meaning, column) in &described.fields {
        let optional = if column.is_optional { ", or null" } else { "" };
        let path = format!("{path}{name}");
        writeln!(page, "| `{path}` | {}{optional} | {} |", column.type_name(), cell(&in_one_line(meaning)))
            .unwrap();
        let item = if column.type_name().starts_with("list") { "[]." } else { "." };
        columns(page, &format!("{path}{item}"), column);
    }
}

fn configuration() -> String {
    let mut page = "# Configuration keys\n\n\
        One TOML file is one complete run; `kosmos config show NAME` prints a built-in one to start from, and `kosmos \
        config keys SECTION` prints the rows below. Capitals stand for names of your own, `[]` for the elements of a \
        list. A choice with settings is a table of one key: `rules = [{ words = { words_min = 20 } }]`. Sections that \
        are absent leave their stages out. This page is generated from the types.\n"
        .to_owned();
    let keys = keys();
    let section =
        |key: &Key| key.path.split('.').next().unwrap_or_default().trim_end_matches("[]").to_owned();
    let is_alone = |key: &&Key| key.value != "table" && !key.path.contains('.');
    let header = "\n| key | value | default | |\n|---|---|---|---|\n";
    page += header;
    keys.iter().filter(is_alone).for_each(|key| row(&mut page, key));
    let mut current = String::new();
    for key in keys.iter().filter(|key| !is_alone(key)) {
        if section(key) != current {
            current = section(key);
            writeln!(page, "\n## [{current}]\n").unwrap();
            if key.path == current {
                page += &format!("{}\n", key.meaning);
            }
            page += header;
        }
        if key.path != current {
            row(&mut page, key);
        }
    }
    page
}

fn row(page: &mut String, key: &Key) {
    let value = if key.value.contains('"') {
        format!("`{}`", key.value.replace(" or ", "` or `"))
    } else {
        key.value.clone()
    };
    let default = match &key.default {
        Default::Value(value) => format!("`{value}`"),
        other => other.to_string(),
    };
    writeln!(page, "| `{}` | {} | {} | {} |", key.path, cell(&value), cell(&default), cell(&key.meaning))
        .unwrap();
}

/// Writes a text so that it stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Compares a page, or writes it.
fn check(name: &str, page: &str) {
    let path = repository().join("docs").join(name);
    if std::env::var_os("KOSMOS_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/{name} is not what the types say: run `make docs`");
}

#[test]
fn outputs_are_described_as_they_are() {
    check("outputs.md", &outputs());
}

#[test]
fn keys_are_described_as_they_are() {
    check("configuration.md", &configuration());
}
