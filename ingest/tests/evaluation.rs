//! Evaluation sets run by the engine, from their settings to items.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use corpus::record::{FAILED, ITEMS};
use std::io::Write;
use std::sync::Arc;

use corpus::mirror::Mirrors;
use corpus::observer::{Observer, Unobserved};
use corpus::record::{EvaluationItem, Removed};
use corpus::stage::{Cancel, Inputs};
use corpus::{Counts, Dataset, Error, SourceCode, Stage, Store};
use corpus_testing::{StopAfter, run_stage, run_stages};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::evaluation::{EvaluationSet, EvaluationSets};
use ingest::{Client, fetch};

struct Bench {
    folder: tempfile::TempDir,
    client: Arc<Client>,
}

impl Bench {
    fn new() -> Self {
        let client = Client::new(&fetch::Config::default(), Mirrors::default()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), client: Arc::new(client) }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn set(&self, name: &str, path: &str, fields: &[&str]) -> EvaluationSet {
        EvaluationSet {
            name: name.to_owned(),
            key: format!("sets.{name}"),
            path: self.folder.path().join(path).to_str().unwrap().to_owned(),
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
        }
    }

    /// Runs listing and reader in a store of this name.
    fn run(
        &self,
        store: &str,
        sets: Vec<EvaluationSet>,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> corpus::Result<Dataset> {
        let store = Store::local(&self.folder.path().join(store)).unwrap();
        let stages = EvaluationSets::new("sets", SourceCode(254), &self.client, sets).stages().0;
        let mut made = run_stages(&store, 1, (observer, cancel), &stages)?;
        Ok(made.remove("sets").unwrap())
    }

    fn dataset(&self, sets: Vec<EvaluationSet>) -> Dataset {
        self.run("store", sets, &Unobserved, &Cancel::default()).unwrap()
    }

    /// Returns why sets are refused.
    fn refusal(&self, sets: Vec<EvaluationSet>) -> String {
        match self.run("refused", sets, &Unobserved, &Cancel::default()).unwrap_err() {
            Error::Settings { detail, .. } => detail,
            error => panic!("{error}"),
        }
    }
}

fn rows(dataset: &Dataset) -> Counts {
    dataset.manifest().report.units["rows"].clone()
}

/// Returns sets and texts of items.
fn items(dataset: &Dataset) -> Vec<(String, String)> {
    let items = dataset.rows(ITEMS).map(Result::unwrap);
    items.map(|item| (item.set, item.text)).collect()
}

#[test]
fn the_rows_of_every_set_become_items_with_its_name_and_their_place() {
    let bench = Bench::new();
    bench.write("mmlu/b.csv", "question,a,b\nwhich one?,this,that\n");
    bench.write("mmlu/a.jsonl", "{\"question\": \"what?\", \"a\": \"it\"}\n");
    bench.write("gsm.jsonl", "\n{\"q\": \"how many?\", \"n\": NaN}\n");
    let sets = vec![bench.set("gsm", "gsm.jsonl", &[]), bench.set("mmlu", "mmlu", &["question", "b"])];
    let dataset = bench.dataset(sets.clone());
    let found: Vec<EvaluationItem> = dataset.rows(ITEMS).map(Result::unwrap).collect();
    let found: Vec<_> = found.iter().map(|item| format!("{} {} {}", item.id, item.set, item.text)).collect();
    let expected =
        ["254:0:1 gsm how many?", "254:1:0 mmlu what?", "254:2:0 mmlu which one?", "254:2:0 mmlu that"];
    assert_eq!(found, expected);
    assert_eq!((rows(&dataset).read, rows(&dataset).kept), (3, 3));
    let files = EvaluationSets::new("sets", SourceCode(254), &bench.client, sets).files().unwrap();
    let ends: Vec<_> = files.iter().map(|file| file.rsplit('/').next().unwrap()).collect();
    assert_eq!(ends, ["gsm.jsonl", "a.jsonl", "b.csv"]);
}

#[test]
fn a_row_that_cannot_be_read_is_failed_and_one_without_text_dropped() {
    let bench = Bench::new();
    bench.write("set.jsonl", "{\"q\": \"one\"}\n{\"q\": \n{\"other\": \"x\"}\n{\"q\": \"two\"}\n");
    let dataset = bench.dataset(vec![bench.set("a", "set.jsonl", &["q"])]);
    let counts = rows(&dataset);
    assert_eq!((counts.read, counts.kept), (4, 2));
    assert_eq!(counts.failed, [("row_broken".to_owned(), 1)].into());
    assert_eq!(counts.dropped, [("no_text".to_owned(), 1)].into());
    let failed: Vec<Removed> = dataset.rows(FAILED).map(Result::unwrap).collect();
    assert_eq!((failed[0].id.position(), failed[0].preview.as_str()), (1, "{\"q\": "));
    assert!(failed[0].url.as_ref().unwrap().ends_with("set.jsonl"), "{failed:?}");
}

#[test]
fn damage_of_a_file_costs_its_rows_alone() {
    let bench = Bench::new();
    let member = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(format!("{{\"q\": \"{text}\"}}\n").as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut broken = member("two");
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    bench.write("set.jsonl.gz", [member("one"), broken, member("three")].concat());
    let dataset = bench.dataset(vec![bench.set("a", "set.jsonl.gz", &[])]);
    let texts: Vec<String> = items(&dataset).into_iter().map(|(_, text)| text).collect();
    assert!(texts.contains(&"one".to_owned()) && texts.contains(&"three".to_owned()), "{texts:?}");
    let counts = rows(&dataset);
    assert_eq!(counts.read, counts.kept + counts.failed_total());
    assert!(counts.failed["file_broken"] > 0, "{counts:?}");
}

#[test]
fn what_cannot_be_used_of_a_set_is_refused_with_key_file_and_what_was_found() {
    let bench = Bench::new();
    bench.write("good.jsonl", "{\"question\": \"one\", \"answer\": \"two\", \"n\": 1}\n");
    bench.write("zip.jsonl", "PK\u{3}\u{4}");
    bench.write("plain.jsonl", "plain text\nwithout rows\n");
    bench.write("numbers.jsonl", "{\"n\": 1}\n");
    bench.write("mixed/a.jsonl", "{\"question\": \"one\"}\n");
    bench.write("mixed/b.jsonl", "plain text\n");
    bench.write("other/readme.md", "no rows");
    bench.write("broken.jsonl", "{\"question\": \"one\"}\n{\"question\": \n");
    bench.write("bare.csv", "what is it,A,B\nwho was that,C,D\n");
    for (path, fields, expected) in [
        ("missing.jsonl", &[][..], &["sets.a.path: no such file or folder: ", "missing.jsonl"][..]),
        ("other", &[], &["sets.a.path: ", "other has 1 .md", "must end with .jsonl"]),
        ("zip.jsonl", &[], &["sets.a.path: ", "zip.jsonl: it is a zip archive", "CSV and TSV"]),
        ("plain.jsonl", &[], &["sets.a.path: ", "plain.jsonl: not one row can be read: row 1: no JSON"]),
        ("mixed", &[], &["sets.a.path: ", "mixed/b.jsonl: not one row can be read"]),
        ("numbers.jsonl", &[], &["sets.a.path: ", "numbers.jsonl has no texts"]),
        ("good.jsonl", &["n"], &["sets.a.path: ", "good.jsonl has no texts in n"]),
        (
            "good.jsonl",
            &["question", "answr"],
            &[
                "sets.a.fields: no row of ",
                "good.jsonl has a field \"answr\"; there are \"answer\", \"n\", \"question\"",
            ],
        ),
        ("broken.jsonl", &["qestion"], &["sets.a.fields: no row of ", "\"qestion\"; there are \"question\""]),
        ("bare.csv", &["question"], &["sets.a.fields: no row of ", "there are \"A\", \"B\", \"what is it\""]),
    ] {
        let refusal = bench.refusal(vec![bench.set("a", path, fields)]);
        assert!(expected.iter().all(|part| refusal.contains(part)), "{path}: {refusal}");
    }
}

#[test]
fn a_run_that_was_stopped_gives_the_same_items() {
    let bench = Bench::new();
    let line = |n: u64| format!("{{\"q\": \"item {n}\"}}\n");
    bench.write("set/a.jsonl", (0..15_000).map(line).collect::<String>() + "{broken\n");
    bench.write("set/b.jsonl", (15_000..45_000).map(line).collect::<String>());
    let sets = || vec![bench.set("a", "set", &["q"])];
    let whole = bench.dataset(sets());
    for records in [10_000, 25_000, 44_000] {
        let (store, stop) = (format!("stopped-{records}"), StopAfter::new(records));
        let stopped = bench.run(&store, sets(), &stop, &stop.cancel);
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        let resumed = bench.run(&store, sets(), &Unobserved, &Cancel::default()).unwrap();
        assert_eq!(resumed.manifest().content, whole.manifest().content);
        assert_eq!(rows(&resumed), rows(&whole));
    }
    assert!(whole.parts(ITEMS).count() > 1, "one range is no test");
}

#[test]
fn a_file_that_changed_after_it_was_listed_is_refused() {
    let bench = Bench::new();
    bench.write("set.jsonl", "{\"q\": \"one\"}\n");
    let store = Store::local(&bench.folder.path().join("store")).unwrap();
    let run = |stage: &dyn Stage, inputs: &Inputs| {
        run_stage(&store, 1, (&Unobserved, &Cancel::default()), stage, inputs)
    };
    let sets = vec![bench.set("a", "set.jsonl", &[])];
    let stages = EvaluationSets::new("sets", SourceCode(254), &bench.client, sets).stages().0;
    let listing = run(stages[0].as_ref(), &Inputs::default()).unwrap();
    bench.write("set.jsonl", "{\"q\": \"another one\"}\n");
    let inputs = Inputs([("sets.files".to_owned(), listing)].into());
    let refused = run(stages[1].as_ref(), &inputs).unwrap_err().to_string();
    assert!(refused.contains("set.jsonl changed since it was listed"), "{refused}");
}
