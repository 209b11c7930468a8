//! Rows of JSON: an object a line, or several, one array of objects as `pandas` and `json.dump` write, or a JSON text
//! sequence (RFC 7464).

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, BufRead};

use corpus::Result;

use super::element::{Element, element};
use super::fields::{Fields, Found};
use super::run_on::{self, RECORD_SEPARATOR};
use super::{Cells, ColumnKind, Row, Wanted, missing_column, nested_column};
use crate::fetch::source::source_error;
use crate::lines::{Begun, Ends, Line, Lines, pass_over_mark};

/// Objects in which a required column is looked for before it is said to be missing.
const CHECKED_OBJECTS_MAX: usize = 100;
/// Bytes that are read for that at most.
const CHECKED_BYTES_MAX: usize = 16 << 20;

/// Iterator over the rows of a file; holds one row, and those in which columns are looked for at the beginning.
pub struct JsonRows<R> {
    texts: JsonTexts<R>,
    wanted: Vec<Wanted>,
}

impl<R: BufRead> JsonRows<R> {
    /// Reads a file of either form, told by its first character. The stage's name and the URL are for
    /// messages, and a row has so many bytes at most.
    ///
    /// # Errors
    /// When it cannot be read, or none of its first objects has a required column.
    pub fn open(place: (&str, &str), reader: R, row_bytes_max: usize, wanted: &[Wanted]) -> Result<Self> {
        let texts = JsonTexts::open(place, reader, row_bytes_max, wanted)?;
        Ok(Self { texts, wanted: wanted.to_vec() })
    }
}

impl<R: BufRead> Iterator for JsonRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            return Some(match self.texts.next()? {
                Ok(Line::Whole(text)) if text.trim_ascii().is_empty() => continue,
                line => line.map(|line| Row::of_line(line, "row", |text| cells(text, &self.wanted))),
            });
        }
    }
}

/// Iterator over the texts of the objects of a file: its lines, blank ones too, or the elements of
/// its array. A line of several objects has a text for each.
pub struct JsonTexts<R> {
    lines: Lines<R>,
    text_bytes_max: usize,
    /// Whether the reader stands within an array.
    in_array: bool,
    /// Further texts of the line that was read last.
    texts: VecDeque<Line>,
    /// The beginning of a text in a line that was not read to its end.
    begun: Vec<u8>,
    /// Texts that were read ahead to look for columns.
    ahead: VecDeque<Line>,
    /// The transport's error that ended that.
    error: Option<io::Error>,
}

impl<R: BufRead> JsonTexts<R> {
    /// Reads a file of either form, told by its first character; a text has so many bytes at most.
    ///
    /// # Errors
    /// When it cannot be read, or none of its first objects has a required column.
    pub fn open(
        (stage, url): (&str, &str),
        mut reader: R,
        text_bytes_max: usize,
        wanted: &[Wanted],
    ) -> Result<Self> {
        let mut ahead = VecDeque::new();
        let begun = pass_over_mark(&mut reader).and_then(|()| first_character(&mut reader));
        let blank = match begun {
            Ok(blank) => blank,
            // The file begins with damage; what is behind it is read by lines.
            Err(error) => {
                ahead.push_back(Line::lost(error, 0).map_err(|error| source_error(url, &error))?);
                Blank::default()
            }
        };
        let in_array = blank.first == Some(b'[');
        let in_sequence = blank.first == Some(RECORD_SEPARATOR);
        let is_laid_out = blank.first == Some(b'{') && opens_alone(&mut reader);
        if in_array || in_sequence {
            reader.consume(1);
        } else {
            // Blank lines were passed over, and are rows all the same.
            ahead.extend(std::iter::repeat_n(Line::Whole(Vec::new()), blank.lines));
        }
        // Objects that are laid out over lines end where they end, so the whole file is one line.
        let ends = if in_sequence || is_laid_out { Ends::Byte(RECORD_SEPARATOR) } else { Ends::Feed };
        let lines = Lines::new(reader, text_bytes_max, ends);
        let (texts, begun) = (VecDeque::new(), Vec::new());
        let mut texts = Self { lines, text_bytes_max, in_array, texts, begun, ahead, error: None };
        texts.check(stage, url, wanted)?;
        Ok(texts)
    }

    /// Reads ahead until all required columns were seen.
    fn check(&mut self, stage: &str, url: &str, wanted: &[Wanted]) -> Result<()> {
        let mut missing: Vec<&Wanted> = wanted.iter().filter(|column| column.required).collect();
        let mut there = BTreeSet::new();
        let (mut objects, mut bytes) = (0, 0);
        while !missing.is_empty() && objects < CHECKED_OBJECTS_MAX && bytes < CHECKED_BYTES_MAX {
            let text = match self.read() {
                Some(Ok(text)) => text,
                Some(Err(error)) => {
                    self.error = Some(error);
                    return Ok(());
                }
                None => break,
            };
            // Each is held, blank ones too.
            bytes += size_of::<Line>();
            if let Line::Whole(text) = &text {
                bytes += text.len();
                if let Ok(fields) = Fields::of(text) {
                    objects += 1;
                    refuse_nested(stage, url, wanted, &fields)?;
                    missing.retain(|column| !column.names.iter().any(|name| fields.raw(name).is_some()));
                    there.extend(fields.names().map(str::to_owned));
                }
            }
            self.ahead.push_back(text);
        }
        match missing.first() {
            Some(column) if objects > 0 => {
                let there: Vec<&str> = there.iter().map(String::as_str).collect();
                Err(missing_column(stage, url, column, &there))
            }
            _ => Ok(()),
        }
    }

    fn read(&mut self) -> Option<io::Result<Line>> {
        while self.in_array {
            let Element { text, is_last } = match element(self.lines.reader(), self.text_bytes_max) {
                Ok(element) => element,
                Err(error) => return Some(Err(error)),
            };
            if is_last && let Err(error) = self.end_array() {
                // What was read goes out first, and the error after it.
                self.error = Some(error);
            }
            if text.is_some() {
                return text.map(Ok);
            }
        }
        self.error.take().map(Err).or_else(|| self.read_line())
    }

    /// Reads the next text of a line.
    fn read_line(&mut self) -> Option<io::Result<Line>> {
        if let Some(text) = self.texts.pop_front() {
            return Some(Ok(text));
        }
        let begun = std::mem::take(&mut self.begun);
        let is_run_on = !begun.is_empty();
        match self.lines.begin(begun)? {
            Begun::Whole(line) if !run_on::may_be_many(&line) => return Some(Ok(Line::Whole(line))),
            Begun::Whole(line) => self.texts.extend(run_on::records(&line, false).into_iter().map(whole)),
            Begun::TooLong(head) => {
                let mut records = run_on::records(&head, true);
                if is_run_on && records.len() == 1 {
                    // It is broken, or as long as no record may be.
                    records = run_on::records(&head, false);
                }
                match records.split_last() {
                    Some((last, before)) if !before.is_empty() => {
                        self.begun = last.to_vec();
                        self.texts.extend(before.iter().copied().map(whole));
                    }
                    // Behind it others follow in this line.
                    _ if is_run_on => self.texts.push_back(Line::TooLong { bytes: head.len() as u64, head }),
                    _ => return Some(self.lines.pass_over(head)),
                }
            }
            Begun::Broken(line, error) => {
                let mut records = run_on::records(&line, true);
                let unfinished = records.pop().map_or(0, <[u8]>::len);
                match Line::lost(error, unfinished) {
                    Ok(lost) => self.texts.extend(records.into_iter().map(whole).chain([lost])),
                    Err(error) => return Some(Err(error)),
                }
            }
        }
        self.texts.pop_front().map(Ok)
    }

    /// Leaves an array: another one may follow, where files were joined, or lines.
    fn end_array(&mut self) -> io::Result<()> {
        let reader = self.lines.reader();
        self.in_array = false;
        match first_character(reader) {
            Ok(blank) if blank.first == Some(b'[') => {
                reader.consume(1);
                self.in_array = true;
            }
            Ok(_) => {}
            Err(error) => self.ahead.push_back(Line::lost(error, 0)?),
        }
        Ok(())
    }
}

impl<R: BufRead> Iterator for JsonTexts<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ahead.pop_front().map(Ok).or_else(|| self.read())
    }
}

fn whole(text: &[u8]) -> Line {
    Line::Whole(text.to_vec())
}

fn cells(text: &[u8], wanted: &[Wanted]) -> Result<Cells, String> {
    Fields::of(text).and_then(|fields| Cells::of_fields(wanted, &fields))
}

/// Refuses a file in which a column of texts holds what is none.
fn refuse_nested(stage: &str, url: &str, wanted: &[Wanted], fields: &Fields<'_>) -> Result<()> {
    for column in wanted.iter().filter(|column| column.required) {
        let Some(name) = column.names.iter().find(|name| fields.raw(name).is_some()) else { continue };
        let kind = match (column.kind, fields.get(name)) {
            (ColumnKind::Text | ColumnKind::Beside | ColumnKind::Bytes, Ok(Some(Found::Texts(_)))) => {
                "lists of texts"
            }
            (ColumnKind::Id | ColumnKind::Number | ColumnKind::Json, _) => continue,
            (_, Ok(Some(Found::Nested(_)))) => "lists or objects",
            _ => continue,
        };
        return Err(nested_column(stage, url, name, kind));
    }
    Ok(())
}

/// White space at the beginning of a file.
#[derive(Default)]
struct Blank {
    /// Line ends in it.
    lines: usize,
    /// The character after it, which stays to be read.
    first: Option<u8>,
}

/// Lines of white space that are passed over at the beginning; what has more is read by lines.
const BLANK_LINES_MAX: usize = 1_024;

/// Passes over white space.
fn first_character(reader: &mut impl BufRead) -> io::Result<Blank> {
    let mut lines = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        lines += memchr::memchr_iter(b'\n', &buffer[..blank]).count();
        let (first, is_empty) = (buffer.get(blank).copied(), buffer.is_empty());
        reader.consume(blank);
        if first.is_some() || is_empty || lines > BLANK_LINES_MAX {
            return Ok(Blank { lines, first });
        }
    }
}

/// Returns whether the first line holds nothing but the beginning of an object, as printers of JSON lay it out.
fn opens_alone(reader: &mut impl BufRead) -> bool {
    let Ok(head) = reader.fill_buf() else { return false };
    let behind = head[1.min(head.len())..].iter().find(|byte| !b" \t\r".contains(*byte));
    behind == Some(&b'\n')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::ROW_BYTES_MAX;
    use super::super::testing::{shown_row, url_and_number};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::io::BufReader;

    fn rows(text: &str) -> Vec<String> {
        // A small buffer, so that rows lie across its borders.
        let reader = BufReader::with_capacity(7, text.as_bytes());
        match JsonRows::open(("s", "u"), reader, ROW_BYTES_MAX, &url_and_number()) {
            Ok(rows) => rows.map(|row| shown_row(row.unwrap())).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn lines_and_arrays_give_the_same_rows() {
        let expected = ["http://a/1|1", "http://a/],\"|2.5", "http://a/3|"];
        assert_eq!(
            rows(
                "{\"url\":\"http://a/1\",\"n\":\"1\"}\n{\"url\":\"http://a/],\\\"\",\"n\":2.5}\n\n{\"URL\":\"http://a/3\"}"
            ),
            expected
        );
        let array = " [\n {\"url\":\"http://a/1\",\"n\":1},{\"x\":[{},[]],\"url\":\"http://a/],\\\"\",\"n\":2.5} ,\n{\"URL\":\"http://a/3\"}\n]\n";
        assert_eq!(rows(array), expected);
        let joined = array.repeat(2);
        assert_eq!(rows(&joined).len(), 2 * expected.len());
        assert_eq!(rows(&format!("{array}{{\"url\":\"u\"}}\n")).last().map(String::as_str), Some("u|"));
        assert_eq!(rows("[]"), Vec::<String>::new());
        assert_eq!(rows(""), Vec::<String>::new());
    }

    #[test]
    fn objects_in_one_line_and_sequences_are_rows() {
        let objects = ["{\"url\":\"a\"}", "{\"n\":1,\"url\":\"b\"}", "{\"url\":\"c\"}"];
        for between in ["", " ", "\r", "\r\n", "\n"] {
            assert_eq!(rows(&objects.join(between)), ["a|", "b|1", "c|"], "{between:?}");
        }
        let sequence = "\x1e{\"url\":\"a\"}\n\x1e{\"n\":1,\n \"url\":\n\"b\"}\n\x1e\x1e{\"url\":\"c\"}\n";
        assert_eq!(rows(sequence), ["a|", "b|1", "c|"]);
        let broken = rows("\x1e{\"url\":\"a\"}\n\x1e{\"url\":\n\x1e{\"url\":\"c\"}\n");
        assert_eq!((broken.len(), &*broken[0], &*broken[2]), (3, "a|", "c|"));
        let broken = rows("{\"url\":\"a\"}\r{\"url\":\"b\r{\"url\":\"c\"}\r{\"url\":\"d\"}\r");
        assert_eq!(
            (broken.len(), &*broken[0], &broken[2..]),
            (4, "a|", &["c|".to_owned(), "d|".to_owned()][..])
        );
    }

    #[test]
    fn a_line_of_many_objects_may_be_longer_than_a_row() {
        let texts = |text: &str, bytes_max: usize| -> Vec<String> {
            let reader = BufReader::with_capacity(7, text.as_bytes());
            let texts = JsonTexts::open(("s", "u"), reader, bytes_max, &[]).unwrap();
            let shown = |line| match line {
                Line::Whole(text) => String::from_utf8(text).unwrap(),
                Line::TooLong { bytes, .. } => format!("{bytes} bytes"),
                Line::Lost(fault) => fault.detail,
            };
            texts.map(|line| shown(line.unwrap())).collect()
        };
        let object = "{\"a\":\"}{\"}";
        assert_eq!(texts(&object.repeat(99), 30), vec![object; 99]);
        assert_eq!(texts(&[object; 99].join("\r"), 30), vec![object; 99]);
        // One that is too long, and one that does not end.
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(40));
        let found = texts(&format!("{object}{long}{object}{object}"), 30);
        assert_eq!(found[..2], [object, "31 bytes"]);
        assert_eq!(found[found.len() - 2..], [object, object], "{found:?}");
        let found = texts(&format!("{object}{{\"b\":[1,{}", "{\"a\":12}".repeat(20)), 30);
        assert_eq!(found[..2], [object, "{\"b\":[1,{\"a\":12}"]);
        assert_eq!(found[2..], vec!["{\"a\":12}"; 19]);
        // The rest of a line that holds one object alone is passed over, as before.
        assert_eq!(texts(&format!("{long}{object}\n{object}\n"), 30), ["58 bytes", object]);
    }

    #[test]
    fn what_is_no_object_is_a_broken_row() {
        let found = rows("[1, {\"url\": \"u\"}, {\"url\":");
        assert_eq!(found[..2], ["not an object", "u|"]);
        assert!(found[2].contains("the row ends"), "{found:?}");
        let long = format!("[{{\"url\":\"{}\"}},{{\"url\":\"u\"}}]", "x".repeat(ROW_BYTES_MAX));
        assert_eq!(rows(&long), [format!("row of {} bytes", ROW_BYTES_MAX + 10), "u|".to_owned()]);
    }

    proptest! {
        #[test]
        fn any_array_of_objects_comes_back(urls in proptest::collection::vec("\\PC{0,12}", 0..8)) {
            let array: Vec<_> = urls.iter().map(|url| json!({"url": url, "x": [url, {"y": url}]})).collect();
            let expected: Vec<String> = urls.iter().map(|url| format!("{url}|")).collect();
            prop_assert_eq!(rows(&serde_json::to_string(&array).unwrap()), expected.clone());
            prop_assert_eq!(rows(&serde_json::to_string_pretty(&array).unwrap()), expected);
        }

        #[test]
        fn any_text_ends(text in "[\\[\\]{},\"\\\\a \r\n\x1e]{0,60}") {
            prop_assert!(rows(&text).len() <= text.len() + 1);
        }
    }
}
