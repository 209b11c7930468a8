//! Rows of CSV and TSV with a header, as Python's `csv` and pandas read them (RFC 4180, and less strictly): a
//! field that begins with a quote may hold the delimiter, line ends as they stand in the file and doubled quotes; a
//! quote elsewhere is a character like any other (`a 5" nail`), and so is what follows a closing one.
//!
//! A row whose fields are not as many as the header's is broken: there is no telling which is which. A quoted
//! field that does not end breaks its own line, and with it, as one row, those behind it that have not as many fields
//! as the header. Many TSV files are written without any quoting: a line that makes no row, but as many fields as the
//! header without quoting, is taken so.

use std::io::{self, BufRead};

use corpus::Result;

use super::ahead::{Ahead, text_length};
use super::record::{Fields, Record};
use super::unclosed::Unclosed;
use super::{Cells, ColumnKind, Row, Wanted, dialect, find_columns};
use crate::fault::FileFault;
use crate::lines::{Ends, Line, Lines, pass_over_mark};
use crate::source::preview;

/// Iterator over the rows of a file; holds a few rows of the most bytes that one may have.
pub struct DelimitedRows<R> {
    lines: Lines<R>,
    row_bytes_max: usize,
    delimiter: u8,
    wanted: Vec<Wanted>,
    /// For every wanted column its place in a row.
    places: Vec<Option<usize>>,
    /// The names in the header, and how many they are.
    names: Vec<String>,
    field_count: usize,
    /// Lines that were read in search of the end of a quoted field.
    ahead: Ahead,
    /// Bytes that were looked at, those that were read twice included.
    examined: u64,
    /// Those of them that were looked through for the end of a quoted field, in vain.
    searched: u64,
    /// What reads rows with quotes, between two of them.
    record: Option<Record>,
    /// What a quoted field without end did to the lines behind it.
    unclosed: Option<Unclosed>,
    /// A row that was read before the broken one which goes before it was told.
    next: Option<Row>,
}

/// Bytes that are looked through in vain for the end of a quoted field, for each byte of the rows before it: a quote
/// in every line would have the rest of the file looked through again and again.
const SEARCHED_PER_BYTE: u64 = 4;

/// What was found where a row should begin.
enum Found {
    /// The fields of a row, and its text where it is not what they hold and may have to be shown.
    Fields(Fields, Option<Vec<u8>>),
    /// The line of a quoted field without end.
    Unclosed(Vec<u8>),
    /// A row that cannot be read, and how it begins.
    TooLong(String, Vec<u8>),
    /// The row that stands for damage of the file.
    Lost(Row),
}

impl<R: BufRead> DelimitedRows<R> {
    /// Reads the header; the stage's name and the URL are for messages, and a row has so many bytes at most, its line
    /// ends included.
    ///
    /// # Errors
    /// When a required column is missing, or the file cannot be read (`broken` says how to put it).
    pub fn open(
        (stage, url): (&str, &str),
        mut reader: R,
        (delimiter, row_bytes_max): (u8, usize),
        wanted: &[Wanted],
        broken: impl Fn(&io::Error) -> corpus::Error,
    ) -> Result<Self> {
        pass_over_mark(&mut reader).map_err(|error| broken(&error))?;
        // Damage at the beginning is met again where the header is read.
        let told = reader.fill_buf().map(|head| dialect::told(head, delimiter));
        let (delimiter, hint) = told.unwrap_or((delimiter, 0));
        reader.consume(hint);
        let mut rows = Self {
            lines: Lines::new(reader, row_bytes_max, Ends::Kept),
            row_bytes_max,
            delimiter,
            wanted: wanted.to_vec(),
            places: Vec::new(),
            names: Vec::new(),
            field_count: 0,
            ahead: Ahead::default(),
            examined: 0,
            searched: 0,
            record: None,
            unclosed: None,
            next: None,
        };
        let header = match rows.find().transpose().map_err(|error| broken(&error))? {
            Some(Found::Fields(fields, _)) => fields,
            // Without its header no row of the file can be told.
            Some(Found::Lost(Row::Lost { fault, .. })) => return Err(broken(&fault.into())),
            Some(Found::TooLong(detail, _)) => {
                let detail =
                    format!("its header is a {detail}, more than the {row_bytes_max} that a row may have");
                return Err(broken(&FileFault::broken(detail).into()));
            }
            Some(Found::Unclosed(_)) => {
                return Err(broken(&FileFault::broken("its header has a quoted field without end").into()));
            }
            Some(Found::Lost(_)) | None => Fields::default(),
        };
        rows.names = header.texts().map(|name| name.trim().to_owned()).collect();
        let names: Vec<&str> = rows.names.iter().map(String::as_str).collect();
        rows.places = find_columns(stage, url, &names, wanted)?;
        rows.field_count = names.len();
        Ok(rows)
    }

    /// Reads every column, in place of those that were wanted; returns their names.
    pub(crate) fn want_all(&mut self, kind: ColumnKind) -> &[String] {
        self.wanted = self.names.iter().map(|name| Wanted::optional(kind, vec![name.clone()])).collect();
        self.places = (0..self.field_count).map(Some).collect();
        &self.names
    }

    /// Returns the fields of a line of TSV without quoting, if they are as many as the header's.
    fn unquoted(&self, line: &[u8]) -> Option<Fields> {
        let is_as_wanted = |fields: &Fields| fields.len() == self.field_count;
        (self.delimiter == b'\t').then(|| Fields::of_line(line.to_vec(), b'\t')).filter(is_as_wanted)
    }

    /// Returns the fields of a line that has as many as the header, and quotes only around some of them.
    fn quoted(&mut self, line: &[u8]) -> Option<Found> {
        let fields = Fields::of_quoted_line(&line[..text_length(line)], self.delimiter)?;
        let is_as_wanted = fields.len() == self.field_count && fields.is_text();
        is_as_wanted.then(|| {
            self.examined += line.len() as u64;
            Found::Fields(fields, None)
        })
    }

    /// Returns the fields of a line in which there are no quotes.
    fn plain(&mut self, mut line: Vec<u8>) -> Found {
        self.examined += line.len() as u64;
        line.truncate(text_length(&line));
        Found::Fields(Fields::of_line(line, self.delimiter), None)
    }

    /// Returns the next row that is not blank.
    fn find(&mut self) -> Option<io::Result<Found>> {
        let is_plain = |line: &[u8]| memchr::memchr(b'"', line).is_none();
        loop {
            if self.ahead.is_empty() {
                let line = match self.ahead.take_last() {
                    Some(line) => line,
                    None => match self.lines.next()? {
                        Ok(line) => line,
                        Err(error) => return Some(Err(error)),
                    },
                };
                match line {
                    Line::Whole(line) if line.trim_ascii().is_empty() => continue,
                    // So it is with nearly every line.
                    Line::Whole(line) if is_plain(&line) => return Some(Ok(self.plain(line))),
                    Line::Whole(line) => match self.quoted(&line) {
                        Some(found) => return Some(Ok(found)),
                        None => self.ahead.push(&line),
                    },
                    Line::TooLong { head, bytes } => {
                        return Some(Ok(Found::TooLong(format!("row of {bytes} bytes"), head)));
                    }
                    Line::Lost(fault) => return Some(Ok(Found::Lost(Row::lost(fault)))),
                }
            }
            let line = self.ahead.line();
            let length = line.len();
            if line.trim_ascii().is_empty() {
                self.ahead.pass(length);
                continue;
            }
            if is_plain(line) {
                let line = line.to_vec();
                self.ahead.pass(length);
                return Some(Ok(self.plain(line)));
            }
            // Making a reader costs more than reading a short row.
            let mut record = self.record.take().unwrap_or_else(|| Record::new(self.delimiter));
            let found = self.find_quoted(&mut record);
            record.clear();
            self.record = Some(record);
            return Some(found);
        }
    }

    /// Returns the row that begins with a line in which there are quotes.
    fn find_quoted(&mut self, record: &mut Record) -> io::Result<Found> {
        let first = self.ahead.line().len();
        let mut length = 0;
        loop {
            let line = self.ahead.line_at(length).unwrap_or_default();
            let (taken, is_whole) = record.push(line);
            self.examined += taken as u64;
            length += taken;
            if is_whole {
                let fields = record.fields();
                let is_as_wanted = self.field_count == 0 || fields.len() == self.field_count;
                // So it is with nearly every row.
                let text = (!is_as_wanted || !fields.is_text()).then(|| self.ahead.text(length));
                self.ahead.pass(length);
                let unquoted = text.as_deref().filter(|_| !is_as_wanted).and_then(|text| self.unquoted(text));
                return Ok(Found::Fields(unquoted.unwrap_or(fields), text));
            }
            if length == first
                && let text = self.ahead.text(length)
                && let Some(fields) = self.unquoted(&text)
            {
                self.ahead.pass(length);
                return Ok(Found::Fields(fields, Some(text)));
            }
            let may_search = self.may_search();
            let is_there =
                may_search && (self.ahead.line_at(length).is_some() || self.ahead.read(&mut self.lines)?);
            let next = self.ahead.line_at(length).filter(|_| is_there);
            if next.is_none_or(|next| length + next.len() > self.row_bytes_max) {
                self.searched += (length - first) as u64;
                let text = self.ahead.text(first);
                self.ahead.pass(first);
                return Ok(Found::Unclosed(text));
            }
        }
    }

    /// Returns true unless too much was looked through in vain: then a quoted field ends in its line or not at all.
    fn may_search(&self) -> bool {
        let read = self.examined.saturating_sub(self.searched);
        self.searched <= self.row_bytes_max as u64 + SEARCHED_PER_BYTE * read
    }

    /// Returns the row of its fields; `text` is what the file holds of it.
    fn row(&self, fields: &Fields, text: &[u8]) -> Row {
        if !fields.is_text() {
            return broken("not UTF-8".to_owned(), text);
        }
        let of_column = |index: usize| {
            let place = self.places.get(index).copied().flatten()?;
            fields.get(place).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Row::Whole(Cells::of_texts(&self.wanted, of_column))
    }

    /// Returns the row of what was found; none if it goes with a broken one.
    fn told(&mut self, found: Found) -> Option<Row> {
        let (detail, text) = match found {
            Found::Lost(row) => {
                let before = self.unclosed.take().and_then(|mut unclosed| unclosed.end());
                return self.after(before, row);
            }
            Found::Unclosed(line) => {
                match &mut self.unclosed {
                    Some(unclosed) => unclosed.add("quoted field without end", &line),
                    None => self.unclosed = Some(Unclosed::new(&line)),
                }
                return None;
            }
            Found::Fields(fields, text) if fields.len() == self.field_count => {
                let before = self.unclosed.as_mut().and_then(Unclosed::sound);
                if self.unclosed.as_ref().is_some_and(Unclosed::is_over) {
                    self.unclosed = None;
                }
                let row = self.row(&fields, text.as_deref().unwrap_or(fields.bytes()));
                return self.after(before, row);
            }
            Found::Fields(fields, text) => {
                let detail = format!("{} fields where the header has {}", fields.len(), self.field_count);
                (detail, text.unwrap_or_else(|| fields.bytes().to_vec()))
            }
            Found::TooLong(detail, text) => (detail, text),
        };
        match &mut self.unclosed {
            Some(unclosed) => {
                unclosed.add(&detail, &text);
                None
            }
            None => Some(broken(detail, &text)),
        }
    }

    /// Returns the first of two rows, and keeps the other.
    fn after(&mut self, before: Option<Row>, row: Row) -> Option<Row> {
        match before {
            Some(before) => {
                self.next = Some(row);
                Some(before)
            }
            None => Some(row),
        }
    }
}

impl<R: BufRead> Iterator for DelimitedRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.next.take() {
            return Some(Ok(row));
        }
        loop {
            match self.find() {
                Some(Ok(found)) => {
                    if let Some(row) = self.told(found) {
                        return Some(Ok(row));
                    }
                }
                Some(Err(error)) => return Some(Err(error)),
                None => return self.unclosed.take().and_then(|mut unclosed| unclosed.end()).map(Ok),
            }
        }
    }
}

fn broken(detail: String, text: &[u8]) -> Row {
    Row::Broken { detail, preview: preview(text) }
}

#[cfg(test)]
mod tests;
