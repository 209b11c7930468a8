//! Damaged lists, texts, tables, pages and `robots.txt`, each kind read by a child process whose memory is bounded.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use ingest::fetch::robots_txt::Rules;
use ingest::html;
use ingest::lines::{Ends, Line, Lines, decompressed};
use ingest::rows::delimited::DelimitedRows;
use ingest::rows::json::JsonRows;
use ingest::rows::{ColumnKind, ParquetRows, ROW_BYTES_MAX, Row, Wanted};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Random, Runs, mutate};

/// Variable by which a process of this test binary becomes the reader of a kind: the kind, and a folder.
const CHILD: &str = "KOSMOS_FUZZ_CHILD";
/// Bytes that the child may hold beside what it begins with.
const MEMORY_BYTES: u64 = 400 << 20;
/// Processor time of one file: of at most 2 MB.
const TIME_MAX: Duration = Duration::from_secs(2);
const FILE_BYTES_MAX: usize = 2 << 20;

/// A kind of file: whole ones, what reads them and returns the records it gave, and how many are read where no
/// time is given.
type Given = (fn() -> Vec<Vec<u8>>, fn(&[u8], &Path) -> u64, u64);

const KINDS: [(&str, Given); 7] = [
    ("parquet", (tables, read_table, 1_500)),
    ("csv", (lists, read_list, 1_000)),
    ("json", (objects, read_objects, 1_500)),
    ("packed", (packed, read_packed, 60)),
    ("html", (pages, read_page, 1_500)),
    ("charset", (pages, read_charset, 1_500)),
    ("robots", (robots, read_robots, 1_500)),
];

#[test]
fn damaged_files_end_within_bounded_memory_and_time() {
    for (kind, _) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "files::reads_damaged_files", "--nocapture"])
            .env(CHILD, format!("{kind}\n{}", folder.path().display()))
            .status()
            .unwrap();
        if !status.success() {
            let last = std::env::temp_dir().join(format!("kosmos-fuzz-{kind}"));
            std::fs::copy(folder.path().join("last"), &last).unwrap();
            assert!(status.success(), "{kind}: {status}; the file that did it is {}", last.display());
        }
    }
}

/// Does nothing unless it is run as the child of the test above.
#[test]
fn reads_damaged_files() {
    let Ok(names) = std::env::var(CHILD) else {
        return;
    };
    let (kind, folder) = names.split_once('\n').unwrap();
    let (_, (whole, read, most)) = KINDS.into_iter().find(|(name, _)| *name == kind).unwrap();
    let (whole, folder) = (whole(), Path::new(folder));
    corpus::probe::confine(MEMORY_BYTES);
    let (mut random, mut runs) = (Random::new(), Runs::begin(most));
    let (mut records, mut slowest) = (0, Duration::ZERO);
    while runs.next() {
        let mut file = whole[random.below(whole.len())].clone();
        mutate(&mut file, &mut random);
        file.truncate(FILE_BYTES_MAX);
        std::fs::write(folder.join("last"), &file).unwrap();
        let begun = processor_time();
        records += read(&file, folder);
        let took = processor_time() - begun;
        assert!(took <= TIME_MAX, "{took:?} for {} bytes", file.len());
        slowest = slowest.max(took);
    }
    assert!(records > runs.count, "the damage leaves something");
    eprintln!("{kind}: {} files, {records} records, slowest {slowest:?}", runs.count);
}

fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the struct is whole and on this stack.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn wanted() -> Vec<Wanted> {
    let names = |name: &str| vec![name.to_owned()];
    vec![Wanted::optional(ColumnKind::Text, names("url")), Wanted::optional(ColumnKind::Number, names("n"))]
}

fn count(rows: impl Iterator<Item = Row>) -> u64 {
    rows.filter(|row| matches!(row, Row::Whole(_))).count() as u64
}

/// Tables of every compression that is read, of one row group and of many.
fn tables() -> Vec<Vec<u8>> {
    let texts: Vec<String> = (0..2_000).map(|n| format!("http://h.example/{}/{n}.jpg", n % 7)).collect();
    let url: ArrayRef = Arc::new(StringArray::from_iter_values(&texts));
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(0..2_000));
    let same: ArrayRef = Arc::new(StringArray::from_iter_values(vec!["x".repeat(50_000); 2_000]));
    let batches = [
        RecordBatch::try_from_iter([("url", url), ("n", n.clone())]).unwrap(),
        RecordBatch::try_from_iter([("url", same), ("n", n)]).unwrap(),
    ];
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    let mut tables = Vec::new();
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd] {
        for (batch, rows) in [(&batches[0], 300), (&batches[0], 5_000), (&batches[1], 5_000)] {
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_max_row_group_row_count(Some(rows))
                .build();
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
            writer.write(batch).unwrap();
            writer.close().unwrap();
            tables.push(bytes);
        }
    }
    tables
}

fn read_table(bytes: &[u8], folder: &Path) -> u64 {
    let path = folder.join("table.parquet");
    std::fs::write(&path, bytes).unwrap();
    let rows = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted(), 0);
    rows.map_or(0, |rows| count(rows.map(|row| row.unwrap())))
}

fn lists() -> Vec<Vec<u8>> {
    let line = |n: u32| match n % 5 {
        0 => format!("http://h/{n}.jpg,{n},\"a \"\"quoted\"\" caption, with a comma\"\r\n"),
        1 => format!("\"http://h/{n}.jpg\",{n},\"two\nlines\"\n"),
        2 => format!("http://h/{n}.jpg,{n},a 5\" nail\n"),
        _ => format!("http://h/{n}.jpg,{n},plain\n"),
    };
    let text: String = (0..400).map(line).collect();
    let text = format!("url,n,caption\n{text}");
    vec![text.clone().into_bytes(), text.replace(',', "\t").into_bytes(), "url,n\n\"".to_owned().into_bytes()]
}

fn read_list(bytes: &[u8], _: &Path) -> u64 {
    let broken = |error: &std::io::Error| corpus::Error::work("stage", error.to_string());
    let read = |delimiter| {
        let rows =
            DelimitedRows::open(("stage", "file"), bytes, (delimiter, ROW_BYTES_MAX), &wanted(), broken);
        rows.map_or(0, |rows| count(rows.map(|row| row.unwrap())))
    };
    read(b',') + read(b'\t')
}

fn objects() -> Vec<Vec<u8>> {
    let object = |n: u32| {
        format!(r#"{{"url": "http://h/{n}", "n": {n}, "x": [[1, 2], {{"y": "\u00e9\ud83d"}}, null]}}"#)
    };
    let all: Vec<String> = (0..200).map(object).collect();
    vec![
        all.join("\n").into_bytes(),
        format!("[{}]", all.join(",\n ")).into_bytes(),
        format!("[{}", "[{\"a\":".repeat(3_000)).into_bytes(),
    ]
}

fn read_objects(bytes: &[u8], _: &Path) -> u64 {
    let rows = JsonRows::open(("stage", "file"), bytes, ROW_BYTES_MAX, &wanted());
    rows.map_or(0, |rows| count(rows.map(|row| row.unwrap())))
}

/// Compressed lines, also of what shrinks to nearly nothing.
fn packed() -> Vec<Vec<u8>> {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let lines: String = (0..3_000).map(|n| format!("line {n}\n")).collect();
    let zeros = vec![0; 300 << 20];
    let blank = vec![b'\n'; 100 << 20];
    vec![
        gzip(lines.as_bytes()),
        zstd::bulk::compress(lines.as_bytes(), 1).unwrap(),
        gzip(&zeros[..100 << 20]),
        zstd::bulk::compress(&zeros, 1).unwrap(),
        zstd::bulk::compress(&blank, 1).unwrap(),
    ]
}

fn read_packed(bytes: &[u8], _: &Path) -> u64 {
    let Ok(reader) = decompressed(bytes, 27) else {
        return 0;
    };
    Lines::new(reader, 1 << 20, Ends::Feed).filter(|line| matches!(line, Ok(Line::Whole(_)))).count() as u64
}

fn pages() -> Vec<Vec<u8>> {
    let prose = "The fox crossed the river in the morning, and nobody saw it because of the fog. ".repeat(3);
    let page = format!(
        "<!doctype html><!-- saved from url=(0018)http://h.example/ --><meta charset=utf-8><title>T</title>\
         <link rel='canonical x' href='/a'><base href=b/><meta property=og:url content=c><nav><a href=/ class='a b'>Home</a></nav><article \
         id=x><h1>F</h1><p>{prose}<b><i class=q>{prose}<img srcset='a 1x, b 2x' src=c alt='x y'><table><tr><th>k<th \
         colspan=2>v<tr><td>1<td>2</table><ul><li>a<li>b</ul><pre>c\n d</pre></article><svg><title>s</title></svg>\
         <script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{prose}\"}}</script><!-- \
         comment --><select><option>o</select><template><p>t</template>&amp;&#x41;&nbsp;</body>"
    );
    let latin = page.replace("utf-8", "iso-8859-1").replace("fox", "f\u{f6}x");
    let latin: Vec<u8> = latin.chars().map(|c| c as u32 as u8).collect();
    vec![page.into_bytes(), latin, b"<b a=1><p>x<table><a><tr><a>".to_vec()]
}

fn read_page(bytes: &[u8], _: &Path) -> u64 {
    let (extract, _) = html::extract_saved(&String::from_utf8_lossy(bytes), html::Ruby::default());
    2 + extract.segments.len() as u64
}

fn read_charset(bytes: &[u8], _: &Path) -> u64 {
    // What is not UTF-8 is looked through for a charset.
    let bytes = [&b"\xff"[..], bytes].concat();
    2 + html::charset::decode(&bytes, "text/html", "http://h.example/")
        .map_or(0, |(text, _)| text.len() as u64)
}

/// Files with groups, comments, patterns of every kind, and names and values that never end.
fn robots() -> Vec<Vec<u8>> {
    let groups = "User-agent: *\r\nDisallow: /private # and below\r\nAllow: /private/open\nDisallow: /*.gif$\n\
                  Crawl-delay: 10\n\nUser-Agent: kosmos\nuser-agent: other\nDISALLOW : /a*b*c\nDisallow:\nSitemap: \
                  http://h.example/x\n";
    let stars = format!("user-agent: *\ndisallow: /{}$\n", "*a".repeat(4_000));
    let many: String = (0..3_000).map(|n| format!("disallow: /*a*{n}*a\nallow: /{n}$\n")).collect();
    vec![
        groups.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", groups.replace("kosmos", "\u{e9}").as_bytes()].concat(),
        stars.into_bytes(),
        format!("user-agent: kosmos\n{many}").into_bytes(),
        format!("{}: {}", "user-agent".repeat(3_000), "/x".repeat(9_000)).into_bytes(),
    ]
}

fn read_robots(bytes: &[u8], _: &Path) -> u64 {
    let rules = Rules::read(bytes, "kosmos");
    // As long as URLs may be.
    let long = format!("/{}", "a".repeat(ingest::fetch::guard::URL_BYTES_MAX));
    let text = String::from_utf8_lossy(bytes);
    let paths = ["/", "/private/open?x=.gif", "/a1b2c3.gif", &long];
    let refused = paths.iter().filter_map(|path| rules.refusal(path));
    2 + refused.inspect(|pattern| assert!(text.contains(*pattern), "{pattern:?} is not of the file")).count()
        as u64
}
