//! Sources with damaged files: the run goes on, and what is readable is kept.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use corpus::record::{DOCUMENTS, FAILED, PAGES, PAIRS};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use corpus::mirror::Mirrors;
use corpus::observer::Unobserved;
use corpus::record::Removed;
use corpus::stage::{Cancel, Inputs};
use corpus::{Dataset, Store};
use corpus_testing::run_stages;
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{Client, SourceConfig, fetch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

/// Records of one file.
const RECORDS: usize = 600;
/// Files of a source; the first three of the damaged ones are at these places.
const FILES: usize = 10;
const EMPTY: usize = 2;
const CUT: usize = 5;
const BLOCK: usize = 7;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as the zstd tool writes it; without one, changed letters go unnoticed.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::bulk::Compressor::new(1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.compress(bytes).unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Noise that neither compresses nor repeats: 400 hexadecimal digits.
fn noise(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let digits = (0..25).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ state >> 29)
    });
    digits.collect()
}

/// A record's name: its file and its place there.
fn name(file: usize, record: usize) -> String {
    format!("f{file}r{record}")
}

fn sentence(file: usize, record: usize) -> String {
    format!(
        "{} This page tells of the sea, and of ships that go by. {}",
        name(file, record),
        noise(file * RECORDS + record)
    )
}

/// A way to write files, and what it promises.
struct Case {
    end: &'static str,
    format: Value,
    unit: &'static str,
    /// Writes the records of a file as parts, each of which can be read alone as far as the format allows.
    parts: fn(usize) -> Vec<Vec<u8>>,
    /// Whether records behind a damaged block can be had, and records before a cut.
    reads_behind: bool,
    reads_before: bool,
}

fn lines(file: usize, line: impl Fn(usize) -> String) -> Vec<Vec<u8>> {
    (0..RECORDS).map(|record| line(file * RECORDS + record).into_bytes()).collect()
}

fn json_lines(file: usize) -> Vec<Vec<u8>> {
    lines(file, |n| json!({"text": sentence(n / RECORDS, n % RECORDS)}).to_string() + "\n")
}

fn pair_rows(file: usize, delimiter: char) -> Vec<Vec<u8>> {
    let row = |n: usize| {
        let (file, record) = (n / RECORDS, n % RECORDS);
        format!("http://h.example/{}/{}{delimiter}{}\n", name(file, record), noise(n), name(file, record))
    };
    let mut parts = vec![format!("url{delimiter}caption\n").into_bytes()];
    parts.extend(lines(file, row));
    parts
}

/// Joins parts by the hundred and packs each.
fn packed(parts: Vec<Vec<u8>>, pack: fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    parts.chunks(100).map(|parts| pack(&parts.concat())).collect()
}

fn parquet_file(file: usize) -> Vec<Vec<u8>> {
    let texts: StringArray = (0..RECORDS).map(|record| Some(sentence(file, record))).collect();
    let batch =
        RecordBatch::try_from_iter([("text", Arc::new(texts) as Arc<dyn arrow::array::Array>)]).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    vec![bytes]
}

fn warc_records(file: usize) -> Vec<Vec<u8>> {
    let record = |n: usize| {
        let (file, record) = (n / RECORDS, n % RECORDS);
        let page =
            format!("<title>{}</title><article><p>{}</article>", name(file, record), sentence(file, record));
        let http = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}");
        format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://h/{}\r\nContent-Type: application/http\r\n\
             Content-Length: {}\r\n\r\n{http}\r\n\r\n",
            name(file, record),
            http.len()
        )
    };
    lines(file, record)
}

fn arc_records(file: usize) -> Vec<Vec<u8>> {
    let record = |n: usize| {
        let (file, record) = (n / RECORDS, n % RECORDS);
        let page =
            format!("<title>{}</title><article><p>{}</article>", name(file, record), sentence(file, record));
        let http = format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{page}");
        format!("http://h/{} 1.2.3.4 20080430204826 text/html {}\n{http}\n", name(file, record), http.len())
    };
    let mut parts = vec![b"filedesc://a 0.0.0.0 20080430204826 text/plain 6\n1 0 O\n\n".to_vec()];
    parts.extend(lines(file, record));
    parts
}

fn cases() -> Vec<Case> {
    let rows = || json!({"rows": {}});
    let pairs = || json!({"pairs": {"layout": {"columns": {}}}});
    let crawl = || json!({"crawl": {}});
    let case =
        |end, format, unit, parts| Case { end, format, unit, parts, reads_behind: true, reads_before: true };
    vec![
        case("jsonl", rows(), "documents", json_lines as fn(usize) -> Vec<Vec<u8>>),
        case("jsonl.gz", rows(), "documents", |file| packed(json_lines(file), gzip)),
        case("jsonl.zst", rows(), "documents", |file| packed(json_lines(file), zstd)),
        Case { reads_before: false, ..case("parquet", rows(), "documents", parquet_file) },
        case("csv.gz", pairs(), "pairs", |file| packed(pair_rows(file, ','), gzip)),
        case("tsv.gz", pairs(), "pairs", |file| packed(pair_rows(file, '\t'), gzip)),
        case("warc.gz", crawl(), "records", |file| {
            warc_records(file).iter().map(|part| gzip(part)).collect()
        }),
        case("warc", crawl(), "records", warc_records),
        case("arc", crawl(), "records", arc_records),
        case("warc.zst", crawl(), "records", |file| {
            warc_records(file).iter().map(|part| zstd(part)).collect()
        }),
        Case {
            reads_behind: false,
            ..case("warc.lz4", crawl(), "records", |file| {
                warc_records(file).chunks(10).map(|parts| lz4(&parts.concat())).collect()
            })
        },
        // A single stream, of which nothing behind the damage can be had.
        Case {
            reads_behind: false,
            ..case("jsonl.gz", rows(), "documents", |file| vec![gzip(&json_lines(file).concat())])
        },
    ]
}

/// The names of a file's records that end before a byte, or begin behind it.
fn names_around(parts: &[Vec<u8>], file: usize, lost: Range<usize>) -> BTreeSet<String> {
    if parts.len() < RECORDS {
        return BTreeSet::new();
    }
    let mut begin = 0;
    let header = parts.len() - RECORDS;
    let mut names = BTreeSet::new();
    for (index, part) in parts.iter().enumerate() {
        let end = begin + part.len();
        if index >= header && (end <= lost.start || begin >= lost.end) {
            names.insert(name(file, index - header));
        }
        begin = end;
    }
    names
}

fn run(folder: &Path, format: &Value, files: &Value) -> corpus::Result<BTreeMap<String, Dataset>> {
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
    let config: SourceConfig =
        serde_json::from_value(json!({"code": 1, "files": files, "format": format})).unwrap();
    let store = Store::local(folder).unwrap();
    let stages = ingest::stages("src", &config, &client)?;
    run_stages(&store, 2, (&Unobserved, &Cancel::default()), &stages)
}

/// The names of all records that were kept.
fn kept(dataset: &Dataset, unit: &str) -> BTreeSet<String> {
    let first = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    match unit {
        "documents" => dataset.rows(DOCUMENTS).map(|row| first(&row.unwrap().text)).collect(),
        "pairs" => dataset.rows(PAIRS).map(|row| row.unwrap().caption).collect(),
        _ => dataset.rows(PAGES).map(|row| row.unwrap().title).collect(),
    }
}

#[test]
fn a_source_with_an_empty_a_cut_and_a_damaged_file_keeps_all_that_is_readable() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        let mut expected = BTreeSet::new();
        let mut files = Vec::new();
        for file in 0..FILES {
            let parts = (case.parts)(file);
            let mut bytes = parts.concat();
            let middle = bytes.len() / 2;
            let around = match file {
                EMPTY => {
                    bytes.clear();
                    BTreeSet::new()
                }
                CUT => {
                    bytes.truncate(middle);
                    names_around(&parts, file, middle..usize::MAX)
                }
                BLOCK => {
                    bytes[middle..middle + 300].fill(0xff);
                    names_around(&parts, file, middle - 1..middle + 301)
                }
                _ => (0..RECORDS).map(|record| name(file, record)).collect(),
            };
            expected.extend(around);
            let path = folder.path().join(format!("{file}.{}", case.end));
            std::fs::write(&path, bytes).unwrap();
            files.push(path.to_str().unwrap().to_owned());
        }
        let datasets = run(&folder.path().join("run"), &case.format, &json!(files)).unwrap();
        let dataset = &datasets["src"];
        let found = kept(dataset, case.unit);
        let missing: Vec<&String> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "{}: {} missing, {missing:?}", case.end, missing.len());
        let of = |file: usize, part: Range<usize>| {
            part.filter(|record| found.contains(&name(file, *record))).count()
        };
        let (quarter, half) = (RECORDS / 4, RECORDS / 2);
        if case.reads_before {
            assert!(of(CUT, 0..quarter) == quarter, "{}: before the cut {}", case.end, of(CUT, 0..quarter));
            assert!(of(BLOCK, 0..quarter) == quarter, "{}: before the damage", case.end);
        }
        if case.reads_behind {
            let behind = of(BLOCK, half + quarter..RECORDS);
            assert!(behind == quarter, "{}: behind the damage {behind}", case.end);
        }
        let failed: Vec<Removed> = dataset.rows(FAILED).map(Result::unwrap).collect();
        let reasons = |file: usize| -> Vec<&str> {
            let of_file = failed.iter().filter(|row| row.id.file() as usize == file && row.unit == case.unit);
            of_file.map(|row| row.reason.as_str()).collect()
        };
        assert_eq!(reasons(EMPTY), ["file_empty"], "{}", case.end);
        assert!(!reasons(CUT).is_empty(), "{}", case.end);
        // Within the content of a plain file changed letters are content.
        if !["jsonl", "warc", "arc"].contains(&case.end) {
            let told = failed.iter().any(|row| row.id.file() as usize == BLOCK && row.value.contains("lost"));
            assert!(told, "{}: {:?}", case.end, reasons(BLOCK));
        }
        assert!(
            failed.iter().all(|row| [EMPTY, CUT, BLOCK].contains(&(row.id.file() as usize))),
            "{}",
            case.end
        );
        let count = dataset.manifest().report.units["files"].clone();
        let without = 1 + u64::from(!case.reads_before);
        assert_eq!((count.read, count.failed_total()), (without, without), "{}: {count:?}", case.end);
    }
}

#[test]
fn a_whole_source_counts_no_failed_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl.gz");
    std::fs::write(&path, [gzip(&json_lines(0).concat()), vec![0; 4_096]].concat()).unwrap();
    let datasets = run(&folder.path().join("run"), &json!({"rows": {}}), &json!([path])).unwrap();
    let units = &datasets["src"].manifest().report.units;
    assert_eq!(units["documents"].kept, RECORDS as u64);
    assert!(!units.contains_key("files") && units["documents"].failed.is_empty(), "{units:?}");
}

#[test]
fn a_folder_with_links_to_nowhere_a_link_to_a_folder_and_a_pipe_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir_all(files.join("below")).unwrap();
    std::fs::write(files.join("a.jsonl"), json_lines(0).concat()).unwrap();
    std::fs::write(files.join("below/b.jsonl"), json_lines(1).concat()).unwrap();
    std::os::unix::fs::symlink("nowhere.jsonl", files.join("c.jsonl")).unwrap();
    std::os::unix::fs::symlink("below", files.join("d.jsonl")).unwrap();
    std::os::unix::fs::symlink("f.jsonl", files.join("f.jsonl")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(files.join("e.jsonl")).status();
    assert!(pipe.unwrap().success());
    let datasets = run(&folder.path().join("run"), &json!({"rows": {}}), &json!([files])).unwrap();
    let units = &datasets["src"].manifest().report.units;
    assert_eq!(units["documents"].kept, 2 * RECORDS as u64);
    assert_eq!(units["documents"].failed, BTreeMap::from([("file_missing".to_owned(), 2)]));
    let device = refusal(folder.path(), json!({"rows": {}}), json!(["/dev/zero"]));
    assert!(device.contains("/dev/zero is a device"), "{device}");
}

#[test]
fn a_file_that_cannot_be_read_costs_itself_alone() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let put = |name: &[u8], bytes: &[u8]| {
        let path = files.join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    put(b"a.jsonl", &json_lines(0).concat());
    put(b"b.jsonl", b"{\"body\": \"no text\"}\n");
    put(b"c.jsonl", b"{\"text\": {\"body\": \"no text\"}}\n");
    put(b"d.jsonl", b"\n\n");
    put(b"e\xff.jsonl", &json_lines(1).concat());
    put(b"f.jsonl.tmp", b"{}");
    let closed = put(b"g.jsonl", &json_lines(2).concat());
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o0)).unwrap();
    // Nothing is closed to root.
    let is_root = std::fs::File::open(&closed).is_ok();
    let datasets = run(&folder.path().join("run"), &json!({"rows": {}}), &json!([files])).unwrap();
    let units = &datasets["src"].manifest().report.units;
    assert_eq!(units["documents"].kept, if is_root { 3 } else { 2 } * RECORDS as u64);
    let mut failed = BTreeMap::from([("column_missing".to_owned(), 1), ("column_nested".to_owned(), 1)]);
    if !is_root {
        failed.insert("file_unreadable".to_owned(), 1);
    }
    assert_eq!((&units["documents"].failed, &units["files"].failed), (&failed, &failed));
    assert_eq!(units["files"].dropped, BTreeMap::from([("file_blank".to_owned(), 1)]));
    let listed = &datasets["src.files"].manifest().report.units["files"];
    assert_eq!((listed.kept, &listed.dropped), (6, &BTreeMap::from([("left_out".to_owned(), 1)])));
    let alone = refusal(&folder.path().join("alone"), json!({"rows": {}}), json!([files.join("b.jsonl")]));
    assert!(alone.contains("no column \"text\"; its columns are \"body\""), "{alone}");
}

#[test]
fn wildcards_stand_for_folders_too() {
    let folder = tempfile::tempdir().unwrap();
    for (file, path) in ["one/part-0.jsonl", "two/part-0.jsonl", "two/other.jsonl"].into_iter().enumerate() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, json_lines(file).concat()).unwrap();
    }
    let files = json!([folder.path().join("*/part-*.jsonl")]);
    let datasets = run(&folder.path().join("run"), &json!({"rows": {}}), &files).unwrap();
    assert_eq!(datasets["src"].manifest().report.units["documents"].kept, 2 * RECORDS as u64);
    let none = refusal(folder.path(), json!({"rows": {}}), json!([folder.path().join("*/*/part-*.jsonl")]));
    assert!(none.contains("no file fits"), "{none}");
}

#[test]
fn arrays_and_marks_give_documents_like_lines() {
    let folder = tempfile::tempdir().unwrap();
    let lines = json_lines(0).concat();
    let array = format!("[{}]", String::from_utf8(lines.clone()).unwrap().trim().replace('\n', ",\n"));
    let texts = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let datasets =
            run(&folder.path().join(format!("run-{name}")), &json!({"rows": {}}), &json!([path])).unwrap();
        let documents = datasets["src"].rows(DOCUMENTS).map(Result::unwrap);
        documents.map(|document| (document.id.position(), document.text)).collect::<Vec<_>>()
    };
    let expected = texts("lines.jsonl", &lines);
    assert_eq!(expected.len(), RECORDS);
    assert_eq!(texts("array.json", array.as_bytes()), expected);
    assert_eq!(texts("mark.jsonl", &[b"\xEF\xBB\xBF", &lines[..]].concat()), expected);
    let marks: Vec<Vec<u8>> =
        json_lines(0).iter().map(|line| [b"\xEF\xBB\xBF", &line[..]].concat()).collect();
    assert_eq!(texts("marks.jsonl", &marks.concat()), expected, "files that were joined");
    let wide: Vec<u8> =
        std::str::from_utf8(&lines).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(texts("wide.jsonl", &wide), expected, "without a mark");
    assert_eq!(texts("twice.jsonl.gz", &gzip(&zstd(&lines))), expected);
    assert_eq!(texts("array.json.gz", &gzip(&[b"\xEF\xBB\xBF \n", array.as_bytes()].concat())), expected);
    let laid_out = |line: &[u8]| {
        let object: Value = serde_json::from_slice(line).unwrap();
        serde_json::to_string_pretty(&object).unwrap() + "\n"
    };
    let pretty: String = json_lines(0).iter().map(|line| laid_out(line)).collect();
    assert_eq!(texts("pretty.json", pretty.as_bytes()), expected);
    assert_eq!(texts("returns.json", pretty.replace('\n', "\r\n").as_bytes()), expected);
    let shifted = texts("blank.jsonl", &[b"\n\n", &lines[..]].concat());
    assert_eq!(shifted[0].0, 2, "blank lines are rows");
}

/// The message of the error with which a source of these files ends.
fn refusal(folder: &Path, format: Value, files: Value) -> String {
    let run = run(&folder.join("run"), &format, &files);
    let error = run.err().unwrap_or_else(|| panic!("{format} reads {files}"));
    assert!(!error.is_transient(), "{error}");
    error.to_string()
}

#[test]
fn wrong_input_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let lines = put("a.jsonl", b"{\"body\":\"t\",\"n\":1}\n{\"body\":\"u\"}\n");
    let table = put("a.parquet", &parquet_file(0)[0]);
    let text = put("notes/a.txt", b"one\n");
    let has = |message: String, words: &[&str]| {
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    has(refusal(root, json!({"rows": {}}), json!([lines])), &["\"text\"", "\"body\", \"n\"", "a.jsonl"]);
    has(
        refusal(root, json!({"rows": {"text": "body", "id": "uid"}}), json!([lines])),
        &["\"uid\"", "\"body\""],
    );
    has(
        refusal(root, json!({"rows": {"text": "body"}}), json!([table])),
        &["\"body\"", "\"text\"", "a.parquet"],
    );
    has(refusal(root, json!({"rows": {}}), json!([text])), &["a.txt", "format.text = {}", "separator"]);
    has(refusal(root, json!({"rows": {}}), json!([root.join("notes")])), &["1 .txt", ".jsonl", ".parquet"]);
    has(
        refusal(root, json!({"rows": {}}), json!([root.join("nowhere.jsonl")])),
        &["nowhere.jsonl", "no such file"],
    );
    has(refusal(root, json!({"text": {}}), json!([root.join("nowhere")])), &["nowhere", "no such file"]);
    std::fs::create_dir(root.join("empty")).unwrap();
    has(refusal(root, json!({"rows": {}}), json!([root.join("empty")])), &["is empty", ".jsonl"]);
    let pairs = json!({"pairs": {"layout": {"columns": {"url": "link"}}}});
    has(refusal(root, pairs, json!([lines])), &["\"link\"", "\"body\""]);
}

#[test]
fn files_after_the_first_may_lack_columns_that_are_not_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = [("0.jsonl", "{\"text\":\"a\",\"id\":1}\n"), ("1.jsonl", "{\"text\":\"b\"}\n")]
        .map(|(name, line)| {
            let path = folder.path().join(name);
            std::fs::write(&path, line).unwrap();
            path
        });
    let format = json!({"rows": {"id": "id"}});
    let datasets = run(&folder.path().join("run"), &format, &json!([first, second])).unwrap();
    let keys: Vec<_> = datasets["src"].rows(DOCUMENTS).map(|row| row.unwrap().key).collect();
    assert_eq!(keys, [Some("1".to_owned()), None]);
}

#[test]
fn a_listing_notes_what_its_files_are_like_and_a_folder_is_listed_again() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::create_dir(&input).unwrap();
    std::fs::write(input.join("a.jsonl"), json_lines(0).concat()).unwrap();
    let store = folder.path().join("run");
    let datasets = run(&store, &json!({"rows": {}}), &json!([input])).unwrap();
    let manifest = datasets["src.files"].manifest().clone();
    let ledger = corpus::Ledger::new(Store::local(&store).unwrap());
    let entries = ledger.entries("src.files", &manifest.fingerprint, 0).unwrap();
    let states: Vec<_> = entries.iter().flat_map(|entry| entry.context.files.clone()).collect();
    assert_eq!(states.len(), 1);
    assert!(states[0].url.ends_with("a.jsonl") && states[0].content.is_some() && states[0].bytes.is_some());
    std::fs::write(input.join("b.jsonl"), json_lines(1).concat()).unwrap();
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
    let config: SourceConfig =
        serde_json::from_value(json!({"code": 1, "files": [input], "format": {"rows": {}}})).unwrap();
    let listed = ingest::listed_files("src", &config, &client).unwrap().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(ingest::changed_files(&client, &states, false).unwrap().is_empty());
    let stages = ingest::stages("src", &config, &client).unwrap();
    let identity = stages[1].task_identity(&Inputs(datasets), 0).unwrap().unwrap();
    assert!(identity.starts_with("0 ") && identity.ends_with("a.jsonl"), "{identity}");
}
