//! Rows of CSV and TSV with a header, as Python's `csv` and pandas read them (RFC 4180, and less strictly): a
//! field that begins with a quote may hold the delimiter, line ends and doubled quotes; a quote elsewhere is a
//! character like any other (`a 5" nail`), and so is what follows a closing one.
//!
//! A row whose fields are not as many as the header's is broken: there is no telling which is which. A quoted
//! field that does not end breaks its own line alone. Many TSV files are written without any quoting: a
//! line that makes no row, but as many fields as the header without quoting, is taken so.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use corpus::Result;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Cells, ROW_BYTES_MAX, Row, Wanted, find_columns};
use crate::lines::{Line, Lines, pass_over_mark};
use crate::source::preview;

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
    /// Bytes that were looked at, those that were read twice included.
    examined: u64,
    /// What reads rows with quotes, between two of them.
    record: Option<Record>,
}

/// The fields of a row.
type Fields = Vec<Vec<u8>>;
/// The fields of a row with its text, or the row that stands for what cannot be read.
type Found = Result<(Fields, Vec<u8>), Row>;

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
            examined: 0,
            record: None,
        };
        let header = match rows.next_fields().transpose().map_err(|error| broken(&error))? {
            Some(Ok((fields, _))) => fields,
            // Without its header no row of the file can be told.
            Some(Err(Row::Lost { fault, .. })) => return Err(broken(&fault.into())),
            _ => Vec::new(),
        };
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        rows.places = find_columns(stage, url, &names, wanted)?;
        rows.field_count = names.len();
        Ok(rows)
    }

    fn next_line(&mut self) -> Option<io::Result<Line>> {
        self.ahead.pop_front().map(Ok).or_else(|| self.lines.next())
    }

    /// Returns the fields of a line of TSV without quoting, if they are as many as the header's.
    fn unquoted(&self, line: &[u8]) -> Option<Fields> {
        let fields: Fields = line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect();
        (self.delimiter == b'\t' && fields.len() == self.field_count).then_some(fields)
    }

    /// Returns the fields of the next row that is not blank, and its text; or why there are none.
    fn next_fields(&mut self) -> Option<io::Result<Found>> {
        let first = loop {
            match self.next_line()? {
                Ok(Line::Whole(line)) if line.trim_ascii().is_empty() => {}
                Ok(Line::Whole(line)) => break line,
                Ok(Line::TooLong { head, bytes }) => {
                    return Some(Ok(Err(broken(format!("row of {bytes} bytes"), &head))));
                }
                Ok(Line::Lost(fault)) => return Some(Ok(Err(Row::lost(fault)))),
                Err(error) => return Some(Err(error)),
            }
        };
        if memchr::memchr2(b'"', b'\r', &first).is_none() {
            self.examined += first.len() as u64 + 1;
            let fields = first.split(|byte| *byte == self.delimiter).map(<[u8]>::to_vec).collect();
            return Some(Ok(Ok((fields, first))));
        }
        // Making a reader costs more than reading a short row.
        let mut record = self.record.take().unwrap_or_else(|| Record::new(self.delimiter));
        let found = self.next_quoted(first, &mut record);
        record.clear();
        self.record = Some(record);
        Some(found)
    }

    /// Returns the fields of the row that begins with a line in which there are quotes or carriage returns.
    fn next_quoted(&mut self, first: Vec<u8>, record: &mut Record) -> io::Result<Found> {
        let (mut text, mut taken) = (first.clone(), VecDeque::new());
        let mut next = first.clone();
        loop {
            self.examined += next.len() as u64 + 1;
            match record.push(&next) {
                Some(rest) => {
                    if let Some(rest) = rest {
                        text.truncate(text.len() - rest.len() - 1);
                        self.ahead.push_front(Line::Whole(rest));
                    }
                    let fields = record.fields();
                    let is_whole = self.field_count == 0 || fields.len() == self.field_count;
                    let unquoted = if is_whole { None } else { self.unquoted(&text) };
                    return Ok(Ok((unquoted.unwrap_or(fields), text)));
                }
                None if taken.is_empty() => {
                    if let Some(fields) = self.unquoted(&first) {
                        return Ok(Ok((fields, first)));
                    }
                }
                None => {}
            }
            next = match self.next_line() {
                Some(Ok(Line::Whole(line))) if text.len() + line.len() < ROW_BYTES_MAX => line,
                Some(Err(error)) => return Err(error),
                other => {
                    taken.extend(other.and_then(io::Result::ok));
                    taken.append(&mut self.ahead);
                    self.ahead = taken;
                    return Ok(Err(broken("quoted field without end".to_owned(), &first)));
                }
            };
            text.push(b'\n');
            text.extend_from_slice(&next);
            taken.push_back(Line::Whole(next.clone()));
        }
    }

    /// Returns the row of its fields; `text` is what the file holds of it.
    fn row(&self, fields: Fields, text: &[u8]) -> Row {
        if fields.len() != self.field_count {
            let detail = format!("{} fields where the header has {}", fields.len(), self.field_count);
            return broken(detail, text);
        }
        let mut texts = Vec::with_capacity(fields.len());
        for field in fields {
            match String::from_utf8(field) {
                Ok(field) => texts.push(field),
                Err(_) => return broken("not UTF-8".to_owned(), text),
            }
        }
        let of_column = |index: usize| {
            let place = self.places.get(index).copied().flatten()?;
            texts.get(place).filter(|text| !text.is_empty()).cloned()
        };
        Row::Whole(Cells::of_texts(&self.wanted, of_column))
    }
}

impl<R: BufRead> Iterator for DelimitedRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.next_fields()? {
            Ok(Ok((fields, text))) => Ok(self.row(fields, &text)),
            Ok(Err(row)) => Ok(row),
            Err(error) => Err(error),
        })
    }
}

fn broken(detail: String, text: &[u8]) -> Row {
    Row::Broken { detail, preview: preview(text) }
}

/// A row that is being read, line by line.
struct Record {
    reader: Reader,
    bytes: Vec<u8>,
    byte_count: usize,
    ends: Vec<usize>,
    end_count: usize,
}

impl Record {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, bytes: Vec::new(), byte_count: 0, ends: vec![0; 16], end_count: 0 }
    }

    /// Begins another row.
    fn clear(&mut self) {
        self.reader.reset();
        self.bytes.clear();
        (self.byte_count, self.end_count) = (0, 0);
    }

    /// Adds a line. Returns nothing while a quoted field goes on; else what is left of the line, which is
    /// another row if a carriage return ended this one.
    fn push(&mut self, line: &[u8]) -> Option<Option<Vec<u8>>> {
        self.bytes.resize(self.byte_count + line.len() + 1, 0);
        let line = [line, b"\n"].concat();
        let mut input = &line[..];
        loop {
            let (bytes, ends) = (&mut self.bytes[self.byte_count..], &mut self.ends[self.end_count..]);
            let (result, read, written, ended) = self.reader.read_record(input, bytes, ends);
            input = &input[read..];
            self.byte_count += written;
            self.end_count += ended;
            match result {
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    let rest = input.strip_suffix(b"\n").filter(|rest| !rest.is_empty());
                    return Some(rest.map(<[u8]>::to_vec));
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
                // There is room for all of the input.
                ReadRecordResult::OutputFull => self.bytes.push(0),
            }
        }
    }

    fn fields(&self) -> Fields {
        let ends = &self.ends[..self.end_count];
        let begins = std::iter::once(0).chain(ends.iter().copied());
        begins.zip(ends).map(|(begin, end)| self.bytes[begin..*end].to_vec()).collect()
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
    }

    #[test]
    fn a_file_without_the_column_says_what_it_has() {
        let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
        let opened = DelimitedRows::open(("s", "u.csv"), &b"link,n\n"[..], b',', &url_and_number(), broken);
        let message = opened.err().unwrap().to_string();
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
    fn a_carriage_return_alone_ends_a_row() {
        assert_eq!(rows(b"url,n\na,1\rb,2\r\nc,3\n", b','), ["a|1", "b|2", "c|3"]);
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
        ] {
            let header = format!("url{}n", char::from(delimiter));
            let text = format!("{header}\n{}", pattern.repeat((3 << 20) / pattern.len()));
            let broken = |error: &io::Error| corpus::Error::work("test", error.to_string());
            let mut rows =
                DelimitedRows::open(("s", "u"), text.as_bytes(), delimiter, &url_and_number(), broken)
                    .unwrap();
            rows.by_ref().for_each(drop);
            assert!(rows.examined <= 3 * text.len() as u64, "{} of {}", rows.examined, text.len());
        }
        // One that opens after the last that closes: the bound of a row is looked at once more.
        let text =
            format!("url,n\n{}", format!("\"{line}\n{}", format!("{line},1\n").repeat(3_000)).repeat(2));
        assert_eq!(rows(text.as_bytes(), b',').iter().filter(|row| row.ends_with("|1")).count(), 6_000);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(fields in proptest::collection::vec("[a-c\",\n]{0,6}", 2..5)) {
            let quoted: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            let row = quoted.join(",");
            let mut record = Record::new(b',');
            let ended: Vec<bool> = row.split('\n').map(|line| record.push(line.as_bytes()).is_some()).collect();
            prop_assert!(ended.iter().rev().skip(1).all(|ended| !ended) && ended.last() == Some(&true));
            let found: Vec<String> =
                record.fields().into_iter().map(|field| String::from_utf8(field).unwrap()).collect();
            prop_assert_eq!(found, fields);
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
