//! Rows of tables that others wrote: columns by name, whatever their types and the file's format.
//!
//! ```text
//! wanted columns -> parquet    row groups, of a remote file no more than the wanted columns
//!                   json       JSON lines (run_on: several objects in one), one array of objects, or a JSON text
//!                              sequence; documents are read by this too
//!                   delimited  CSV and TSV with a header (dialect: what is between fields; ahead: lines read twice;
//!                              unclosed: a quote without end)
//!                   urls       one URL a line
//!                -> cells, in the order in which they were wanted; what a cell is, is one table for JSON (`cell`) and
//!                   for Parquet
//! ```

mod ahead;
mod arrow_type;
pub mod delimited;
mod dialect;
mod element;
pub(crate) mod fields;
mod footer;
pub mod json;
pub(crate) mod number;
mod page_header;
mod paged;
pub mod parquet;
mod parquet_text;
mod record;
mod run_on;
pub mod strict;
mod thrift;
mod unclosed;
mod value;

use corpus::{Error, Result};
pub use parquet::ParquetRows;

use crate::fault::{COLUMN_MISSING, COLUMN_NESTED, FileFault};
use crate::lines::Line;
use crate::location::shown;
use crate::source::preview;
use fields::{Fields, Found};

/// Bytes of one row of a list, its line ends included.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// Reason of a row that cannot be read.
pub(crate) const ROW_BROKEN: &str = "row_broken";

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text; binary columns of old writers and numbers count (see `number`). A list or an object breaks the row.
    Text,
    /// Text, or a list of texts, which are joined by line ends.
    Texts,
    /// The same; what cannot be read of it stands as U+FFFD, and is told. Other lists and objects are no text.
    Prose,
    /// Text that a record can do without: lists and objects are left out.
    Beside,
    /// Any value as text: lists of texts joined by line ends, other lists and objects as JSON has them.
    Id,
    /// Text, or in a binary column bytes of which it is not known what they are.
    Bytes,
    /// A number; integers, floats and numbers written as text count.
    Number,
    /// Any value, as JSON has it.
    Json,
}

/// A column by the names it may have, the first of which wins.
#[derive(Debug, Clone)]
pub struct Wanted {
    kind: ColumnKind,
    names: Vec<String>,
    required: bool,
}

impl Wanted {
    /// A column without which the file cannot be read.
    pub fn required(kind: ColumnKind, names: Vec<String>) -> Self {
        Self { kind, names, required: true }
    }

    /// Returns true if and only if a column of this name is meant.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// A column that may be missing, and then is null.
    pub fn optional(kind: ColumnKind, names: Vec<String>) -> Self {
        Self { kind, names, required: false }
    }
}

/// One row: its wanted cells, or what was made of it.
#[derive(Debug)]
pub enum Row<T = Cells> {
    /// What it holds.
    Whole(T),
    /// A row that could not be decoded.
    Broken {
        /// Why not.
        detail: String,
        /// Its beginning, where there is one.
        preview: String,
    },
    /// Damage of the file, in place of the rows that it took.
    Lost {
        /// What is wrong.
        fault: FileFault,
        /// Rows of the file that it stands for; those that cannot be told count as one.
        rows: u64,
    },
}

impl<T> Row<T> {
    /// Damage after which nobody can tell how many rows it took.
    fn lost(fault: FileFault) -> Self {
        Self::Lost { fault, rows: 1 }
    }

    /// Reads a line; `what` names it where it is too long.
    pub(crate) fn of_line(line: Line, what: &str, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Self {
        match line {
            Line::Whole(line) => match read(&line) {
                Ok(whole) => Self::Whole(whole),
                Err(detail) => Self::Broken { detail, preview: preview(&line) },
            },
            Line::TooLong { head, bytes } => {
                Self::Broken { detail: format!("{what} of {bytes} bytes"), preview: preview(&head) }
            }
            Line::Lost(fault) => Self::lost(fault),
        }
    }

    /// Makes something else of what it holds.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Row<U> {
        self.and_then(|whole| Ok(make(whole)))
    }

    /// Makes something else of what it holds, if that can be read.
    pub(crate) fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, String>) -> Row<U> {
        match self {
            Self::Whole(whole) => match read(whole) {
                Ok(whole) => Row::Whole(whole),
                Err(detail) => Row::Broken { detail, preview: String::new() },
            },
            Self::Broken { detail, preview } => Row::Broken { detail, preview },
            Self::Lost { fault, rows } => Row::Lost { fault, rows },
        }
    }

    /// Returns how many rows of the file it stands for.
    pub(crate) fn count(&self) -> u64 {
        if let Self::Lost { rows, .. } = self { *rows } else { 1 }
    }
}

/// The wanted cells of one row, in the order in which they were wanted.
#[derive(Debug)]
pub struct Cells(Vec<Cell>);

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(Option<String>),
    /// A text of which characters could not be read.
    Replaced(String),
    Bytes(Vec<u8>),
    Number(Option<f64>),
    /// Any value but null, as JSON.
    Json(Option<String>),
}

impl Cell {
    /// A cell in which there is nothing.
    fn none(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Number(None),
            ColumnKind::Json => Self::Json(None),
            _ => Self::Text(None),
        }
    }

    /// Returns the bytes of its text, or of its JSON.
    fn text_bytes(&self) -> u64 {
        let bytes = match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Replaced(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(json) => json.as_ref().map_or(0, String::len),
            Self::Number(_) => 0,
        };
        bytes as u64
    }
}

impl Cells {
    /// Takes the text of a wanted column.
    pub fn text(&mut self, column: usize) -> Option<String> {
        match self.0.get_mut(column) {
            Some(Cell::Text(text)) => text.take(),
            Some(Cell::Replaced(text)) => Some(std::mem::take(text)),
            _ => None,
        }
    }

    /// Returns whether characters of the text of a wanted column could not be read.
    pub(crate) fn is_replaced(&self, column: usize) -> bool {
        matches!(self.0.get(column), Some(Cell::Replaced(_)))
    }

    /// Takes the bytes of a wanted column, if they are no text.
    pub fn bytes(&mut self, column: usize) -> Option<Vec<u8>> {
        match self.0.get_mut(column) {
            Some(Cell::Bytes(bytes)) => Some(std::mem::take(bytes)),
            _ => None,
        }
    }

    /// Returns the number of a wanted column.
    pub fn number(&self, column: usize) -> Option<f64> {
        match self.0.get(column) {
            Some(Cell::Number(number)) => *number,
            _ => None,
        }
    }

    /// Takes the value of a wanted column, as JSON; none where it is null.
    pub fn json(&mut self, column: usize) -> Option<String> {
        match self.0.get_mut(column) {
            Some(Cell::Json(value)) => value.take(),
            _ => None,
        }
    }

    /// Returns the cells that hold these texts, by wanted column.
    fn of_texts(wanted: &[Wanted], mut text: impl FnMut(usize) -> Option<String>) -> Self {
        let cell = |(index, column): (usize, &Wanted)| match column.kind {
            ColumnKind::Text
            | ColumnKind::Texts
            | ColumnKind::Prose
            | ColumnKind::Beside
            | ColumnKind::Id
            | ColumnKind::Bytes => Cell::Text(text(index)),
            ColumnKind::Number => Cell::Number(text(index).and_then(|text| text.trim().parse().ok())),
            ColumnKind::Json => Cell::Json(text(index).map(|text| strict::quoted(&text))),
        };
        Self(wanted.iter().enumerate().map(cell).collect())
    }

    /// Returns the wanted fields of an object.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(crate) fn of_fields(wanted: &[Wanted], fields: &Fields<'_>) -> Result<Self, String> {
        let mut cells = Vec::with_capacity(wanted.len());
        for column in wanted {
            let name = column.names.iter().find(|name| fields.raw(name).is_some());
            if column.kind == ColumnKind::Json {
                let value = name.and_then(|name| fields.raw(name));
                cells.push(Cell::Json(value.and_then(strict::json)));
                continue;
            }
            let found = name.map(|name| fields.get(name)).transpose();
            let wrong = |problem: String| format!("column {:?}: {problem}", name.map_or("", String::as_str));
            let found = match column.kind {
                // The record can do without.
                ColumnKind::Beside | ColumnKind::Id => found.unwrap_or_default(),
                _ => found.map_err(wrong)?,
            };
            let found = found.flatten().unwrap_or(Found::Null);
            cells.push(cell(column.kind, found).map_err(wrong)?);
        }
        Ok(Self(cells))
    }
}

/// Returns what a value is as a cell; an error where it cannot be one.
fn cell(kind: ColumnKind, found: Found) -> Result<Cell, String> {
    Ok(match (kind, found) {
        (ColumnKind::Number, Found::Number(digits)) => Cell::Number(digits.parse().ok()),
        (ColumnKind::Number, Found::Text(text)) => Cell::Number(text.text.trim().parse().ok()),
        (ColumnKind::Number, _) => Cell::Number(None),
        (_, Found::Null) => Cell::Text(None),
        (ColumnKind::Prose, Found::Text(text)) => prose(vec![text]),
        (ColumnKind::Prose, Found::Texts(texts)) => prose(texts),
        // What cannot be read of it stands as U+FFFD.
        (ColumnKind::Bytes | ColumnKind::Beside | ColumnKind::Id, Found::Text(text)) => {
            Cell::Text(Some(text.text))
        }
        (_, Found::Text(text)) if text.has_bad_bytes => return Err("not UTF-8".to_owned()),
        (_, Found::Text(text)) => Cell::Text(Some(text.text)),
        (_, Found::Number(digits)) => Cell::Text(Some(number::text(digits))),
        (_, Found::Truth(truth)) => Cell::Text(Some(truth.to_string())),
        (ColumnKind::Texts | ColumnKind::Id, Found::Texts(texts)) => Cell::Text(Some(joined(texts))),
        (ColumnKind::Id, Found::Nested(text)) => Cell::Text(Some(text)),
        (ColumnKind::Beside, Found::Texts(_) | Found::Nested(_)) | (ColumnKind::Prose, Found::Nested(_)) => {
            Cell::Text(None)
        }
        (_, Found::Texts(_)) => return Err("a list of texts".to_owned()),
        (_, Found::Nested(_)) => return Err("a list or an object".to_owned()),
    })
}

fn prose(texts: Vec<fields::Text>) -> Cell {
    match texts.iter().any(|text| text.has_bad_bytes || text.has_lone_surrogates) {
        true => Cell::Replaced(joined(texts)),
        false => Cell::Text(Some(joined(texts))),
    }
}

/// Joins texts by line ends.
fn joined(texts: Vec<fields::Text>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| text.text).collect();
    texts.join("\n")
}

/// Finds the wanted columns among a file's; the stage's name and the URL are for the message.
///
/// # Errors
/// When a required column is missing: a [`FileFault`].
fn find_columns(stage: &str, url: &str, names: &[&str], wanted: &[Wanted]) -> Result<Vec<Option<usize>>> {
    let find = |column: &Wanted| {
        let found = column.names.iter().find_map(|name| names.iter().position(|n| n == name));
        if found.is_none() && column.required {
            return Err(missing_column(stage, url, column, names));
        }
        Ok(found)
    };
    wanted.iter().map(find).collect()
}

/// Names of columns that an error lists.
const SHOWN_NAMES_MAX: usize = 20;
/// Characters of each.
const SHOWN_NAME_CHARS_MAX: usize = 60;

/// Names a column that a file lacks, and those that it has.
fn missing_column(stage: &str, url: &str, column: &Wanted, there: &[&str]) -> Error {
    let quoted = |name: &&str| format!("{:?}", name.chars().take(SHOWN_NAME_CHARS_MAX).collect::<String>());
    let wanted: Vec<String> = column.names.iter().map(|name| format!("{name:?}")).collect();
    let shown_names: Vec<String> = there.iter().take(SHOWN_NAMES_MAX).map(quoted).collect();
    let there = match there.len().saturating_sub(SHOWN_NAMES_MAX) {
        0 if there.is_empty() => "it has no columns at all".to_owned(),
        0 => format!("its columns are {}: name one of them in the source's format", shown_names.join(", ")),
        more => format!("its columns are {} and {more} more", shown_names.join(", ")),
    };
    let detail = format!("{} has no column {}; {there}", shown(url), wanted.join(" or "));
    Error::work(stage, FileFault { reason: COLUMN_MISSING, detail })
}

/// Names a column that holds what cannot be read as text.
fn nested_column(stage: &str, url: &str, name: &str, kind: &str) -> Error {
    let detail = format!(
        "column {name:?} of {} holds {kind} where a text is needed: name another column in the source's format, or \
         write one row for each",
        shown(url)
    );
    Error::work(stage, FileFault { reason: COLUMN_NESTED, detail })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Columns `url` and `n`, the second a number.
    pub(crate) fn url_and_number() -> Vec<Wanted> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        vec![
            Wanted::required(ColumnKind::Text, names(&["url", "URL"])),
            Wanted::optional(ColumnKind::Number, names(&["n"])),
        ]
    }

    /// Shows a row as `url|n`, a broken one as its detail.
    pub(crate) fn shown_row(row: Row) -> String {
        match row {
            Row::Whole(mut cells) => {
                let number = cells.number(1).map_or_else(String::new, |n| n.to_string());
                format!("{}|{number}", cells.text(0).unwrap_or_default())
            }
            Row::Broken { detail, .. } => detail,
            Row::Lost { fault, .. } => fault.detail,
        }
    }
}
