//! Saved pages run by the engine: files of HTML, and rows that hold it.
#![allow(clippy::unwrap_used, missing_docs)]

use corpus::record::{FAILED, PAGES};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use corpus::Observer;
use corpus::mirror::Mirrors;
use corpus::record::{Page, Removed};
use corpus::stage::Cancel;
use corpus::{Counts, Dataset, Ledger, Store};
use corpus_testing::run_stages;
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{Client, SourceConfig, fetch};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

const PROSE: &str =
    "The sea lies calm under its cliffs, where ships go by in the evening, and nobody counts them.";

fn page(head: &str, name: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>{name}</title>{head}</head><body><article><p>{name} \
         {PROSE}</p><figure><img src='a.png' alt='A quay'></figure></article></body></html>"
    )
}

struct Bench {
    folder: tempfile::TempDir,
    client: Arc<Client>,
    /// Records that were worked on.
    records: AtomicU64,
}

impl Observer for Bench {
    fn advanced(&self, records: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }
}

impl Bench {
    fn new() -> Self {
        let client = Client::new(&fetch::Config::default(), Mirrors::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("pages")).unwrap();
        Self { folder, client: Arc::new(client), records: AtomicU64::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn pages(&self) -> String {
        self.path("pages").to_str().unwrap().to_owned()
    }

    /// Runs listing and reader of a source; returns both datasets.
    fn run(&self, store: &str, config: &Value) -> corpus::Result<(Dataset, Dataset)> {
        let config: SourceConfig = serde_json::from_value(config.clone()).unwrap();
        let store = Store::local(&self.path(store)).unwrap();
        let stages = ingest::stages("saved", &config, &self.client)?;
        let made = run_stages(&store, 2, (self, &Cancel::default()), &stages)?;
        Ok((made["saved.files"].clone(), made["saved"].clone()))
    }

    fn dataset(&self, config: &Value) -> Dataset {
        self.run("store", config).unwrap().1
    }
}

fn counts(dataset: &Dataset) -> Counts {
    dataset.manifest().report.units["pages"].clone()
}

fn pages(dataset: &Dataset) -> Vec<Page> {
    dataset.rows(PAGES).map(Result::unwrap).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_folder_of_pages_is_read_as_archives_are() {
    let bench = Bench::new();
    fs::create_dir(bench.path("pages/below")).unwrap();
    let canonical = "<link rel=canonical href='https://h.example/a/'>";
    bench.write("pages/1-canonical.html", page(canonical, "one"));
    bench.write("pages/2-none.HTM", page("", "two"));
    bench.write("pages/3-sidecar.xhtml.gz", gzip(page(canonical, "three").as_bytes()));
    bench.write("pages/3-sidecar.xhtml.url", "https://beside.example/three\n");
    bench.write("pages/4-object.html", page("", "four"));
    bench.write("pages/4-object.html.json", "{\"url\": \"https://beside.example/four\"}");
    let narrow: Vec<u8> =
        page("", "f\u{fc}nf").replace("utf-8", "iso-8859-1").chars().map(|c| c as u8).collect();
    bench.write("pages/below/5-latin.html", narrow);
    bench.write("pages/6.html", "%PDF-1.4 not a page");
    bench.write(
        "pages/7.mhtml",
        "From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n",
    );
    bench.write("pages/8.html", "");
    bench.write("pages/9.html.gz", &gzip(page("", "nine").as_bytes())[..60]);
    bench.write("pages/9-empty.html", "<div id=app></div><script>run()</script>");
    for leftover in [".hidden.html", "._a.html", "a.html.part", "notes.csv"] {
        bench.write(&format!("pages/{leftover}"), page("", "left"));
    }
    let dataset = bench.dataset(&json!({"code": 5, "path": bench.pages(), "format": {"html": {}}}));
    let found = counts(&dataset);
    assert_eq!((found.read, found.kept), (10, 5));
    assert_eq!(found.dropped, BTreeMap::from([("no_text".to_owned(), 1)]));
    let failed =
        [("file_broken", 1), ("file_empty", 1), ("mime", 2)].map(|(reason, n)| (reason.to_owned(), n));
    assert_eq!(found.failed, BTreeMap::from(failed));
    let pages = pages(&dataset);
    let shown: Vec<_> = pages
        .iter()
        .map(|page| (page.id.to_string(), page.title.as_str(), page.url.as_deref().unwrap_or("none")))
        .collect();
    assert_eq!(
        shown,
        [
            ("5:0:0".to_owned(), "one", "https://h.example/a/"),
            ("5:1:0".to_owned(), "two", "none"),
            ("5:2:0".to_owned(), "three", "https://beside.example/three"),
            ("5:3:0".to_owned(), "four", "https://beside.example/four"),
            ("5:9:0".to_owned(), "f\u{fc}nf", "none"),
        ]
    );
    assert_eq!(pages[0].text(), format!("one {PROSE}"));
    assert_eq!(pages[0].segments[1].url.as_deref(), Some("https://h.example/a/a.png"));
    assert!(pages[1].key.as_deref().unwrap().ends_with("pages/2-none.HTM"));
    assert_eq!(pages[4].charset, "windows-1252");
    let failed: Vec<Removed> = dataset.rows(FAILED).map(Result::unwrap).collect();
    let mhtml = failed.iter().find(|row| row.key.as_deref().unwrap().ends_with("7.mhtml")).unwrap();
    assert!(mhtml.value.contains("MHTML"), "{}", mhtml.value);
}

#[test]
fn what_cannot_be_a_source_of_pages_is_refused_by_name() {
    let bench = Bench::new();
    let refused = |name: &str, format: Value| {
        let file = bench.write(name, "x");
        let error = bench.run("store", &json!({"code": 5, "path": file, "format": format})).unwrap_err();
        error.to_string()
    };
    assert!(refused("a.mht", json!({"html": {}})).contains("MHTML, which is not read"));
    assert!(refused("a.warc.gz", json!({"html": {}})).contains("format.crawl = {}"));
    assert!(refused("a.html", json!({"html": {"column": "html"}})).contains("format.html = {}"));
    assert!(refused("a.html", json!({"rows": {}})).contains("format.html = {}"));
    assert!(refused("a.jsonl", json!({"html": {}})).contains("is JSON"));
    let error = refused("b.html", json!({"html": {"url": "url"}}));
    assert!(error.contains("format.html.url names a column, but format.html.column"), "{error}");
    let error =
        bench.run("store", &json!({"code": 5, "path": bench.pages(), "format": {"html": {}}})).unwrap_err();
    assert!(
        error.to_string().contains("is empty; names of files must end with .html .htm .xhtml"),
        "{error}"
    );
}

#[test]
fn many_pages_are_few_tasks_and_a_page_that_is_added_leaves_the_others() {
    let bench = Bench::new();
    let count = 1_000;
    (0..count).for_each(|n| drop(bench.write(&format!("pages/{n:05}.html"), page("", &format!("page {n}")))));
    let config = json!({"code": 5, "path": bench.pages(), "format": {"html": {}}});
    let (files, dataset) = bench.run("store", &config).unwrap();
    assert_eq!((dataset.manifest().task_count, counts(&dataset).kept), (4, count));
    let ids: Vec<u32> = pages(&dataset).iter().map(|page| page.id.file()).collect();
    assert_eq!(ids, (0..count as u32).collect::<Vec<_>>());
    // Another folder gives the same bytes, whoever works on it.
    let digests = |dataset: &Dataset| -> Vec<String> {
        dataset.parts(PAGES).map(|part| part.unwrap().digest.to_string()).collect()
    };
    assert_eq!(digests(&bench.run("other", &config).unwrap().1), digests(&dataset));
    // A page behind the others: the last task alone is run again.
    bench.write("pages/99999.html", page("", "the last"));
    let store = Store::local(&bench.path("store")).unwrap();
    let ledger = Ledger::new(store);
    ledger.supersede("saved.files", &files.manifest().fingerprint).unwrap();
    bench.records.store(0, Ordering::Relaxed);
    let (_, grown) = bench.run("store", &config).unwrap();
    assert_eq!(counts(&grown).kept, count + 1);
    let listed = count + 1;
    assert_eq!(
        bench.records.load(Ordering::Relaxed),
        listed + (count % 256) + 1,
        "the listing and the last task"
    );
}

#[test]
fn wildcards_name_files_of_one_folder() {
    let bench = Bench::new();
    for name in ["pages/a1.html", "pages/a2.html", "pages/b1.html", "pages/.a3.html"] {
        bench.write(name, page("", name));
    }
    fs::create_dir(bench.path("pages/a4.html")).unwrap();
    bench.write("pages/a4.html/c.html", page("", "of a folder"));
    let files = [format!("{}/a*.html", bench.pages()), format!("{}/b?.html", bench.pages())];
    let (listed, dataset) =
        bench.run("store", &json!({"code": 5, "files": files, "format": {"html": {}}})).unwrap();
    assert_eq!(listed.manifest().report.units["files"].kept, 4);
    let titles: Vec<String> = pages(&dataset).into_iter().map(|page| page.title).collect();
    assert_eq!(titles, ["pages/a1.html", "pages/a2.html", "of a folder", "pages/b1.html"]);
    let none = json!({"code": 5, "files": [format!("{}/c*", bench.pages())], "format": {"html": {}}});
    let error = bench.run("none", &none).unwrap_err().to_string();
    assert!(error.contains("no file fits") && error.contains("/c*"), "{error}");
}

#[test]
fn sidecars_are_noted_with_the_files_that_they_are_beside() {
    let bench = Bench::new();
    bench.write("pages/a.html", page("", "a"));
    let sidecar = bench.write("pages/a.html.url", "https://h.example/a");
    let config = json!({"code": 5, "path": bench.pages(), "format": {"html": {}}});
    let (files, _) = bench.run("store", &config).unwrap();
    let ledger = Ledger::new(Store::local(&bench.path("store")).unwrap());
    let manifest = files.manifest();
    let entries = ledger.entries(&manifest.stage, &manifest.fingerprint, 0).unwrap();
    let states: Vec<_> = entries.into_iter().flat_map(|entry| entry.context.files).collect();
    assert_eq!(states.len(), 2);
    assert_eq!(ingest::changed_files(&bench.client, &states, false).unwrap(), []);
    fs::write(&sidecar, "https://h.example/another").unwrap();
    let changed = ingest::changed_files(&bench.client, &states, false).unwrap();
    assert_eq!(changed.iter().map(|change| change.url.as_str()).collect::<Vec<_>>(), [sidecar]);
}

/// Rows of HTML: the first states its URL, the second is given one, the third has no text.
fn rows() -> [(&'static str, String, &'static str); 3] {
    [
        ("r1", page("<link rel=canonical href='https://h.example/stated'>", "stated"), ""),
        (
            "r2",
            page("<link rel=canonical href='https://h.example/other'>", "given"),
            "https://h.example/given",
        ),
        ("r3", String::new(), "https://h.example/empty"),
    ]
}

fn check_rows(dataset: &Dataset) {
    let found = counts(dataset);
    assert_eq!((found.read, found.kept), (3, 2));
    assert_eq!(found.failed, BTreeMap::from([("no_text".to_owned(), 1)]));
    let pages = pages(dataset);
    let shown: Vec<_> = pages
        .iter()
        .map(|page| (page.id.position(), page.key.as_deref().unwrap(), page.url.as_deref().unwrap()))
        .collect();
    assert_eq!(shown, [(0, "r1", "https://h.example/stated"), (1, "r2", "https://h.example/given")]);
    assert_eq!(pages[1].text(), format!("given {PROSE}"));
    assert_eq!(pages[1].segments[1].url.as_deref(), Some("https://h.example/a.png"));
}

#[test]
fn rows_that_hold_html_are_pages_in_every_format() {
    let bench = Bench::new();
    let lines: String = rows()
        .iter()
        .map(|(id, html, url)| json!({"id": id, "body": html, "link": url}).to_string() + "\n")
        .collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let table: String = rows()
        .iter()
        .map(|(id, html, url)| [quoted(id), quoted(html), quoted(url)].join(",") + "\n")
        .collect();
    let strings = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("id", strings(rows().iter().map(|row| row.0.to_owned()).collect())),
        ("body", strings(rows().iter().map(|row| row.1.clone()).collect())),
        ("link", strings(rows().iter().map(|row| row.2.to_owned()).collect())),
    ])
    .unwrap();
    let mut parquet = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    for (name, bytes) in [
        ("a.jsonl", lines.clone().into_bytes()),
        ("a.jsonl.gz", gzip(lines.as_bytes())),
        ("a.csv", format!("id,body,link\n{table}").into_bytes()),
        ("a.parquet", parquet),
    ] {
        let path = bench.write(name, bytes);
        let format = json!({"html": {"column": "body", "url": "link"}});
        check_rows(
            &bench
                .run(&format!("{name}.store"), &json!({"code": 5, "path": path, "format": format}))
                .unwrap()
                .1,
        );
    }
}

#[test]
fn bytes_of_a_column_are_decoded_and_texts_are_not_decoded_again() {
    let bench = Bench::new();
    let html = page("", "Gr\u{fc}\u{df}e").replace("utf-8", "iso-8859-1");
    let narrow: Vec<u8> = html.chars().map(|c| c as u8).collect();
    for (name, column) in [
        ("bytes", Arc::new(BinaryArray::from_vec(vec![&narrow])) as ArrayRef),
        ("text", Arc::new(StringArray::from(vec![html.clone()])) as ArrayRef),
    ] {
        let batch = RecordBatch::try_from_iter([("html", column)]).unwrap();
        let mut parquet = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let path = bench.write(&format!("{name}.parquet"), parquet);
        let format = json!({"html": {"column": "html"}});
        let (_, dataset) = bench.run(name, &json!({"code": 5, "path": path, "format": format})).unwrap();
        let pages = pages(&dataset);
        assert_eq!((pages[0].title.as_str(), pages[0].url.clone()), ("Gr\u{fc}\u{df}e", None), "{name}");
    }
}

#[test]
fn a_small_file_of_many_costly_pages_is_left_where_they_cost_too_much() {
    let bench = Bench::new();
    let costly = "<p>x".repeat(100_000);
    let line = json!({ "html": costly }).to_string() + "\n";
    let path = bench.write("bomb.jsonl.gz", gzip(line.repeat(200).as_bytes()));
    let config = json!({"code": 5, "path": path, "format": {"html": {"column": "html"}}});
    let found = counts(&bench.run("bomb", &config).unwrap().1);
    assert_eq!(found.read, 200);
    assert!(found.failed["inflated"] >= 180, "{found:?}");
}
