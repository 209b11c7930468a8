//! Lines of whole, damaged, compressed and foreign files.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::inflation::INFLATED;
use crate::packed::WINDOW_LOG_DEFAULT;
use proptest::prelude::*;
use std::io::Write;

fn whole(text: &str) -> Line {
    Line::Whole(text.as_bytes().to_vec())
}

#[test]
fn a_line_over_the_limit_is_passed_over_and_the_next_is_whole() {
    let lines: Vec<_> =
        Lines::new(&b"ab\r\n123456789\nc\n\n1234"[..], 4, Ends::Feed).map(Result::unwrap).collect();
    let long = Line::TooLong { head: b"12345".to_vec(), bytes: 9 };
    assert_eq!(lines, [whole("ab"), long, whole("c"), whole(""), whole("1234")]);
}

#[test]
fn lines_end_as_any_system_ends_them() {
    for bytes in 1..9 {
        // A small buffer, so that ends lie across its borders.
        let read = |text: &'static str, ends| -> Vec<Line> {
            let reader = BufReader::with_capacity(bytes, text.as_bytes());
            Lines::new(reader, 3, ends).map(Result::unwrap).collect()
        };
        assert_eq!(read("a\r\nb\rc\nd\r", Ends::Any), ["a", "b", "c", "d"].map(whole));
        assert_eq!(read("a\r\r\n\n\rb", Ends::Any), ["a", "", "", "", "b"].map(whole));
        assert_eq!(read("\x1ea\n\x1eb\r\n", Ends::Byte(0x1e)), ["", "a\n", "b\r\n"].map(whole));
        let long = Line::TooLong { head: b"1234".to_vec(), bytes: 5 };
        assert_eq!(read("12345\r\nb\r123\rc", Ends::Any), [long, whole("b"), whole("123"), whole("c")]);
        let kept = read("a\r\nb\r\n\n", Ends::Kept);
        let kept: Vec<u8> = kept
            .into_iter()
            .flat_map(|line| if let Line::Whole(line) = line { line } else { vec![] })
            .collect();
        assert_eq!(kept, b"a\r\nb\r\n\n");
    }
}

#[test]
fn a_text_whose_lines_returns_alone_end_is_told_by_its_beginning() {
    for (head, ends) in
        [("a\rb\r", Ends::Any), ("a\rb\n", Ends::Feed), ("a\r\nb", Ends::Feed), ("ab", Ends::Feed)]
    {
        assert_eq!(Ends::of_text(head.as_bytes()), ends, "{head:?}");
    }
}

#[test]
fn a_page_in_place_of_rows_is_refused_however_it_is_packed() {
    let page = "\u{feff}<!DOCTYPE html>\n<title>Not found</title>\n";
    let wide: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for file in [page.as_bytes().to_vec(), gzip(page.as_bytes()), wide] {
        let error = rows_of(&file[..], WINDOW_LOG_DEFAULT).err().unwrap();
        assert!(FileFault::of_io(&error).unwrap().detail.starts_with("it is a page of HTML"), "{error}");
        assert!(decompressed(&file[..], WINDOW_LOG_DEFAULT).is_ok(), "as a text it is one");
    }
}

#[test]
fn a_look_at_damage_does_not_hide_it() {
    // A kind of block that deflate does not have.
    let mut broken = gzip(&numbered(0..300)).repeat(2);
    broken[10] |= 0b110;
    let (seen, text) = look(decompressed(&broken[..], WINDOW_LOG_DEFAULT).unwrap(), |head| !head.is_empty());
    let lost = Lines::new(text, 1_000, Ends::Feed).filter(|line| matches!(line, Ok(Line::Lost(_)))).count();
    assert_eq!((seen, lost), (false, 1));
}

#[test]
fn blocks_end_at_blank_lines() {
    let text = b"\n a\nb\n\n \nc\n\n12345\n67890\nx\n\nd";
    let blocks: Vec<_> = Blocks::new(&text[..], 8, Ends::Feed).map(Result::unwrap).collect();
    let long = Line::TooLong { head: b"12345".to_vec(), bytes: 13 };
    assert_eq!(blocks, [whole(" a\nb"), whole("c"), long, whole("d")]);
}

#[test]
fn gzip_and_zstd_of_several_members_are_told_by_their_bytes() {
    let gzip = |text: &str| gzip(text.as_bytes());
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    for bytes in [
        b"one\ntwo\n".to_vec(),
        [gzip("one\n"), gzip("two\n")].concat(),
        [zstd("one\n"), zstd("two\n")].concat(),
    ] {
        let mut text = String::new();
        decompressed(&bytes[..], WINDOW_LOG_DEFAULT).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Lines `0`, `1`, ... with noise, so that they do not compress to nothing.
fn numbered(range: std::ops::Range<u32>) -> Vec<u8> {
    let line = |n: u32| format!("{n} {:x} {:x}\n", n.wrapping_mul(0x9e37_79b9), n.wrapping_mul(n) ^ 0x5bd1);
    range.map(line).collect::<String>().into_bytes()
}

/// Returns the numbers of the lines, and what was lost.
fn read(file: &[u8]) -> (Vec<u32>, Vec<String>) {
    let (mut numbers, mut faults) = (Vec::new(), Vec::new());
    for line in Lines::new(decompressed(file, WINDOW_LOG_DEFAULT).unwrap(), 1_000, Ends::Feed) {
        match line.unwrap() {
            Line::Whole(line) => {
                let text = String::from_utf8_lossy(&line).into_owned();
                numbers.extend(text.split(' ').next().and_then(|number| number.parse::<u32>().ok()));
            }
            Line::TooLong { .. } => {}
            Line::Lost(fault) => faults.push(fault.detail),
        }
    }
    (numbers, faults)
}

#[test]
fn a_cut_file_gives_all_lines_before_the_cut() {
    let text = numbered(0..20_000);
    for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
        let (numbers, faults) = read(&whole[..whole.len() - 20]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(&format!("byte {}", whole.len() - 20)), "{faults:?}");
        assert!(numbers.len() > 10_000, "{}", numbers.len());
        assert!(numbers.iter().copied().eq(0..numbers.len() as u32));
    }
}

#[test]
fn zeros_behind_a_file_are_no_fault_and_cost_nothing() {
    let text = numbered(0..1_000);
    for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
        let (numbers, faults) = read(&[&whole[..], &[0; 10_000]].concat());
        assert_eq!((numbers.len(), faults.len()), (1_000, 0), "{faults:?}");
        let (numbers, faults) = read(&[&whole[..], &[0; 512], &whole].concat());
        assert_eq!((numbers.len(), faults.len()), (2_000, 0), "{faults:?}");
        let (numbers, faults) = read(&[&whole[..], b"trailing garbage"].concat());
        assert_eq!((numbers.len(), faults.len()), (1_000, 1), "{faults:?}");
        assert!(faults[0].ends_with("16 compressed bytes lost"), "{faults:?}");
    }
}

#[test]
fn members_behind_a_damaged_one_are_read() {
    let parts = [numbered(0..3_000), numbered(3_000..6_000), numbered(6_000..9_000)];
    // With a checksum, as the zstd tool writes it; without one, changed letters go unnoticed.
    let zstd = |text: &[u8]| {
        let mut encoder = zstd::bulk::Compressor::new(1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.compress(text).unwrap()
    };
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let mut members = parts.each_ref().map(|part| pack(part));
        let middle = members[1].len() / 2;
        members[1][middle..middle + 200].fill(0xff);
        let (numbers, faults) = read(&members.concat());
        assert_eq!(faults.len(), 1, "{faults:?}");
        let outer: Vec<u32> = numbers.iter().copied().filter(|n| !(3_000..6_000).contains(n)).collect();
        assert!(outer.into_iter().eq((0..3_000).chain(6_000..9_000)), "{faults:?}");
    }
}

#[test]
fn members_behind_damaged_first_bytes_of_a_file_are_read() {
    let parts = [numbered(0..300), numbered(300..600), numbered(600..900)];
    let zstd = |text: &[u8]| zstd::encode_all(text, 1).unwrap();
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let members = parts.each_ref().map(|part| pack(part));
        let mut flipped = members.concat();
        flipped[0] ^= 1;
        let (numbers, faults) = read(&flipped);
        assert!(numbers.into_iter().eq(300..900) && faults.len() == 1, "{faults:?}");
        let (numbers, faults) = read(&[&[0; 64], &members.concat()[..]].concat());
        assert!(numbers.into_iter().eq(0..900) && faults.len() == 1, "{faults:?}");
    }
    // Text is text, whatever it holds.
    let text = [b"a line of text\n", &gzip(b"1\n")[..]].concat();
    assert_eq!(decompressed(&text[..], WINDOW_LOG_DEFAULT).unwrap().fill_buf().unwrap(), text);
}

#[test]
fn xz_and_bzip2_of_several_streams_are_read_and_cut_ones_as_far_as_they_go() {
    let xz = |text: &[u8]| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = |text: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let parts = [numbered(0..9_000), numbered(9_000..18_000)];
    for pack in [xz as fn(&[u8]) -> Vec<u8>, bzip2] {
        let whole = parts.each_ref().map(|part| pack(part)).concat();
        let (numbers, faults) = read(&whole);
        assert!(numbers.into_iter().eq(0..18_000) && faults.is_empty(), "{faults:?}");
        let (numbers, faults) = read(&whole[..whole.len() - 20]);
        assert!(numbers.len() >= 9_000 && numbers.iter().copied().eq(0..numbers.len() as u32));
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

#[test]
fn utf_16_with_its_mark_is_read_as_utf_8() {
    let text = "url\tcaption\r\nhttp://h/1\t\u{1f600} é\r\n";
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for file in [little.clone(), big, gzip(&little)] {
        let lines: Vec<Line> =
            Lines::new(decompressed(&file[..], WINDOW_LOG_DEFAULT).unwrap(), 1_000, Ends::Feed)
                .map(Result::unwrap)
                .collect();
        assert_eq!(lines, [whole("url\tcaption"), whole("http://h/1\t\u{1f600} é")]);
    }
}

#[test]
fn a_long_window_is_read_where_it_is_allowed_and_named_elsewhere() {
    let text = numbered(0..2_000);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&text).unwrap();
    let file = encoder.finish().unwrap();
    let lines =
        |window_log_max| Lines::new(decompressed(&file[..], window_log_max).unwrap(), 1_000, Ends::Feed);
    assert_eq!(lines(28).filter(|line| matches!(line, Ok(Line::Whole(_)))).count(), 2_000);
    let first = lines(27).next().unwrap().unwrap();
    assert!(
        matches!(&first, Line::Lost(fault) if fault.detail.contains("fetch.zstd_window_log_max")),
        "{first:?}"
    );
}

#[test]
fn what_holds_no_text_is_named() {
    let error = decompressed(&b"PK\x03\x04 and more"[..], WINDOW_LOG_DEFAULT).err().unwrap();
    assert_eq!(FileFault::of_io(&error).unwrap().detail, "it is a zip archive, not text");
}

#[test]
fn what_inflates_beyond_measure_is_given_up() {
    let zeros = vec![0; 200 << 20];
    let lines = numbered(0..1_000);
    let mut best = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    best.write_all(&zeros).unwrap();
    for bomb in [best.finish().unwrap(), zstd::bulk::compress(&zeros, 1).unwrap()] {
        let (numbers, faults) = read(&bomb);
        assert!(numbers.is_empty() && faults.len() == 1, "{faults:?}");
        assert!(faults[0].contains("a bomb"), "{faults:?}");
    }
    // Much of one line is no bomb.
    let (numbers, faults) = read(&gzip(&b"7 seven\n".repeat(1 << 19)));
    assert_eq!((numbers.len(), faults.len()), (1 << 19, 0));
    assert_eq!(read(&gzip(&lines)).0.len(), 1_000);
}

#[test]
fn rows_without_end_are_given_up_whatever_their_coding() {
    let utf16 = [&b"\xff\xfe"[..], &b"\n\0".repeat(4 << 20)].concat();
    for text in [b"\n".repeat(8 << 20), utf16] {
        let file = gzip(&text);
        let lines = Lines::new(decompressed(&file[..], WINDOW_LOG_DEFAULT).unwrap(), 1_000, Ends::Feed);
        let lines: Vec<Line> = lines.map(Result::unwrap).collect();
        let most = file.len() / 2 + (1 << 19) + 1;
        assert!(lines.len() > 1 << 19 && lines.len() <= most, "{} of {most}", lines.len());
        assert!(matches!(lines.last(), Some(Line::Lost(fault)) if fault.reason == INFLATED));
    }
}

/// An lz4 frame of this text, by the tool's defaults.
fn lz4(text: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A bzip2 stream of this text.
fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn empty_streams_are_passed_over_and_thousands_of_them_given_up() {
    for pack in [lz4, bzip2] {
        let (one, nothing) = (pack(&numbered(0..10)), pack(b""));
        let file = [&nothing[..], &nothing, &one, &nothing, &nothing, &one].concat();
        let (numbers, faults) = read(&file);
        assert_eq!((numbers.len(), faults.len()), (20, 0), "{faults:?}");
        let (numbers, faults) = read(&[one, nothing.repeat(20_000)].concat());
        assert_eq!(numbers.len(), 10);
        assert!(faults.len() == 1 && faults[0].contains("streams, a bomb"), "{faults:?}");
    }
}

#[test]
fn an_empty_file_is_named() {
    let error = decompressed(&b""[..], WINDOW_LOG_DEFAULT).err().unwrap();
    assert_eq!(FileFault::of_io(&error).unwrap().reason, crate::fault::FILE_EMPTY);
}

#[test]
fn an_error_of_the_transport_is_no_damage() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    let whole = gzip(&numbered(0..5_000));
    for file in [&whole[..1_000], b"a\nb"] {
        let mut lines =
            Lines::new(decompressed(file.chain(Failing), WINDOW_LOG_DEFAULT).unwrap(), 1_000, Ends::Feed);
        assert!(lines.any(|line| line.is_err_and(|error| error.to_string() == "disk")));
    }
}

proptest! {
    #[test]
    fn any_bytes_end_and_lose_nothing(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)) {
        let total: u64 = Lines::new(&bytes[..], 7, Ends::Feed).map(|line| match line.unwrap() {
            Line::Whole(line) => line.len() as u64,
            Line::TooLong { bytes, .. } => bytes,
            Line::Lost(_) => 0,
        }).sum();
        prop_assert!(total <= bytes.len() as u64);
        let ends = bytes.iter().filter(|b| **b == b'\n' || **b == b'\r').count() as u64;
        prop_assert!(total + ends >= bytes.len() as u64);
    }
}

#[test]
fn what_is_compressed_twice_is_text_or_named() {
    let read = |file: &[u8]| {
        let mut text = String::new();
        match decompressed(file, WINDOW_LOG_DEFAULT).and_then(|mut reader| reader.read_to_string(&mut text)) {
            Ok(_) => text,
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(read(&gzip(&gzip(b"one\n"))), "one\n");
    assert!(read(&gzip(&gzip(&gzip(b"one\n")))).contains("compressed three times"));
    assert!(read(&gzip(b"%PDF-1.7\n")).contains("is a PDF, not text"));
    // A bomb within a bomb: each is within its own bounds.
    let bomb = gzip(&gzip(&vec![b'\n'; 256 << 20]));
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let error = decompressed(&bomb[..], WINDOW_LOG_DEFAULT)
        .and_then(|reader| io::copy(&mut { reader }, &mut io::sink()));
    assert_eq!(FileFault::of_io(&error.unwrap_err()).unwrap().reason, INFLATED);
}

#[test]
fn utf_16_is_told_by_its_first_letters() {
    for (bytes, expected) in [
        (&b"{\0\"\0a\0"[..], Some(UTF_16LE)),
        (b"\0{\0\"\0a", Some(UTF_16BE)),
        (b"\xFF\xFEa\0", Some(UTF_16LE)),
        (b"{\0\"\0", None),
        (b"{\"a\":1}", None),
        (b"\0\0\0\0\0\0\0", None),
    ] {
        assert_eq!(wide(bytes), expected, "{bytes:?}");
    }
}
