//! A snapshot of a crawl on a server with ranges and faults: read whole, selected, kept on disk.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use corpus::record::{DOCUMENTS, PAGES};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{Int16Array, Int32Array, RecordBatch, StringArray};
use corpus::mirror::Mirrors;
use corpus::observer::Unobserved;
use corpus::record::{Document, Page};
use corpus::stage::Cancel;
use corpus::{Counts, Dataset, Store};
use corpus_testing::run_stages;
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{Client, SourceConfig, fetch};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

const NAME: &str = "CC-MAIN-2020-50";
const BASE: &str = "https://data.commoncrawl.org/";

/// Serves a folder with ranges; fails every third request with 503 and cuts every fourth body.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (root, seen) = (folder.path().to_owned(), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (root, seen) = (root.clone(), seen.clone());
                std::thread::spawn(move || serve(&root, &seen, stream.unwrap()));
            }
        });
        Self { folder, port, requests }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn client(&self) -> Arc<Client> {
        let config = fetch::Config { retry_wait_secs: 0.001, ..fetch::Config::default() };
        let host = format!("http://127.0.0.1:{}/", self.port);
        Arc::new(Client::new(&config, Mirrors(BTreeMap::from([(BASE.to_owned(), host)]))).unwrap())
    }

    fn requests_of(&self, part: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|head| head.contains(part)).count()
    }
}

fn serve(root: &Path, seen: &Mutex<Vec<String>>, mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let count = {
        let mut seen = seen.lock().unwrap();
        seen.push(head.clone());
        seen.len()
    };
    if count.is_multiple_of(3) {
        let _ = stream.write_all(
            b"HTTP/1.1 503 Slow Down\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
        return;
    }
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let Ok(file) = fs::read(root.join(path)) else {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let range = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let (status, begin, end) = match range.as_deref().and_then(|range| range.split_once('-')) {
        Some((begin, last)) => {
            let end = last.parse::<usize>().map_or(file.len(), |last| (last + 1).min(file.len()));
            ("206 Partial Content", begin.parse().unwrap(), end)
        }
        None => ("200 OK", 0, file.len()),
    };
    if begin >= file.len() {
        let length = file.len();
        let _ = write!(
            stream,
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{length}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        return;
    }
    let body = &file[begin..end];
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {begin}-{}/{}\r\nConnection: close\r\n\r\n",
        body.len(),
        end.saturating_sub(1),
        file.len()
    );
    let sent = if count.is_multiple_of(4) { body.len() / 2 } else { body.len() };
    let _ = stream.write_all(&body[..sent]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn record(kind: &str, mime: &str, url: &str, block: &str) -> Vec<u8> {
    gzip(
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2020-11-23T15:00:00Z\r\nWARC-Target-URI: {url}\r\n\
             Content-Type: {mime}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
            block.len()
        )
        .as_bytes(),
    )
}

fn page(number: usize) -> (String, Vec<u8>) {
    let url = format!("http://h{number}.example/{number}");
    let text = format!(
        "<title>{number}</title><article><p>This is page {number}, and the sea lies calm under its cliffs, where ships go by in the evening.</p></article>"
    );
    let http = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{text}");
    (url.clone(), record("response", "application/http; msgtype=response", &url, &http))
}

/// URL, status, languages, archive, offset and length.
type IndexRow = (String, i16, Option<String>, String, i32, i32);

/// Writes a snapshot of two archives and its index in two parts; returns the number of pages.
fn snapshot(server: &Server) -> usize {
    let mut rows: Vec<IndexRow> = Vec::new();
    let mut paths = Vec::new();
    for archive in 0..2 {
        let path = format!("crawl-data/{NAME}/segments/1/warc/{archive}.warc.gz");
        let mut bytes = record("warcinfo", "application/warc-fields", "", "software: test");
        for number in 0..30 {
            let (url, member) = page(archive * 30 + number);
            let language = if number % 3 == 0 { "deu,eng" } else { "eng" };
            let status = if number == 7 { 404 } else { 200 };
            rows.push((
                url,
                status,
                Some(language.to_owned()),
                path.clone(),
                bytes.len() as i32,
                member.len() as i32,
            ));
            bytes.extend(member);
        }
        fs::write(server.path(&path), bytes).unwrap();
        paths.push(path);
    }
    let list = |paths: &[String]| gzip((paths.join("\n") + "\n").as_bytes());
    fs::write(server.path(&format!("crawl-data/{NAME}/warc.paths.gz")), list(&paths)).unwrap();
    rows.sort();
    let mut parts = vec![format!("cc-index/table/cc-main/warc/crawl={NAME}/subset=robotstxt/part-0.parquet")];
    for (number, rows) in rows.chunks(40).enumerate() {
        let part = format!("cc-index/table/cc-main/warc/crawl={NAME}/subset=warc/part-{number}.parquet");
        let text = |of: fn(&IndexRow) -> Option<String>| -> Arc<StringArray> {
            Arc::new(rows.iter().map(of).collect())
        };
        let offsets: Int32Array = rows.iter().map(|row| Some(row.4)).collect();
        let lengths: Int32Array = rows.iter().map(|row| Some(row.5)).collect();
        let status: Int16Array = rows.iter().map(|row| Some(row.1)).collect();
        let batch = RecordBatch::try_from_iter([
            ("url", text(|row| Some(row.0.clone())) as Arc<dyn arrow::array::Array>),
            ("fetch_status", Arc::new(status)),
            ("content_languages", text(|row| row.2.clone())),
            ("content_mime_detected", text(|_| Some("text/html".to_owned()))),
            ("warc_filename", text(|row| Some(row.3.clone()))),
            ("warc_record_offset", Arc::new(offsets)),
            ("warc_record_length", Arc::new(lengths)),
        ])
        .unwrap();
        let file = fs::File::create(server.path(&part)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        parts.push(part);
    }
    fs::write(server.path(&format!("crawl-data/{NAME}/cc-index-table.paths.gz")), list(&parts)).unwrap();
    rows.len()
}

/// Runs all stages of a source; returns their datasets by name.
fn run(client: &Arc<Client>, folder: &Path, format: Value, files: Value) -> BTreeMap<String, Dataset> {
    let config: SourceConfig =
        serde_json::from_value(json!({"code": 2, "files": files, "format": {"crawl": format}})).unwrap();
    let store = Store::local(folder).unwrap();
    let stages = ingest::stages("src", &config, client).unwrap();
    run_stages(&store, 2, (&Unobserved, &Cancel::default()), &stages).unwrap()
}

fn pages(datasets: &BTreeMap<String, Dataset>) -> BTreeMap<String, Page> {
    let pages = datasets["src"].rows(PAGES).map(Result::unwrap);
    pages.map(|page| (page.url.clone().unwrap(), page)).collect()
}

fn unit(dataset: &Dataset, unit: &str) -> Counts {
    dataset.manifest().report.units[unit].clone()
}

#[test]
fn selected_records_are_the_same_pages_with_the_same_ids_as_of_the_whole_snapshot() {
    let server = Server::start();
    let count = snapshot(&server);
    let (client, scratch) = (server.client(), tempfile::tempdir().unwrap());
    let whole = run(&client, &scratch.path().join("whole"), json!({"snapshot": NAME}), json!([]));
    let whole = pages(&whole);
    assert_eq!(whole.len(), count);
    let begun = server.requests_of("/warc/0.warc.gz");
    let select = json!({"languages": ["eng"], "domains": []});
    let format = json!({"snapshot": NAME, "select": select});
    let some = run(&client, &scratch.path().join("some"), format, json!([]));
    let index = &some["src.index"];
    assert_eq!(unit(index, "picks").kept, 38);
    assert_eq!(unit(index, "left_out_language").kept, 20);
    assert_eq!(unit(index, "left_out_status").kept, 2);
    let some = pages(&some);
    assert_eq!(some.len(), 38);
    assert!(some.iter().all(|(url, page)| whole[url] == *page));
    assert!(server.requests_of("/warc/0.warc.gz") > begun);
    assert_eq!(server.requests_of("subset=robotstxt"), 0);
}

#[test]
fn a_share_of_an_index_is_drawn_and_archives_beyond_the_maximum_are_left_out() {
    let server = Server::start();
    snapshot(&server);
    let (client, scratch) = (server.client(), tempfile::tempdir().unwrap());
    let format = json!({"snapshot": NAME, "files_max": 1, "select": {"share": 0.5}});
    let datasets = run(&client, scratch.path(), format, json!([]));
    let index = &datasets["src.index"];
    let kept = unit(index, "picks").kept;
    assert!((5..25).contains(&kept), "{kept}");
    let left_out = unit(index, "left_out_share").kept + unit(index, "left_out_not_listed").kept;
    assert_eq!(kept + left_out, 58);
    assert!(pages(&datasets).values().all(|page| page.id.file() == 0));
}

#[test]
fn archives_are_kept_once_or_dropped_after_use_and_a_partial_one_is_continued() {
    let server = Server::start();
    let count = snapshot(&server);
    let (client, scratch) = (server.client(), tempfile::tempdir().unwrap());
    let raw = scratch.path().join("raw");
    let archive = fs::read(server.path(&format!("crawl-data/{NAME}/segments/1/warc/0.warc.gz"))).unwrap();
    fs::create_dir_all(raw.join("src")).unwrap();
    fs::write(raw.join("src/000000.partial"), &archive[..1_000]).unwrap();
    let format = |keep: bool| json!({"snapshot": NAME, "raw": {"dir": raw, "keep": keep, "bytes_max": 2 * archive.len() + 1_000}});
    let kept = run(&client, &scratch.path().join("kept"), format(true), json!([]));
    assert_eq!(pages(&kept).len(), count);
    assert_eq!(fs::read(raw.join("src/000000.archive")).unwrap(), archive);
    assert!(server.requests_of("bytes=1000-") > 0, "the partial archive was continued");
    let asked = server.requests_of("/warc/");
    let again = run(&client, &scratch.path().join("again"), format(false), json!([]));
    assert_eq!(pages(&again), pages(&kept));
    assert_eq!(server.requests_of("/warc/"), asked, "what was kept is not asked for again");
    assert_eq!(fs::read_dir(raw.join("src")).unwrap().count(), 0, "nothing is left after use");
}

#[test]
fn the_text_of_wet_files_becomes_documents() {
    let server = Server::start();
    let path = format!("crawl-data/{NAME}/segments/1/wet/0.warc.wet.gz");
    let members = [
        record("warcinfo", "application/warc-fields", "", "x"),
        record("conversion", "text/plain", "http://h/1", "One\n\n two \n"),
        record("conversion", "text/plain", "http://h/2", "\n"),
    ];
    fs::write(server.path(&path), members.concat()).unwrap();
    fs::write(server.path(&format!("crawl-data/{NAME}/wet.paths.gz")), gzip(path.as_bytes())).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let datasets = run(&server.client(), scratch.path(), json!({"snapshot": NAME, "kind": "wet"}), json!([]));
    let counts = unit(&datasets["src"], "records");
    assert_eq!((counts.read, counts.kept, counts.dropped["no_text"]), (2, 1, 1));
    let documents: Vec<Document> = datasets["src"].rows(DOCUMENTS).map(Result::unwrap).collect();
    assert_eq!((documents[0].text.as_str(), documents[0].url.as_deref()), ("One\ntwo", Some("http://h/1")));
}

#[test]
fn a_folder_stands_for_the_archives_in_it_by_name() {
    let server = Server::start();
    let folder = server.path("local/b/x").parent().unwrap().parent().unwrap().to_owned();
    for (name, number) in [("b/2.warc.gz", 2), ("a.warc.gz", 1), ("b/notes.txt", 9)] {
        fs::write(folder.join(name), page(number).1).unwrap();
    }
    let scratch = tempfile::tempdir().unwrap();
    let datasets = run(&server.client(), scratch.path(), json!({}), json!([folder]));
    let ids: Vec<(u32, String)> =
        pages(&datasets).into_values().map(|page| (page.id.file(), page.title)).collect();
    assert_eq!(ids, [(0, "1".to_owned()), (1, "2".to_owned())]);
}

#[test]
fn an_archive_that_is_cut_or_missing_costs_its_own_records_alone() {
    let server = Server::start();
    snapshot(&server);
    let (client, scratch) = (server.client(), tempfile::tempdir().unwrap());
    let archive = |number: usize| server.path(&format!("crawl-data/{NAME}/segments/1/warc/{number}.warc.gz"));
    let bytes = fs::read(archive(1)).unwrap();
    fs::write(archive(1), &bytes[..bytes.len() / 2]).unwrap();
    let format = json!({"snapshot": NAME, "select": {"status": []}});
    let selected = run(&client, &scratch.path().join("cut"), format.clone(), json!([]));
    let of_cut = unit(&selected["src"], "records");
    let broken: u64 = of_cut.failed["file_broken"];
    assert_eq!((of_cut.read, of_cut.kept + broken), (60, 60));
    assert!((10..20).contains(&broken), "{of_cut:?}");
    fs::remove_file(archive(0)).unwrap();
    let selected = run(&client, &scratch.path().join("gone"), format, json!([]));
    let of_gone = unit(&selected["src"], "records");
    assert_eq!((of_gone.failed["file_missing"], of_gone.failed["file_broken"]), (30, broken));
    let whole = run(&client, &scratch.path().join("whole"), json!({"snapshot": NAME}), json!([]));
    let (records, files) = (unit(&whole["src"], "records"), unit(&whole["src"], "files"));
    assert_eq!((records.failed["file_missing"], records.failed["gzip_broken"]), (1, 1));
    assert_eq!(records.kept, 30 - broken);
    assert_eq!((files.read, files.failed["file_missing"]), (1, 1));
}

#[test]
fn the_only_file_of_a_source_must_be_there() {
    let server = Server::start();
    let scratch = tempfile::tempdir().unwrap();
    let config: SourceConfig = serde_json::from_value(json!({
        "code": 2, "files": [format!("{BASE}gone.jsonl")], "format": {"rows": {}},
    }))
    .unwrap();
    let store = Store::local(scratch.path()).unwrap();
    let stages = ingest::stages("src", &config, &server.client()).unwrap();
    let run = |stages: &[_]| run_stages(&store, 1, (&Unobserved, &Cancel::default()), stages);
    assert!(run(&stages[..1]).is_ok(), "it is listed");
    let error = run(&stages).err().unwrap();
    assert!(error.to_string().contains("404") && !error.is_transient(), "{error}");
}
