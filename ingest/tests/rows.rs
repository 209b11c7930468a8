//! Rows as other programs write them, through sources to sealed tables.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use corpus::record::{DOCUMENTS, FAILED, PAIRS};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use corpus::mirror::Mirrors;
use corpus::observer::Unobserved;
use corpus::record::{Document, Pair, Removed};
use corpus::stage::Cancel;
use corpus::{Dataset, Store};
use corpus_testing::run_stages;
use ingest::{Client, SourceConfig, fetch};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> String {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.file(name, bytes)
    }

    /// Reads files as a source.
    fn read(&self, format: &Value, files: &[String]) -> corpus::Result<Dataset> {
        let config = json!({"code": 1, "files": files, "format": format});
        let config: SourceConfig = serde_json::from_value(config).unwrap();
        let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
        let store = &Store::local(&self.0.path().join("run")).unwrap();
        let stages = ingest::stages("src", &config, &client)?;
        let mut made = run_stages(store, 1, (&Unobserved, &Cancel::default()), &stages)?;
        Ok(made.remove("src").unwrap())
    }

    fn documents(&self, format: &Value, file: &str) -> Vec<Document> {
        let dataset = self.read(format, &[file.to_owned()]).unwrap();
        dataset.rows(DOCUMENTS).map(Result::unwrap).collect()
    }

    fn pairs(&self, file: &str) -> Vec<Pair> {
        self.read(&lists(), &[file.to_owned()]).unwrap().rows(PAIRS).map(Result::unwrap).collect()
    }
}

fn lists() -> Value {
    json!({"pairs": {"layout": {"columns": {}}}})
}

fn failed(dataset: &Dataset) -> Vec<Removed> {
    dataset.rows(FAILED).map(Result::unwrap).collect()
}

#[test]
fn objects_in_one_line_are_documents_with_positions_of_their_own() {
    let bench = Bench::new();
    let object = |n: usize| format!("{{\"text\": \"t{n}\"}}");
    let lines = [
        object(0),
        object(1) + &object(2),
        String::new(),
        object(3) + "\r{\"text\": \"x\r" + &object(4),
        object(5),
    ];
    let sequence: String = (0..3).map(|n| format!("\x1e{}\n", object(n))).collect();
    let placed = |documents: Vec<Document>| -> Vec<(u64, String)> {
        documents.into_iter().map(|document| (document.id.position(), document.text)).collect()
    };
    let expected = |places: &[(u64, usize)]| -> Vec<(u64, String)> {
        places.iter().map(|(position, n)| (*position, format!("t{n}"))).collect()
    };
    let format = json!({"rows": {}});
    let found = bench.documents(&format, &bench.file("a.jsonl", lines.join("\n")));
    assert_eq!(placed(found), expected(&[(0, 0), (1, 1), (2, 2), (4, 3), (6, 4), (7, 5)]));
    let found = bench.documents(&format, &bench.file("b.jsonl", sequence));
    assert_eq!(placed(found), expected(&[(0, 0), (1, 1), (2, 2)]));
    let returns: Vec<String> = (0..3).map(object).collect();
    let found = bench.documents(&format, &bench.file("c.jsonl", returns.join("\r")));
    assert_eq!(placed(found), expected(&[(0, 0), (1, 1), (2, 2)]));
    let text = bench.documents(&json!({"text": {}}), &bench.file("d.txt", "t0\rt1\r\rt2\r"));
    assert_eq!(placed(text), expected(&[(0, 0), (1, 1), (3, 2)]));
}

#[test]
fn a_page_that_a_server_sent_in_place_of_a_list_is_failed_by_name() {
    let bench = Bench::new();
    let page = "<!DOCTYPE html>\n<html><head><title>404</title></head>\n<body>Not found</body></html>\n";
    let files = [
        bench.file("a.txt", page),
        bench.file("b.txt", "http://h.example/1\nhttp://h.example/2\n"),
        bench.file("c.csv", page),
        bench.file("d.jsonl", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>\n"),
    ];
    let dataset = bench.read(&lists(), &files).unwrap();
    assert_eq!(dataset.rows(PAIRS).count(), 2);
    let failed = failed(&dataset);
    for (file, what) in [(0, "a page of HTML"), (2, "a page of HTML"), (3, "an error in XML")] {
        let told = failed.iter().filter(|row| row.url.as_deref() == Some(&files[file]));
        let told: Vec<_> = told.map(|row| (row.reason.as_str(), row.value.contains(what))).collect();
        // The second is that of the file among the files.
        assert_eq!(told, [("file_broken", true), ("file_broken", false)], "{failed:?}");
    }
    // As a text it is one.
    assert_eq!(bench.documents(&json!({"text": {}}), &files[0]).len(), 3);
}

#[test]
fn a_cell_that_cannot_be_read_is_shown_with_its_row() {
    let bench = Bench::new();
    let captions: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"one", b"caf\xe9 noir"]));
    let urls: ArrayRef = Arc::new(StringArray::from(vec!["http://h.example/1", "http://h.example/2"]));
    let file = bench.parquet("a.parquet", vec![("url", urls), ("caption", captions.clone())]);
    let failed_pairs = failed(&bench.read(&lists(), &[file]).unwrap());
    assert_eq!(failed_pairs[0].preview, "http://h.example/2\tcaf\u{fffd} noir");
    // A text is mended and counted, as in JSON.
    let file = bench.parquet("b.parquet", vec![("text", captions)]);
    let dataset = bench.read(&json!({"rows": {}}), &[file]).unwrap();
    let texts: Vec<String> = dataset.rows(DOCUMENTS).map(|row| row.unwrap().text).collect();
    assert_eq!(texts, ["one", "caf\u{fffd} noir"]);
    assert_eq!(dataset.manifest().report.units["documents_with_replacements"].kept, 1);
}

#[test]
fn lists_of_texts_are_texts_however_they_are_stored_and_other_lists_are_refused() {
    let bench = Bench::new();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c", "d"]));
    let item = || Arc::new(Field::new("item", DataType::Utf8, true));
    let fixed = FixedSizeListArray::new(item(), 2, texts.clone(), None);
    let plain = ListArray::new(item(), OffsetBuffer::from_lengths([2, 2]), texts, None);
    let columns: [ArrayRef; 2] = [Arc::new(fixed), Arc::new(plain)];
    for (name, column) in ["a.parquet", "b.parquet"].into_iter().zip(columns) {
        let file = bench.parquet(name, vec![("text", column)]);
        let found: Vec<String> =
            bench.documents(&json!({"rows": {}}), &file).into_iter().map(|document| document.text).collect();
        assert_eq!(found, ["a\nb", "c\nd"]);
    }
    let numbers: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(2)])]));
    let file = bench.parquet("c.parquet", vec![("text", numbers)]);
    let refused = bench.read(&json!({"rows": {}}), &[file]).unwrap_err().to_string();
    assert!(refused.contains("\"text\"") && refused.contains("lists"), "{refused}");
}

#[test]
fn numbers_are_the_same_texts_in_json_and_parquet() {
    let bench = Bench::new();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["t", "u"]));
    let columns: [(&str, ArrayRef, [&str; 2], [&str; 2]); 3] = [
        (
            "int",
            Arc::new(Int64Array::from(vec![1, i64::MIN])),
            ["1", "-9223372036854775808"],
            ["1", "-9223372036854775808"],
        ),
        ("double", Arc::new(Float64Array::from(vec![1.0, 2.5e-3])), ["1.0", "2.50e-3"], ["1", "0.0025"]),
        ("float", Arc::new(Float32Array::from(vec![0.1, 1e10])), ["0.1", "1e+10"], ["0.1", "10000000000"]),
    ];
    for (name, column, digits, expected) in columns {
        let format = json!({"rows": {"id": "n", "date": "n"}});
        let shown = |documents: Vec<Document>| -> Vec<(Option<String>, Option<String>)> {
            documents.into_iter().map(|document| (document.key, document.date)).collect()
        };
        let both = expected.map(|text| (Some(text.to_owned()), Some(text.to_owned())));
        let parquet =
            bench.parquet(&format!("{name}.parquet"), vec![("text", text.clone()), ("n", column.clone())]);
        assert_eq!(shown(bench.documents(&format, &parquet)), both, "{name}");
        let lines = digits.map(|digits| format!("{{\"text\": \"t\", \"n\": {digits}}}\n")).concat();
        let json = bench.file(&format!("{name}.jsonl"), lines);
        assert_eq!(shown(bench.documents(&format, &json)), both, "{name}");
        let captions =
            |pairs: Vec<Pair>| -> Vec<String> { pairs.into_iter().map(|pair| pair.caption).collect() };
        let parquet =
            bench.parquet(&format!("{name}-pairs.parquet"), vec![("url", text.clone()), ("caption", column)]);
        assert_eq!(captions(bench.pairs(&parquet)), expected, "{name}");
        let lines = digits.map(|digits| format!("{{\"url\": \"t\", \"caption\": {digits}}}\n")).concat();
        assert_eq!(
            captions(bench.pairs(&bench.file(&format!("{name}-pairs.jsonl"), lines))),
            expected,
            "{name}"
        );
    }
}
