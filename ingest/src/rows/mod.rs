//! Rows of tables that others wrote: columns by name, whatever their types and the file's format.
//!
//! ```text
//! wanted columns -> parquet    row groups, of a remote file no more than the wanted columns
//!                   json       JSON lines, or one array of objects; documents are read by this too
//!                   delimited  CSV and TSV with a header
//!                   urls       one URL a line
//!                -> cells, in the order in which they were wanted
//! ```

pub mod delimited;
pub mod json;
pub mod parquet;

use corpus::{Error, Result};
use serde_json::{Map, Value};

pub use parquet::ParquetRows;

use crate::fault::FileFault;
use crate::location::shown;

/// Bytes of one row of text, its line ends included.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; binary columns of old writers and numbers count.
    Text,
    /// A number; integers, floats and numbers written as text count.
    Number,
}

/// A column by the names it may have, the first of which wins.
#[derive(Debug, Clone)]
pub struct Wanted {
    kind: Kind,
    names: Vec<String>,
    required: bool,
}

impl Wanted {
    /// A column without which the file cannot be read.
    pub fn required(kind: Kind, names: Vec<String>) -> Self {
        Self { kind, names, required: true }
    }

    /// A column that may be missing, and then is null.
    pub fn optional(kind: Kind, names: Vec<String>) -> Self {
        Self { kind, names, required: false }
    }
}

/// One row.
#[derive(Debug)]
pub enum Row {
    /// The wanted cells.
    Whole(Cells),
    /// A row that could not be decoded.
    Broken {
        /// Why not.
        detail: String,
        /// Its beginning, where there is one.
        preview: String,
    },
    /// Damage of the file, in place of the rows that it took.
    Lost(FileFault),
}

/// The wanted cells of one row, in the order in which they were wanted.
#[derive(Debug)]
pub struct Cells(Vec<Cell>);

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(Option<String>),
    Number(Option<f64>),
}

impl Cells {
    /// Takes the text of a wanted column.
    pub fn text(&mut self, column: usize) -> Option<String> {
        match self.0.get_mut(column) {
            Some(Cell::Text(text)) => text.take(),
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

    /// Returns the cells that hold these texts, by wanted column.
    fn of_texts(wanted: &[Wanted], mut text: impl FnMut(usize) -> Option<String>) -> Self {
        let cell = |(index, column): (usize, &Wanted)| match column.kind {
            Kind::Text => Cell::Text(text(index)),
            Kind::Number => Cell::Number(text(index).and_then(|text| text.trim().parse().ok())),
        };
        Self(wanted.iter().enumerate().map(cell).collect())
    }

    /// Returns the wanted fields of an object.
    fn of_object(wanted: &[Wanted], object: &Map<String, Value>) -> Self {
        let find = |column: &Wanted| column.names.iter().find_map(|name| object.get(name)).cloned();
        Self(wanted.iter().map(|column| cell(column.kind, find(column))).collect())
    }
}

fn cell(kind: Kind, value: Option<Value>) -> Cell {
    match (kind, value) {
        (Kind::Text, Some(Value::String(text))) => Cell::Text(Some(text)),
        (Kind::Text, Some(Value::Null) | None) => Cell::Text(None),
        (Kind::Text, Some(value)) => Cell::Text(Some(value.to_string())),
        (Kind::Number, Some(Value::Number(number))) => Cell::Number(number.as_f64()),
        (Kind::Number, Some(Value::String(text))) => Cell::Number(text.trim().parse().ok()),
        (Kind::Number, _) => Cell::Number(None),
    }
}

/// Finds the wanted columns among a file's; the stage's name and the URL are for the message.
///
/// # Errors
/// When a required column is missing.
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

/// Names a column that a file lacks, and those that it has.
fn missing_column(stage: &str, url: &str, column: &Wanted, there: &[&str]) -> Error {
    let quoted = |names: &[&str]| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let wanted: Vec<&str> = column.names.iter().map(String::as_str).collect();
    let detail = format!(
        "{} has no column {}; its columns are {}: name one of them in the source's format",
        shown(url),
        quoted(&wanted).replace(", ", " or "),
        quoted(there)
    );
    Error::Settings { stage: stage.to_owned(), detail }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Columns `url` and `n`, the second a number.
    pub(crate) fn url_and_number() -> Vec<Wanted> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        vec![
            Wanted::required(Kind::Text, names(&["url", "URL"])),
            Wanted::optional(Kind::Number, names(&["n"])),
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
            Row::Lost(fault) => fault.detail,
        }
    }
}
