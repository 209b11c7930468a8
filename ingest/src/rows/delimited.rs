//! Rows of CSV and TSV with a header (RFC 4180): a field may be in quotes, and then hold the
//! delimiter, line ends and doubled quotes.
//!
//! Real lists are sloppy: a quote within a field (`a 5" nail`) is a character like any other, and
//! a quoted field that does not end within 64 lines breaks its own line alone. Many TSV
//! files are written without any quoting: where a quoted field does not end in its line, but the line
//! without quoting has as many fields as the header, it is taken so.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use corpus::Result;

use super::{Cells, ROW_BYTES_MAX, Row, Wanted, find_columns};
use crate::lines::{Line, Lines, pass_over_mark};
use crate::source::preview;

/// Lines that one row may take.
const QUOTED_LINES_MAX: usize = 64;

/// Iterator over the rows of a file; holds one row of at most [`ROW_BYTES_MAX`] bytes.
pub struct DelimitedRows<R> {
    lines: Lines<R>,
    delimiter: u8,
    wanted: Vec<Wanted>,
    /// For every wanted column its place in a row.
    places: Vec<Option<usize>>,
    /// Fields of the header.
    field_count: usize,
    /// Lines that were read ahead in search of the end of a quoted field.
    ahead: VecDeque<Line>,
}

impl<R: BufRead> DelimitedRows<R> {
    /// Reads the header; the stage's name and the URL are for messages.
    ///
    /// # Errors
    /// When a required column is missing, or the file cannot be read (`broken` says how to put it).
    pub fn open(
        (stage, url): (&str, &str),
        mut reader: R,
        delimiter: u8,
        wanted: &[Wanted],
        broken: impl Fn(&io::Error) -> corpus::Error,
    ) -> Result<Self> {
        pass_over_mark(&mut reader).map_err(|error| broken(&error))?;
        let mut rows = Self {
            lines: Lines::new(reader, ROW_BYTES_MAX),
            delimiter,
            wanted: wanted.to_vec(),
            places: Vec::new(),
            field_count: 0,
            ahead: VecDeque::new(),
        };
        let header = match rows.next_fields().transpose().map_err(|error| broken(&error))? {
            Some(Ok(fields)) => fields,
            // Without its header no row of the file can be told.
            Some(Err(Row::Lost(fault))) => return Err(broken(&fault.into())),
            _ => Vec::new(),
        };
        let names: Vec<&str> = header.iter().map(|name| name.trim()).collect();
        rows.places = find_columns(stage, url, &names, wanted)?;
        rows.field_count = names.len();
        Ok(rows)
    }

    fn next_line(&mut self) -> Option<io::Result<Line>> {
        self.ahead.pop_front().map(Ok).or_else(|| self.lines.next())
    }

    /// Returns the fields of a line of TSV without quoting, if they are as many as the header's.
    fn unquoted(&self, line: &[u8]) -> Option<Vec<String>> {
        let line = std::str::from_utf8(line).ok().filter(|_| self.delimiter == b'\t')?;
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        (fields.len() == self.field_count).then_some(fields)
    }

    /// Returns the fields of the next row that is not blank, or why there are none.
    fn next_fields(&mut self) -> Option<io::Result<Result<Vec<String>, Row>>> {
        let first = loop {
            match self.next_line()? {
                Ok(Line::Whole(line)) if line.trim_ascii().is_empty() => {}
                Ok(Line::Whole(line)) => break line,
                Ok(Line::TooLong { head, bytes }) => {
                    return Some(Ok(Err(broken(format!("row of {bytes} bytes"), &head))));
                }
                Ok(Line::Lost(fault)) => return Some(Ok(Err(Row::Lost(fault)))),
                Err(error) => return Some(Err(error)),
            }
        };
        let mut row = first.clone();
        let mut taken = VecDeque::new();
        loop {
            match split(&row, self.delimiter) {
                Some(Ok(fields)) => return Some(Ok(Ok(fields))),
                Some(Err(detail)) => return Some(Ok(Err(broken(detail.to_owned(), &row)))),
                None if taken.is_empty() => {
                    if let Some(fields) = self.unquoted(&first) {
                        return Some(Ok(Ok(fields)));
                    }
                }
                None => {}
            }
            let more = match self.next_line() {
                Some(Ok(Line::Whole(line)))
                    if taken.len() < QUOTED_LINES_MAX && row.len() + line.len() < ROW_BYTES_MAX =>
                {
                    line
                }
                Some(Err(error)) => return Some(Err(error)),
                other => {
                    taken.extend(other.and_then(io::Result::ok));
                    taken.append(&mut self.ahead);
                    self.ahead = taken;
                    return Some(Ok(Err(broken("quoted field without end".to_owned(), &first))));
                }
            };
            row.push(b'\n');
            row.extend_from_slice(&more);
            taken.push_back(Line::Whole(more));
        }
    }
}

impl<R: BufRead> Iterator for DelimitedRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let fields = match self.next_fields()? {
            Ok(Ok(fields)) => fields,
            Ok(Err(row)) => return Some(Ok(row)),
            Err(error) => return Some(Err(error)),
        };
        let text = |index: usize| {
            let place = self.places.get(index).copied().flatten()?;
            fields.get(place).filter(|text| !text.is_empty()).cloned()
        };
        Some(Ok(Row::Whole(Cells::of_texts(&self.wanted, text))))
    }
}

fn broken(detail: String, row: &[u8]) -> Row {
    Row::Broken { detail, preview: preview(row) }
}

/// Splits a row into fields; `None` if a quoted field has not ended.
fn split(row: &[u8], delimiter: u8) -> Option<Result<Vec<String>, &'static str>> {
    let mut fields = Vec::new();
    let mut rest = row;
    loop {
        let (field, after) = match rest {
            [b'"', quoted @ ..] => unquote(quoted, delimiter)?,
            _ => {
                let end = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
                (rest[..end].to_vec(), &rest[end..])
            }
        };
        match String::from_utf8(field) {
            Ok(field) => fields.push(field),
            Err(_) => return Some(Err("not UTF-8")),
        }
        match after {
            [_, more @ ..] => rest = more,
            [] => return Some(Ok(fields)),
        }
    }
}

/// Returns a field whose opening quote was passed, and what follows its closing one. A quote
/// that neither a delimiter nor the end follows closes nothing.
fn unquote(quoted: &[u8], delimiter: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut field = Vec::new();
    let mut rest = quoted;
    loop {
        let quote = rest.iter().position(|byte| *byte == b'"')?;
        field.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest {
            [] => return Some((field, rest)),
            [next, ..] if *next == delimiter => return Some((field, rest)),
            [b'"', after @ ..] => {
                field.push(b'"');
                rest = after;
            }
            _ => field.push(b'"'),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{shown_row, url_and_number};
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &[u8], delimiter: u8) -> Vec<String> {
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let rows = DelimitedRows::open(("s", "u"), text, delimiter, &url_and_number(), broken).unwrap();
        rows.map(|row| shown_row(row.unwrap())).collect()
    }

    #[test]
    fn columns_are_found_by_the_header_and_quotes_hold_anything() {
        let text =
            b"\xEF\xBB\xBFn,URL,x\r\n1,http://a/1,\r\n\r\n2,\"http://a/\"\"2\",\"a\nb, c\"\nx,http://a/3\n";
        assert_eq!(rows(text, b','), ["http://a/1|1", "http://a/\"2|2", "http://a/3|"]);
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
    }

    #[test]
    fn a_file_without_the_column_says_what_it_has() {
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let opened = DelimitedRows::open(("s", "u.csv"), &b"link,n\n"[..], b',', &url_and_number(), broken);
        let message = opened.err().unwrap().to_string();
        assert!(message.contains("u.csv") && message.contains("link"), "{message}");
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(fields in proptest::collection::vec("[a-c\",\n]{0,6}", 1..5)) {
            let quoted: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            // A quote followed by a delimiter ends a field, so only doubled ones are safe there.
            let row = quoted.join(",");
            prop_assert_eq!(split(row.as_bytes(), b',').unwrap().unwrap(), fields);
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
            if let Ok(rows) = DelimitedRows::open(("s", "u"), &bytes[..], b',', &[], broken) {
                prop_assert!(rows.count() <= bytes.len());
            }
        }
    }
}
