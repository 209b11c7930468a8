//! Rows of CSV and TSV as they should be, and as they are.
#![allow(clippy::unwrap_used)]

use super::super::ROW_BYTES_MAX;
use super::super::testing::{shown_row, url_and_number};
use super::*;
use proptest::prelude::*;
use std::io::BufReader;

fn rows(text: &[u8], delimiter: u8) -> Vec<String> {
    let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
    let rows =
        DelimitedRows::open(("s", "u"), text, (delimiter, ROW_BYTES_MAX), &url_and_number(), broken).unwrap();
    rows.map(|row| shown_row(row.unwrap())).collect()
}

#[test]
fn columns_are_found_by_the_header_and_quotes_hold_anything() {
    let text =
        b"\xEF\xBB\xBFn,URL,x\r\n1,http://a/1,\r\n\r\n2,\"http://a/\"\"2\",\"a\nb, c\"\nx,http://a/3\n";
    assert_eq!(rows(text, b',')[..2], ["http://a/1|1", "http://a/\"2|2"]);
    assert_eq!(rows(text, b',')[2..], ["2 fields where the header has 3"]);
}

#[test]
fn a_quote_that_never_ends_breaks_its_line_alone() {
    let text = b"url\tn\n\"http://a/1\t1\nhttp://a/2\t2\na 5\" nail\t3\n";
    assert_eq!(rows(text, b'\t'), ["\"http://a/1|1", "http://a/2|2", "a 5\" nail|3"]);
    let comma = b"url,n\n\"http://a/1,1\nhttp://a/2,2\n";
    assert_eq!(rows(comma, b','), ["quoted field without end", "http://a/2|2"]);
    let quoted = b"url\tn\n\"a\nb\"\t1\n";
    assert_eq!(rows(quoted, b'\t'), ["a\nb|1"]);
    assert_eq!(rows(b"url\n\xff\n", b'\t'), ["not UTF-8"]);
    let halves = b"url,n\n\"a\xc3\",\xa9\n";
    assert_eq!(rows(halves, b','), ["not UTF-8"], "halves of one character are in two fields");
}

#[test]
fn semicolons_separate_fields_where_no_comma_does() {
    assert_eq!(rows(b"url;n\nhttp://a/1,2;3\n\"a;b\";4\n", b','), ["http://a/1,2|3", "a;b|4"]);
    assert_eq!(rows(b"sep=;\r\nurl;n\r\nhttp://a/1;2\r\n", b','), ["http://a/1|2"]);
    assert_eq!(rows(b"\xEF\xBB\xBFurl;n\na;1\n\xEF\xBB\xBFb;2\n", b','), ["a|1", "b|2"], "a mark within");
}

#[test]
fn a_header_that_cannot_be_read_is_told() {
    let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
    let refused = |text: &[u8]| {
        let opened = DelimitedRows::open(("s", "u.csv"), text, (b',', 30), &url_and_number(), broken);
        let corpus::Error::Work { source, .. } = opened.err().unwrap() else { return String::new() };
        source.to_string()
    };
    let long = format!("url,{}\nu,n\n", "n".repeat(30));
    assert_eq!(
        refused(long.as_bytes()),
        "its header is a row of 34 bytes, more than the 30 that a row may have"
    );
    assert_eq!(refused(b"\"url,n\nu,n\n"), "its header has a quoted field without end");
}

#[test]
fn a_file_without_the_column_says_what_it_has() {
    let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
    let opened = DelimitedRows::open(
        ("s", "u.csv"),
        &b"link,n\n"[..],
        (b',', ROW_BYTES_MAX),
        &url_and_number(),
        broken,
    );
    let message = FileFault::of_error(opened.err().unwrap()).unwrap().detail;
    assert!(message.contains("u.csv") && message.contains("link"), "{message}");
}

#[test]
fn what_stands_behind_a_closing_quote_belongs_to_the_field() {
    let text = b"url,n\n\"15 inch\" screen,1\n\"a \\\"b\\\" c\",2\nnext,3\n";
    assert_eq!(rows(text, b','), ["15 inch screen|1", "a \\b\\\" c\"|2", "next|3"]);
}

#[test]
fn a_row_of_more_or_fewer_fields_is_broken_and_shown() {
    let text = b"url,n\nhttp://a/1\nhttp://a/2,b,c\nhttp://a/3,3\n";
    assert_eq!(
        rows(text, b','),
        ["1 fields where the header has 2", "3 fields where the header has 2", "http://a/3|3"]
    );
}

#[test]
fn a_field_may_have_any_number_of_lines() {
    let lines: Vec<String> = (0..1_000).map(|n| format!("line {n}")).collect();
    let text = format!("url,n\n\"{}\",1\nnext,2\n", lines.join("\n"));
    assert_eq!(rows(text.as_bytes(), b','), [format!("{}|1", lines.join("\n")), "next|2".to_owned()]);
}

#[test]
fn lines_within_a_quote_that_never_ends_are_one_broken_row() {
    let inside = "no row\n".repeat(400_000);
    assert!(inside.len() > 2 << 20);
    let told = rows(format!("url,n\na,1\n\"b,2\n{inside}").as_bytes(), b',');
    let all = format!(
        "quoted field without end; 400000 lines of {} bytes behind it make no rows",
        inside.len() - 400_000
    );
    assert_eq!(told, ["a|1", all.as_str()]);
    // A row between them is one, and what stands before it is told before it.
    let told = rows(format!("url,n\n\"b,2\nno row\nc,3\nno row\nno row\n{inside}").as_bytes(), b',');
    assert_eq!(told[..2], ["quoted field without end; 1 lines of 6 bytes behind it make no rows", "c|3"]);
    assert!(told[2].starts_with("1 fields where the header has 2; 400001 lines"), "{told:?}");
    assert_eq!(told.len(), 3);
}

#[test]
fn a_file_that_is_as_it_should_be_again_tells_every_broken_row() {
    let sound: Vec<String> = (0..100).map(|n| format!("a,{n}\n")).collect();
    let told = rows(format!("url,n\n\"b,2\n{}no row\nno row\nc,3\n", sound.concat()).as_bytes(), b',');
    assert_eq!(told.len(), 1 + 100 + 3);
    assert_eq!(told[0], "quoted field without end");
    assert_eq!(told[101..], ["1 fields where the header has 2", "1 fields where the header has 2", "c|3"]);
    // The quote closes after all, beyond what a row may have.
    let long = "no row\n".repeat(200_000);
    let told = rows(format!("url,n\n\"{long}\",2\nc,3\nno row\n").as_bytes(), b',');
    assert!(told[0].starts_with("quoted field without end; 200000 lines"), "{}", told[0]);
    assert_eq!(told[1..], ["c|3", "1 fields where the header has 2"]);
}

#[test]
fn a_carriage_return_alone_ends_a_row() {
    assert_eq!(rows(b"url,n\na,1\rb,2\r\nc,3\n", b','), ["a|1", "b|2", "c|3"]);
    let long = format!("url,n\r{}", "\"a\",1\r".repeat(ROW_BYTES_MAX / 4));
    assert_eq!(rows(long.as_bytes(), b','), vec!["a|1"; ROW_BYTES_MAX / 4]);
}

#[test]
fn line_ends_in_a_quoted_field_stay_as_they_are() {
    let text = b"url,n\r\n\"a\r\nb\",1\r\n\"a\nb\rc\",2\r\n\r\nd,3\r\n";
    assert_eq!(rows(text, b','), ["a\r\nb|1", "a\nb\rc|2", "d|3"]);
    for bytes in 1..12 {
        // Ends lie across the borders of a small buffer.
        let reader = BufReader::with_capacity(bytes, &text[..]);
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let form = (b',', ROW_BYTES_MAX);
        let rows = DelimitedRows::open(("s", "u"), reader, form, &url_and_number(), broken).unwrap();
        let rows: Vec<String> = rows.map(|row| shown_row(row.unwrap())).collect();
        assert_eq!(rows, ["a\r\nb|1", "a\nb\rc|2", "d|3"], "{bytes}");
    }
}

#[test]
fn what_never_closes_costs_no_more_than_reading_it_a_few_times() {
    let line = "x".repeat(500);
    for (pattern, delimiter) in [
        (format!("\"{line}\n"), b','),
        (format!("\"{line}\n"), b'\t'),
        (format!("a,\"{line}\n{line}\n"), b','),
        (format!("\"\"\"\"{line}\n"), b','),
        (format!("\"{line}\"\"\n"), b','),
        ("\"\n".to_owned(), b','),
        ("\"\",\"\n".to_owned(), b','),
        ("a,\"1\"\r".to_owned(), b','),
        ("\"\r".to_owned(), b','),
    ] {
        let header = format!("url{}n", char::from(delimiter));
        let text = format!("{header}\n{}", pattern.repeat((3 << 20) / pattern.len()));
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let form = (delimiter, ROW_BYTES_MAX);
        let mut rows =
            DelimitedRows::open(("s", "u"), text.as_bytes(), form, &url_and_number(), broken).unwrap();
        rows.by_ref().for_each(drop);
        assert!(rows.examined <= 3 * text.len() as u64, "{} of {}", rows.examined, text.len());
    }
    // Quotes that open in every line, while those before them close: no line ends outside of one.
    for pattern in ["a\"b,\"c\n", "\",\"\n", "x\"y,\"\"\"z,\"\n"] {
        let text = format!("url,n\n{}", pattern.repeat((1 << 20) / pattern.len()));
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let form = (b',', 1 << 21);
        let mut rows =
            DelimitedRows::open(("s", "u"), text.as_bytes(), form, &url_and_number(), broken).unwrap();
        rows.by_ref().for_each(drop);
        assert!(rows.examined <= 12 * text.len() as u64, "{} of {}", rows.examined, text.len());
    }
    // One that opens after the last that closes: the bound of a row is looked at once more.
    let text = format!("url,n\n{}", format!("\"{line}\n{}", format!("{line},1\n").repeat(3_000)).repeat(2));
    assert_eq!(rows(text.as_bytes(), b',').iter().filter(|row| row.ends_with("|1")).count(), 6_000);
}

proptest! {
    #[test]
    fn what_is_quoted_comes_back(fields in proptest::collection::vec("[a-c\",\r\n]{0,6}", 2..5)) {
        let quoted: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
        let row = quoted.join(",");
        let mut record = Record::new(b',');
        let row = row + "\n";
        let ended: Vec<bool> =
            row.split_inclusive('\n').map(|line| record.push(line.as_bytes()).1).collect();
        prop_assert!(ended.iter().rev().skip(1).all(|ended| !ended) && ended.last() == Some(&true));
        let row = record.fields();
        let found: Vec<&str> = (0..row.len()).filter_map(|place| row.get(place)).collect();
        prop_assert_eq!(found, fields);
    }

    #[test]
    fn a_line_that_is_taken_apart_at_once_has_the_fields_that_csv_core_finds(line in "[ab\",]{0,12}") {
        if let Some(fields) = Fields::of_quoted_line(line.as_bytes(), b',') {
            let mut record = Record::new(b',');
            let (taken, is_whole) = record.push(format!("{line}\n").as_bytes());
            let texts = |fields: &Fields| fields.texts().map(|text| text.into_owned()).collect::<Vec<_>>();
            prop_assert!(is_whole && taken == line.len() + 1 || line.is_empty());
            prop_assert!(line.is_empty() || texts(&fields) == texts(&record.fields()), "{:?}", line);
        }
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        if let Ok(rows) = DelimitedRows::open(("s", "u"), &bytes[..], (b',', ROW_BYTES_MAX), &[], broken) {
            prop_assert!(rows.count() <= bytes.len());
        }
    }
}
