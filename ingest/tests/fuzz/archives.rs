//! Damaged archives: whatever bytes come, a page or a reason comes out, and it ends.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::html::Ruby;
use ingest::warc::{BLOCK_BYTES_MAX, BODY_BYTES_MAX, Entry, Reader};
use ingest::webpage::Body;

use super::{Random, Runs, mutate};

/// Archives read where no time is given.
const RUNS: u64 = 3_000;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Pages whose markup is of every kind that the extractor has a rule for.
fn pages() -> Vec<String> {
    let prose = "The fox crossed the river in the morning and nobody saw it, because of the fog. ".repeat(3);
    vec![
        format!(
            "<!doctype html><meta charset=utf-8><title>T</title><nav><a href=/>Home</a></nav><article><h1>F</h1><p>{prose}<p>{prose}<img srcset='a 1x, b 2x' src=c><figure><img data-src=d><figcaption>x</figcaption></figure><ul><li>a<li>b</ul><pre>c\n d</pre></article><footer>\u{a9}</footer>"
        ),
        format!(
            "<html><body><table><tr><th>k<th>v<tr><td>1<td>2</table><div class='post-content comments'><template><p>{prose}</template><noscript><img src=e></noscript><svg><title>s</title></svg><script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{prose}\"}}</script></div>"
        ),
        format!("<base href='http://b.example/x/'>{}", "<div><b><i>".repeat(200) + &prose),
        "\u{feff}<p>\u{0}\u{fffd} <a href=x>y".to_owned(),
    ]
}

fn records() -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for (index, page) in pages().iter().enumerate() {
        let bodies = [
            ("", page.as_bytes().to_vec()),
            ("Content-Encoding: gzip\r\n", gzip(page.as_bytes())),
            ("Content-Encoding: zstd\r\n", zstd::bulk::compress(page.as_bytes(), 1).unwrap()),
            (
                "Transfer-Encoding: chunked\r\n",
                format!("{:x}\r\n{page}\r\n0\r\n\r\n", page.len()).into_bytes(),
            ),
        ];
        for (coding, body) in bodies {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x-{index}\r\n{coding}\r\n");
            let block = [head.as_bytes(), &body].concat();
            let header = format!(
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://h/{index}\r\nWARC-Truncated: length\r\n\
                 Content-Type: application/http\r\nContent-Length: {}\r\n\r\n",
                block.len()
            );
            records.push([header.as_bytes(), &block, b"\r\n\r\n"].concat());
        }
    }
    records
}

/// Archives of every container.
fn archives() -> Vec<Vec<u8>> {
    let records = records();
    let dictionary = records[0].clone();
    let mut zstd = zstd::bulk::Compressor::with_dictionary(1, &dictionary).unwrap();
    let mut with_dictionary =
        [&[0x5d, 0x2a, 0x4d, 0x18][..], &(dictionary.len() as u32).to_le_bytes()].concat();
    with_dictionary.extend(&dictionary);
    with_dictionary.extend(records.iter().flat_map(|record| zstd.compress(record).unwrap()));
    let arc: Vec<Vec<u8>> = pages()
        .iter()
        .map(|page| {
            let document = format!("HTTP/1.0 200 OK\r\n\r\n{page}");
            format!("http://h/ 1.2.3.4 20080430204826 text/html {}\n{document}\n", document.len())
                .into_bytes()
        })
        .collect();
    let arc = [b"filedesc://a 0.0.0.0 20080430204826 text/plain 5\n1 0 O\n".to_vec(), arc.concat()].concat();
    vec![
        records.concat(),
        records.iter().flat_map(|record| gzip(record)).collect(),
        gzip(&records.concat()),
        records.iter().flat_map(|record| zstd::bulk::compress(record, 1).unwrap()).collect(),
        with_dictionary,
        lz4(&records.concat()),
        gzip(&arc),
        arc,
    ]
}

#[test]
fn damaged_archives_give_pages_or_reasons_and_end() {
    let archives = archives();
    let (mut random, mut runs) = (Random::new(), Runs::begin(RUNS));
    let (mut read, mut kept, mut damaged, mut slowest) = (0_u64, 0_u64, 0_u64, Duration::ZERO);
    while runs.next() {
        let mut archive = archives[random.below(archives.len())].clone();
        mutate(&mut archive, &mut random);
        let begin = Instant::now();
        let mut last = None;
        for entry in Reader::new(&archive[..]).into_iter().flatten() {
            let entry = entry.unwrap();
            let position = match &entry {
                Entry::Record(record) => record.position,
                Entry::Damage(damage) => damage.position,
            };
            assert!(last.is_none_or(|last| last < position), "positions grow");
            last = Some(position);
            let Entry::Record(record) = entry else {
                damaged += 1;
                continue;
            };
            assert!(record.block.len() as u64 <= BLOCK_BYTES_MAX);
            read += 1;
            if let Ok(page) = Body::of_record(&record, &mut 0).and_then(|body| body.read(Ruby::default())) {
                kept += 1;
                assert!(page.extract.text().len() <= BODY_BYTES_MAX * 3);
            }
        }
        slowest = slowest.max(begin.elapsed());
    }
    assert!(kept > 0 && damaged > 0, "the damage is neither none nor all");
    eprintln!(
        "{} archives, {read} records, {kept} pages, {damaged} damages, slowest archive {slowest:?}",
        runs.count
    );
}

/// Names that a damage of one stretch of bytes may cost: of the records that it touches, and one more.
fn spared(parts: &[Vec<u8>], damage: &std::ops::Range<usize>) -> Vec<String> {
    let mut begin = 0;
    let mut touched = Vec::new();
    for part in parts {
        let end = begin + part.len();
        // A byte on either side belongs to what separates two records.
        touched.push(begin <= damage.end && damage.start <= end);
        begin = end;
    }
    let is_spared = |index: &usize| !(touched[*index] || *index > 0 && touched[*index - 1]);
    (0..parts.len()).filter(is_spared).map(|index| format!("http://h/{index}")).collect()
}

/// Small records with names, as WARC and as documents of an ARC.
fn named(is_arc: bool) -> Vec<Vec<u8>> {
    let record = |n: usize| {
        let http = format!("HTTP/1.1 200 OK\r\n\r\n<p>{n}</p>\n{}", "line\r\n\r\n".repeat(n % 9));
        let length = http.len();
        match is_arc {
            true => format!("http://h/{n} 1.2.3.4 20080430204826 text/html {length}\n{http}\n"),
            false => format!(
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://h/{n}\r\n\
                 Content-Length: {length}\r\n\r\n{http}\r\n\r\n"
            ),
        }
    };
    (0..40).map(|n| record(n).into_bytes()).collect()
}

#[test]
fn a_damage_costs_what_it_touches_and_one_record_more_at_most() {
    let mut random = Random(7);
    let single = |part: &Vec<u8>| gzip(part);
    let frame = |part: &Vec<u8>| zstd::bulk::compress(part, 1).unwrap();
    let files: Vec<Vec<Vec<u8>>> = vec![
        named(false),
        named(true),
        named(false).iter().map(single).collect(),
        named(true).iter().map(single).collect(),
        named(false).iter().map(frame).collect(),
    ];
    for _ in 0..RUNS {
        let parts = &files[random.below(files.len())];
        let mut file = parts.concat();
        let begin = random.below(file.len());
        let end = (begin + 1 + random.below(300)).min(file.len());
        match random.next() % 4 {
            0 => file[begin..end].iter_mut().for_each(|byte| *byte ^= 0x55),
            1 => file[begin..end].fill(random.next() as u8),
            2 => drop(file.drain(begin..end)),
            // A digit of a length, among others.
            _ => {
                file[begin..end].iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'9')
            }
        }
        let mut found = Vec::new();
        for entry in Reader::new(&file[..]).unwrap() {
            if let Entry::Record(record) = entry.unwrap() {
                found.extend(record.header.target().map(str::to_owned));
            }
        }
        for name in spared(parts, &(begin..end)) {
            assert!(found.contains(&name), "{name} lost by damage of {begin}..{end}: {found:?}");
        }
    }
}
