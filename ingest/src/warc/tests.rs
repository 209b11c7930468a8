//! WARC files whole, cut, flipped and made up.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn record(kind: &str, block: &str) -> Vec<u8> {
    let length = block.len();
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <http://h/{length}>\r\n\
         Content-Length: {length}\r\n\r\n{block}\r\n\r\n"
    )
    .into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Five records, the second and fourth of them responses.
fn records() -> Vec<Vec<u8>> {
    let noise: String = (0..2_000_u32).map(|n| char::from(b'a' + (n * n % 23) as u8)).collect();
    vec![
        record("warcinfo", "software: test"),
        record("response", "HTTP/1.1 200 OK\r\n\r\none"),
        record("request", &noise),
        record("response", &format!("HTTP/1.1 200 OK\r\n\r\n{noise}")),
        record("metadata", ""),
    ]
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    Reader::new(bytes).unwrap().map(Result::unwrap).collect()
}

fn damages(entries: &[Entry]) -> Vec<(u64, &str)> {
    let damage = |entry: &Entry| match entry {
        Entry::Damage(damage) => Some((damage.position, damage.reason)),
        Entry::Record(_) => None,
    };
    // Reasons are static, so they outlive the entries.
    entries.iter().filter_map(damage).collect()
}

fn positions(entries: &[Entry]) -> Vec<u64> {
    let position = |entry: &Entry| match entry {
        Entry::Record(record) => record.position,
        Entry::Damage(damage) => damage.position,
    };
    entries.iter().map(position).collect()
}

fn offsets(parts: &[Vec<u8>]) -> Vec<u64> {
    let mut offset = 0;
    let mut next = |part: &Vec<u8>| {
        offset += part.len() as u64;
        offset - part.len() as u64
    };
    parts.iter().map(&mut next).collect()
}

#[test]
fn plain_members_and_one_member_hold_the_same_records() {
    let plain = records();
    let members: Vec<_> = plain.iter().map(|record| gzip(record)).collect();
    let blocks = |entries: &[Entry]| -> Vec<Vec<u8>> {
        let block = |entry: &Entry| match entry {
            Entry::Record(record) => record.block.clone(),
            Entry::Damage(damage) => panic!("{damage:?}"),
        };
        entries.iter().map(block).collect()
    };
    let of_plain = entries(&plain.concat());
    let of_members = entries(&members.concat());
    let of_one = entries(&gzip(&plain.concat()));
    assert_eq!(positions(&of_plain), offsets(&plain));
    assert_eq!(positions(&of_members), offsets(&members));
    assert_eq!(positions(&of_one), [0, 1, 2, 3, 4], "index within the member");
    assert_eq!(blocks(&of_plain), blocks(&of_members));
    assert_eq!(blocks(&of_plain), blocks(&of_one));
    assert_eq!(blocks(&of_plain)[1], b"HTTP/1.1 200 OK\r\n\r\none");
    assert!(blocks(&of_plain)[2].is_empty(), "only responses are kept");
    let Entry::Record(first) = &of_plain[1] else { panic!("a record") };
    assert_eq!(first.header.target(), Some("http://h/22"));
}

#[test]
fn a_broken_gzip_member_is_one_damage_and_the_others_are_whole() {
    let members: Vec<_> = records().iter().map(|record| gzip(record)).collect();
    let begin = offsets(&members);
    let member = &members[3];
    let mut flipped_checksum = member.clone();
    *flipped_checksum.iter_mut().rev().nth(6).unwrap() ^= 1;
    for broken in [
        member[..member.len() / 2].to_vec(),
        member[..member.len() - 3].to_vec(),
        flipped_checksum,
        [&member[..member.len() / 2], &[0xff; 40], &member[member.len() / 2..]].concat(),
    ] {
        let mut file = members.clone();
        file[3] = broken;
        let entries = entries(&file.concat());
        assert_eq!(damages(&entries), [(begin[3], "gzip_broken")]);
        assert_eq!(positions(&entries), offsets(&file));
    }
}

#[test]
fn a_truncated_gzip_member_is_counted_as_failed() {
    let members: Vec<_> = records().iter().map(|record| gzip(record)).collect();
    let file = members.concat();
    let entries = entries(&file[..file.len() - 4]);
    assert_eq!(damages(&entries), [(offsets(&members)[4], "gzip_broken")]);
    assert_eq!(entries.len(), 5);
}

#[test]
fn a_broken_header_costs_its_record_alone() {
    let mut plain = records();
    let text = String::from_utf8(plain[1].clone()).unwrap();
    plain[1] = text.replace("Content-Length: 22", "Content-Length: many").into_bytes();
    for file in [plain.clone(), plain.iter().map(|record| gzip(record)).collect()] {
        let entries = entries(&file.concat());
        assert_eq!(damages(&entries), [(offsets(&file)[1], "record_broken")]);
        assert_eq!(entries.len(), 5);
    }
    plain[1] = text.replace("WARC/1.0", "WRAC/1.0").into_bytes();
    assert_eq!(damages(&entries(&plain.concat())), [(offsets(&plain)[1], "record_broken")]);
}

fn zstd_frames(parts: &[Vec<u8>], dictionary: &[u8]) -> Vec<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap();
    compressor.include_checksum(true).unwrap();
    parts.iter().map(|part| compressor.compress(part).unwrap()).collect()
}

fn skippable(content: &[u8]) -> Vec<u8> {
    [&[0x5d, 0x2a, 0x4d, 0x18][..], &(content.len() as u32).to_le_bytes(), content].concat()
}

#[test]
fn zstd_frames_are_read_with_and_without_a_dictionary() {
    let parts = records();
    let expected: Vec<Entry> = entries(&parts.concat());
    let blocks = |entries: &[Entry]| -> Vec<Vec<u8>> {
        let block = |entry: &Entry| match entry {
            Entry::Record(record) => record.block.clone(),
            Entry::Damage(damage) => panic!("{damage:?}"),
        };
        entries.iter().map(block).collect()
    };
    let plain = entries(&zstd_frames(&parts, &[]).concat());
    assert_eq!(blocks(&plain), blocks(&expected));
    let dictionary = parts.concat();
    let packed = zstd::bulk::compress(&dictionary, 3).unwrap();
    for stored in [&dictionary, &packed] {
        let mut file = vec![skippable(stored)];
        file.extend(zstd_frames(&parts, &dictionary));
        let found = entries(&file.concat());
        assert_eq!(blocks(&found), blocks(&expected));
        assert_eq!(positions(&found), offsets(&file)[1..]);
    }
}

#[test]
fn a_broken_zstd_frame_is_lost_and_the_next_one_read() {
    let dictionary = records().concat();
    let mut frames = zstd_frames(&records(), &dictionary);
    let middle = frames[2].len() / 2;
    frames[2][middle] ^= 0x10;
    let file = [vec![skippable(&dictionary)], frames.clone()].concat();
    let found = entries(&file.concat());
    assert_eq!(found.len(), 5);
    assert_eq!(damages(&found), [(offsets(&file)[3], "zstd_broken")]);
}

/// With a dictionary that is loaded anew at every place where a frame may begin this takes half a minute.
#[test]
fn a_large_dictionary_is_loaded_once_whatever_looks_like_a_frame() {
    let dictionary: Vec<u8> =
        (0..4_u32 << 18).flat_map(|at| at.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let frames = zstd_frames(&records(), &dictionary);
    let likes = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00][..], &[b'x'; 250]].concat().repeat(8_000);
    let mut file = vec![skippable(&dictionary)];
    file.extend(frames[..2].to_vec());
    file.push(likes);
    file.extend(frames[2..].to_vec());
    let found = entries(&file.concat());
    let read = found.iter().filter(|entry| matches!(entry, Entry::Record(_))).count();
    assert_eq!((read, damages(&found).len()), (5, 1));
}

#[test]
fn lz4_files_are_read_to_their_first_fault() {
    let lz4 = |bytes: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let parts = records();
    let whole: Vec<u8> = parts.iter().flat_map(|part| lz4(part)).collect();
    assert_eq!(entries(&whole).len(), 5);
    let cut = &whole[..whole.len() - 20];
    let found = entries(cut);
    assert_eq!(damages(&found).len(), 1, "{found:?}");
    assert!(found.len() >= 4);
}

#[test]
fn documents_of_an_arc_file_are_records_of_their_kind() {
    let document = |url: &str, mime: &str, body: &str| {
        format!("{url} 1.2.3.4 20080430204826 {mime} {}\n{body}\n", body.len()).into_bytes()
    };
    let parts = vec![
        document(
            "filedesc://a.arc",
            "text/plain",
            "1 0 Org\nURL IP-address Archive-date Content-type Archive-length\n",
        ),
        document("http://h/a b", "text/html", "HTTP/1.0 200 OK\r\n\r\none"),
        document("ftp://h/two.html", "text/html", "<p>two"),
        document("http://h/last", "text/html", "HTTP/1.0 200 OK\r\n\r\nthree"),
    ];
    let members: Vec<_> = parts.iter().map(|part| gzip(part)).collect();
    for (file, parts) in [(parts.concat(), &parts), (members.concat(), &members)] {
        let found = entries(&file);
        assert_eq!((damages(&found), positions(&found)), (vec![], offsets(parts)));
        let kinds: Vec<(RecordKind, Vec<u8>)> = found
            .into_iter()
            .map(|entry| match entry {
                Entry::Record(record) => (record.header.kind(), record.block),
                Entry::Damage(damage) => panic!("{damage:?}"),
            })
            .collect();
        assert_eq!(kinds[1], (RecordKind::Response, b"HTTP/1.0 200 OK\r\n\r\none".to_vec()));
        assert_eq!(kinds[2], (RecordKind::Resource, b"<p>two".to_vec()));
    }
    let broken = [parts[0].clone(), b"garbage\n".to_vec(), parts[1].clone(), parts[3].clone()];
    let found = entries(&broken.concat());
    assert_eq!((damages(&found).len(), found.len()), (1, 4));
    let mut broken = members.clone();
    let middle = broken[2].len() / 2;
    broken[2].truncate(middle);
    let found = entries(&broken.concat());
    assert_eq!(damages(&found), [(offsets(&broken)[2], "gzip_broken")]);
    assert_eq!(found.len(), 4);
}

#[test]
fn a_part_of_a_file_gives_the_same_records_as_the_whole() {
    let members: Vec<_> = records().iter().map(|record| gzip(record)).collect();
    let all = entries(&members.concat());
    for (index, offset) in offsets(&members).into_iter().enumerate() {
        let rest = members[index..].concat();
        let part: Vec<Entry> = Reader::at(&rest[..], offset).unwrap().map(Result::unwrap).collect();
        assert_eq!(part, all[index..]);
    }
}

#[test]
fn a_block_above_the_bound_is_passed_over() {
    let big = record("response", &" ".repeat(33 << 20));
    let file = [gzip(&big), gzip(&record("response", "x"))].concat();
    let entries = entries(&file);
    let [Entry::Record(big), Entry::Record(small)] = &entries[..] else { panic!("two records") };
    assert!(big.is_too_large && big.block.is_empty());
    assert_eq!(small.block, b"x");
}

/// Many records of responses with a body of some lines.
fn responses(count: usize) -> Vec<Vec<u8>> {
    let block =
        |n: usize| format!("HTTP/1.1 200 OK\r\n\r\n<p>page {n}\r\n\r\n{}", "<p>line\n".repeat(n % 50));
    (0..count).map(|n| record("response", &block(n))).collect()
}

fn with_length(record: &[u8], change: impl Fn(u64) -> u64) -> Vec<u8> {
    let text = String::from_utf8(record.to_vec()).unwrap();
    let (before, rest) = text.split_once("Content-Length: ").unwrap();
    let (length, after) = rest.split_once("\r\n").unwrap();
    let length = change(length.parse().unwrap());
    format!("{before}Content-Length: {length}\r\n{after}").into_bytes()
}

#[test]
fn a_wrong_length_that_ends_where_another_record_does_costs_its_record_alone() {
    let block = |n: usize| {
        let body = format!("<p>page {n}\n{}", "<p>line\n".repeat(n % 50));
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let parts: Vec<Vec<u8>> = (0..40).map(|n| record("response", &block(n))).collect();
    // Up to the end of the next record, of the next but four, and of the file.
    for last in [4, 8, 39] {
        let swallowed: usize = parts[4..=last].iter().map(Vec::len).sum();
        let mut parts = parts.clone();
        parts[3] = with_length(&parts[3], |length| length + swallowed as u64);
        let found = entries(&parts.concat());
        assert_eq!((found.len(), damages(&found).len()), (40, 1), "up to {last}");
        assert!(matches!(&found[3], Entry::Damage(_)));
    }
    // An archive that is itself the body is one record.
    let inner = parts.concat();
    let http =
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", inner.len()).into_bytes(), inner].concat();
    let head = format!("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {}\r\n\r\n", http.len());
    let outer = [head.into_bytes(), http, b"\r\n\r\n".to_vec()].concat();
    assert_eq!(entries(&outer).len(), 1);
}

#[test]
fn a_wrong_length_costs_its_record_alone() {
    let parts = responses(100);
    for change in [
        |length: u64| length + 7,
        |length| length + 1_000,
        |length| length - 3,
        |length| length / 2,
        |_| 0,
        |_| 20_000_000,
        |_| 90_000_000,
        |_| u64::MAX,
    ] {
        let mut parts = parts.clone();
        parts[10] = with_length(&parts[10], change);
        for file in [parts.concat(), gzip(&parts.concat())] {
            let found = entries(&file);
            assert_eq!((found.len(), damages(&found).len()), (100, 1));
            let Entry::Damage(damage) = &found[10] else { panic!("{:?}", found[10]) };
            let lost = parts[10].len();
            assert!(damage.detail.ends_with(&format!("; {lost} bytes lost")), "{}: {lost}", damage.detail);
        }
        assert_eq!(positions(&entries(&parts.concat())), offsets(&parts));
    }
}

#[test]
fn a_wrong_length_of_an_arc_document_costs_it_alone() {
    let document = |n: usize| {
        let body = format!("HTTP/1.0 200 OK\r\n\r\n<p>page {n}\n{}", "<p>line\n".repeat(n % 7));
        format!("http://h/{n} 1.2.3.4 20080430204826 text/html {}\n{body}\n", body.len())
    };
    let mut parts: Vec<Vec<u8>> = (0..50).map(|n| document(n).into_bytes()).collect();
    parts.insert(0, b"filedesc://a 0.0.0.0 20080430204826 text/plain 6\n1 0 O\n\n".to_vec());
    for length in ["3", "40", "1000", "40000000"] {
        let mut parts = parts.clone();
        let text = String::from_utf8(parts[10].clone()).unwrap();
        let (line, body) = text.split_once('\n').unwrap();
        let (line, _) = line.rsplit_once(' ').unwrap();
        parts[10] = format!("{line} {length}\n{body}").into_bytes();
        for file in [parts.concat(), gzip(&parts.concat())] {
            let found = entries(&file);
            assert_eq!((found.len(), damages(&found).len()), (51, 1), "{length}");
        }
        assert_eq!(positions(&entries(&parts.concat())), offsets(&parts));
    }
}

#[test]
fn many_wrong_lengths_are_read_once_each() {
    // Each claims far more than there is: without an end to belief every one would be read to the end.
    let parts: Vec<_> = responses(3_000).iter().map(|part| with_length(part, |_| 30_000_000)).collect();
    let good = record("response", "HTTP/1.1 200 OK\r\n\r\ngood");
    let found = entries(&[parts.concat(), good].concat());
    assert_eq!((found.len(), damages(&found).len()), (3_001, 3_000));
}

#[test]
fn an_archive_within_an_archive_is_one_record() {
    let inner = responses(5).concat();
    let outer = record("response", &String::from_utf8(inner).unwrap());
    let file = [outer, record("metadata", "x")].concat();
    assert_eq!((entries(&file).len(), damages(&entries(&file)).len()), (2, 0));
}

#[test]
fn garbage_behind_a_record_costs_nothing_of_it() {
    let parts = responses(3);
    for garbage in [&b"garbage\r\n\r\n"[..], &[0xff; 5_000], &[0; 5_000]] {
        let file = [&parts[0][..], garbage, &parts[1], &parts[2]].concat();
        let found = entries(&file);
        let records = found.iter().filter(|entry| matches!(entry, Entry::Record(_))).count();
        assert_eq!((records, damages(&found).len()), (3, usize::from(garbage[0] != 0)));
    }
}

#[test]
fn a_damaged_beginning_hides_no_format() {
    let document = |n: usize| format!("http://h/{n} 1.2.3.4 20080430204826 text/html 5\nHello\n");
    let arc: String = (0..5).map(document).collect();
    let warc = responses(5).concat();
    for rest in [arc.as_bytes(), &warc] {
        let found = entries(&[&b"\x01\x02 damaged \n"[..], rest].concat());
        assert_eq!((found.len(), damages(&found)), (6, vec![(0, "record_broken")]));
    }
}

#[test]
fn an_empty_file_is_named() {
    assert_eq!(damages(&entries(b"")), [(0, "file_empty")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mutated_files_end_with_rising_positions(
        zipped: bool,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut file = match zipped {
            true => records().iter().flat_map(|record| gzip(record)).collect(),
            false => records().concat(),
        };
        for (place, byte) in changes {
            let place = place.index(file.len());
            file[place] = byte;
        }
        file.truncate(cut.index(file.len() + 1));
        let entries = entries(&file);
        prop_assert!(positions(&entries).is_sorted_by(|a, b| a < b));
        prop_assert!(entries.len() <= file.len() + 1);
    }

    #[test]
    fn any_bytes_end(bytes: Vec<u8>) {
        entries(&bytes);
        entries(&[&[0x1f, 0x8b, 8][..], &bytes].concat());
        entries(&[b"WARC/1.0\r\n", &bytes[..]].concat());
    }
}
