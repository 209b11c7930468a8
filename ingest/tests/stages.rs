//! Sources run by the engine, from configuration to sealed tables, on local files.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use corpus::record::{DOCUMENTS, FAILED, PAGES, PAIRS};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use corpus::mirror::Mirrors;
use corpus::observer::{Observer, Unobserved};
use corpus::record::{Document, Page, Pair, Removed};
use corpus::stage::Cancel;
use corpus::{Counts, Dataset, Error, Store};
use corpus_testing::{StopAfter, run_stages};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{Client, SourceConfig, fetch};
use serde_json::{Value, json};

struct Bench {
    folder: tempfile::TempDir,
    client: Arc<Client>,
}

impl Bench {
    fn new() -> Self {
        let client = Client::new(&fetch::Config::default(), Mirrors::default()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), client: Arc::new(client) }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn store(&self, name: &str) -> Store {
        Store::local(&self.folder.path().join(name)).unwrap()
    }

    /// Runs listing and reader of a source; returns the reader's dataset.
    fn run(
        &self,
        store: &Store,
        config: &Value,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> corpus::Result<Dataset> {
        let config: SourceConfig = serde_json::from_value(config.clone()).unwrap();
        let stages = ingest::stages("src", &config, &self.client)?;
        let mut made = run_stages(store, 2, (observer, cancel), &stages)?;
        Ok(made.remove("src").unwrap())
    }

    fn dataset(&self, config: &Value) -> Dataset {
        self.run(&self.store("store"), config, &Unobserved, &Cancel::default()).unwrap()
    }
}

fn counts(dataset: &Dataset, unit: &str) -> Counts {
    dataset.manifest().report.units[unit].clone()
}

fn tally(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
}

#[test]
fn the_pile_keeps_its_sets_and_names_what_is_broken() {
    let bench = Bench::new();
    let line = |text: &str, set: &str| format!("{}\n", json!({"text": text, "meta": {"pile_set_name": set}}));
    let lines = [
        line("one", "Pile-CC"),
        line("code", "Github"),
        "{broken\n".to_owned(),
        "{\"meta\":{}}\n".to_owned(),
        format!("\"{}\"\n", "x".repeat(17 << 20)),
        "\n".to_owned(),
        line("two", "Books3"),
    ];
    bench.file("00.jsonl.zst", &zstd::encode_all(lines.concat().as_bytes(), 1).unwrap());
    let pattern = bench.file("01.jsonl.zst", &zstd::encode_all(&b""[..], 1).unwrap());
    let dataset = bench.dataset(&json!({
        "code": 7,
        "files": [pattern.replace("01.", "{00..01}.")],
        "format": {"pile": {"sets": ["Pile-CC", "Books3"]}},
    }));
    let found = counts(&dataset, "documents");
    assert_eq!((found.read, found.kept), (6, 2));
    assert_eq!(found.dropped, tally(&[("set", 1)]));
    assert_eq!(found.failed, tally(&[("json", 1), ("line_too_long", 1), ("no_text", 1)]));
    let documents: Vec<Document> = dataset.rows(DOCUMENTS).map(Result::unwrap).collect();
    let seen: Vec<_> =
        documents.iter().map(|d| (d.id.to_string(), d.source.as_str(), d.text.as_str())).collect();
    assert_eq!(seen, [("7:0:0".into(), "Pile-CC", "one"), ("7:0:6".into(), "Books3", "two")]);
}

#[test]
fn jsonl_text_and_blocks_become_documents() {
    let bench = Bench::new();
    let jsonl = bench.file("a.jsonl", b"{\"body\":\"t\",\"url\":\"u\"}\n");
    let text = bench.file("a.txt", b"one\ntwo\n\nthree\n");
    let texts = |format: Value, file: &str| -> Vec<String> {
        let dataset = bench.dataset(&json!({"code": 1, "files": [file], "format": format}));
        dataset.rows(DOCUMENTS).map(|d| d.unwrap().text).collect()
    };
    assert_eq!(texts(json!({"rows": {"text": "body", "url": "url"}}), &jsonl), ["t"]);
    assert_eq!(texts(json!({"text": {}}), &text), ["one", "two", "three"]);
    let blocks = json!({"text": {"separator": "blank_line"}});
    assert_eq!(texts(blocks, &text), ["one\ntwo", "three"]);
}

#[test]
fn conceptual_captions_fail_row_by_row() {
    let bench = Bench::new();
    let file = bench.file("cc12m.tsv", b"http://h/1\ta dog\nhttp://h/2\t\n\ta cat\nno tab\n\xff\t\xff\n");
    let dataset =
        bench.dataset(&json!({"code": 9, "files": [file], "format": {"pairs": {"layout": "cc12m"}}}));
    let found = counts(&dataset, "pairs");
    assert_eq!((found.read, found.kept), (5, 1));
    assert_eq!(found.failed, tally(&[("no_caption", 1), ("no_url", 1), ("row_broken", 2)]));
    let pairs: Vec<Pair> = dataset.rows(PAIRS).map(Result::unwrap).collect();
    assert_eq!((pairs[0].url.as_str(), pairs[0].caption.as_str()), ("http://h/1", "a dog"));
}

fn member(url: &str, http: &str) -> Vec<u8> {
    let length = http.len();
    let record = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2020-11-23T15:00:00Z\r\nWARC-Target-URI: {url}\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n{http}\r\n\r\n"
    );
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(record.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_crawl_becomes_pages_through_its_list_of_paths() {
    let bench = Bench::new();
    let page = |head: &str, body: &str| {
        format!("HTTP/1.1 {head}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}")
    };
    let html =
        "<title>T</title><article><p>A caf\u{e9} by the sea, where ships go by.</p><img src=a.png></article>";
    let mut members = vec![
        member("http://h/good", &page("200 OK", html)),
        member("http://h/gone", &page("404 Not Found", html)),
        member("http://h/empty", &page("200 OK", "<div id=app></div><script>run()</script>")),
        member("http://h/png", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nPNG"),
        member("http://h/odd", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-2022-kr\r\n\r\nx"),
        member(
            "http://h/br",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\n\r\n\u{1}\u{2}\u{3}",
        ),
        member("http://h/raw", "not http"),
        member("http://h/lost", &page("200 OK", html)),
        member("http://h/last", &page("200 OK", html)),
    ];
    let half = members[7].len() / 2;
    members[7].truncate(half);
    bench.file("1.warc.gz", &members.concat());
    let list = bench.file("warc.paths", b"1.warc.gz\nmissing.warc.gz\n");
    let prefix = format!("{}/", Path::new(&list).parent().unwrap().to_str().unwrap());
    let dataset = bench.dataset(&json!({
        "code": 2, "files": [list], "format": {"crawl": {"prefix": prefix, "files_max": 1}},
    }));
    let found = counts(&dataset, "records");
    assert_eq!((found.read, found.kept), (9, 2));
    assert_eq!(found.dropped, tally(&[("mime", 1), ("no_text", 1), ("status", 1)]));
    let failed = [("charset", 1), ("encoding_broken", 1), ("gzip_broken", 1), ("http_broken", 1)];
    assert_eq!(found.failed, tally(&failed));
    let pages: Vec<Page> = dataset.rows(PAGES).map(Result::unwrap).collect();
    assert_eq!(pages[0].text(), "A caf\u{e9} by the sea, where ships go by.");
    assert_eq!(pages[0].segments[1].url.as_deref(), Some("http://h/a.png"));
    assert_eq!((pages[0].id.position(), pages[0].title.as_str()), (0, "T"));
    let begin: usize = members[..8].iter().map(Vec::len).sum();
    assert_eq!(pages[1].id.position(), begin as u64);
    let failed: Vec<Removed> = dataset.rows(FAILED).map(Result::unwrap).collect();
    assert!(failed.iter().any(|row| row.value.ends_with(&format!("{half} bytes lost"))));
}

#[test]
fn a_stopped_source_goes_on_and_ends_with_the_same_bytes() {
    let bench = Bench::new();
    let lines: String = (0..45_000).map(|n| format!("{{\"text\":\"document {n}\"}}\n")).collect();
    let file = bench.file("a.jsonl", lines.as_bytes());
    let config = json!({"code": 1, "files": [file], "format": {"rows": {}}});
    let whole = bench.dataset(&config);
    let store = bench.store("stopped");
    let stop = StopAfter::new(25_000);
    let stopped = bench.run(&store, &config, &stop, &stop.cancel);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    let rest = StopAfter::new(u64::MAX);
    let resumed = bench.run(&store, &config, &rest, &Cancel::default()).unwrap();
    assert!(rest.seen() <= 25_000, "committed records are not read again");
    let digests = |dataset: &Dataset| -> Vec<String> {
        dataset.parts(DOCUMENTS).map(|part| part.unwrap().path).collect()
    };
    assert_eq!(digests(&whole), digests(&resumed));
    assert_eq!(counts(&resumed, "documents").kept, 45_000);
}

#[test]
fn a_cut_file_keeps_the_records_before_the_cut_and_counts_it_once() {
    let bench = Bench::new();
    let lines: String =
        (0..30_000).map(|n| format!("{{\"text\":\"{n} {:x}\"}}\n", n * 7_919 % 104_729)).collect();
    let cut = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    let file = bench.file("cut.jsonl.zst", &cut[..cut.len() - 5]);
    let config = json!({"code": 1, "files": [file], "format": {"rows": {}}});
    let whole = bench.dataset(&config);
    let found = counts(&whole, "documents");
    assert_eq!(found.failed, tally(&[("file_broken", 1)]));
    assert!(found.kept > 20_000 && found.read == found.kept + 1);
    assert!(!whole.manifest().report.units.contains_key("files"));
    // A range ends before the damage: the second attempt meets it where the first would have.
    let store = bench.store("stopped");
    let stop = StopAfter::new(20_500);
    assert!(matches!(bench.run(&store, &config, &stop, &stop.cancel), Err(Error::Cancelled)));
    let resumed = bench.run(&store, &config, &Unobserved, &Cancel::default()).unwrap();
    assert_eq!(resumed.manifest(), whole.manifest());
}
