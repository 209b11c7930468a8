//! The texts in files of rows of any format: what evaluation sets and the examples of a classifier are made of.
//!
//! ```text
//! a file -> rows (JSON, CSV, TSV, Parquet; compressed or not) -> TextRows: the texts in the wanted fields of each row
//!
//! json    of_row        texts at any depth of a JSON row
//! seen    SeenFields    which fields rows have, to tell a misspelt name
//! ```

mod json;
mod seen;

use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;

use corpus::record::SourceFile;
use corpus::{Error, Result, SourceCode};

pub(crate) use seen::SeenFields;

use crate::Client;
use crate::fault::FileFault;
use crate::fetch::Ranged;
use crate::fetch::source::source_error;
use crate::kind::{self, FileKind};
use crate::lines::Line;
use crate::listing::Listing;
use crate::location::shown;
use crate::rows::delimited::DelimitedRows;
use crate::rows::json::JsonTexts;
use crate::rows::{Cells, ColumnKind, ParquetRows, Row, Wanted};
use crate::source::Source;

/// The formats that are read, to be told when a file has none of them.
pub(crate) const FORMATS: &str = "JSON lines, one JSON list, CSV and TSV with a header, and Parquet are read";
/// How the names of files end that are taken from a folder.
pub(crate) const KINDS: [FileKind; 3] = [FileKind::Json, FileKind::Table, FileKind::Parquet];
/// Bytes of one row of text.
const ROW_BYTES_MAX: usize = 16 << 20;
/// Words of a column's name from which on it is none, but a text in the first row of a file without a header.
const TEXT_WORDS_MIN: usize = 6;

/// A row as the texts in its wanted fields, those in lists and objects too.
pub(crate) type TextRow = Row<Vec<String>>;

impl TextRow {
    /// Says why the row with this number gives no texts; none if it does.
    pub(crate) fn fault(&self, number: u64) -> Option<String> {
        match self {
            Self::Whole(_) => None,
            Self::Broken { detail, .. } => Some(format!("row {}: {detail}", number + 1)),
            Self::Lost { fault, .. } => Some(fault.to_string()),
        }
    }
}

/// Iterator over the rows of a file, each with its number, from 0; blank lines count, and are passed over.
pub(crate) struct TextRows<'a, 'w> {
    rows: Rows<'a>,
    url: &'a str,
    seen: &'a mut SeenFields<'w>,
    next: u64,
}

/// The rows of a file, in its format.
enum Rows<'a> {
    Json(JsonTexts<Box<dyn BufRead + 'a>>),
    Table(Table<'a>),
}

/// The rows of a file that has columns.
struct Table<'a> {
    rows: Box<dyn Iterator<Item = Result<Row>> + 'a>,
    /// The wanted columns, by their places in a row.
    columns: Vec<usize>,
    /// The first row, if it stands where the header should.
    first: Option<Vec<String>>,
}

impl<'a, 'w> TextRows<'a, 'w> {
    /// Opens a file. Copies of remote files go to the folder `scratch`.
    ///
    /// # Errors
    /// When it cannot be read; a [`FileFault`] if it is in no format of rows.
    pub(crate) fn open(
        source: &'a Source,
        file: &'a SourceFile,
        scratch: &Path,
        seen: &'a mut SeenFields<'w>,
    ) -> Result<Self> {
        let place = (source.name.as_str(), file.url.as_str());
        let rows = match kind::delimiter(&file.url) {
            _ if source.is_parquet(file) => {
                Rows::Table(Table::parquet(place, &source.client.parquet(&file.url, scratch)?, seen)?)
            }
            Some(delimiter) => {
                Rows::Table(Table::delimited(place, source.open_rows(file)?, delimiter, seen)?)
            }
            None => Rows::Json(JsonTexts::open(place, source.open_rows(file)?, ROW_BYTES_MAX, &[])?),
        };
        Ok(Self { rows, url: &file.url, seen, next: 0 })
    }

    /// Returns the next row; `Some(None)` stands for a blank line.
    fn read(&mut self) -> Option<Result<Option<TextRow>>> {
        let line = match &mut self.rows {
            Rows::Table(table) => return table.next().map(|row| row.map(Some)),
            Rows::Json(lines) => lines.next()?.map_err(|error| source_error(self.url, &error)),
        };
        Some(line.map(|line| match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => None,
            line => Some(Row::of_line(line, "row", |line| json::of_row(line, self.seen))),
        }))
    }
}

impl Iterator for TextRows<'_, '_> {
    type Item = Result<(u64, TextRow)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = self.next;
            match self.read()? {
                Ok(Some(row)) => {
                    self.next += row.count();
                    return Some(Ok((number, row)));
                }
                Ok(None) => self.next += 1,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<'a> Table<'a> {
    /// Opens Parquet; of a remote file only the wanted columns are read.
    fn parquet(place: (&str, &str), file: &Ranged, seen: &mut SeenFields<'_>) -> Result<Self> {
        let open = |wanted: &[Wanted]| ParquetRows::open(place.0, place.1, file.clone(), wanted, 0);
        let header = open(&[])?;
        seen.note(header.names());
        let wanted = header.names().filter(|name| seen.is_wanted(name));
        let wanted: Vec<Wanted> =
            wanted.map(|name| Wanted::optional(ColumnKind::Json, vec![name.to_owned()])).collect();
        Ok(Self { rows: Box::new(open(&wanted)?), columns: (0..wanted.len()).collect(), first: None })
    }

    /// Opens CSV or TSV. Published sets often have no header: if all texts are wanted and a name reads like a text,
    /// the header is a row, too.
    fn delimited(
        place: (&'a str, &'a str),
        reader: Box<dyn BufRead + 'a>,
        delimiter: u8,
        seen: &mut SeenFields<'_>,
    ) -> Result<Self> {
        let broken = move |error: &io::Error| source_error(place.1, error);
        let mut rows = DelimitedRows::open(place, reader, (delimiter, ROW_BYTES_MAX), &[], broken)?;
        let names = rows.want_all(ColumnKind::Json);
        seen.note(names.iter().map(String::as_str));
        let columns = (0..names.len()).filter(|column| seen.is_wanted(&names[*column])).collect();
        let is_text = |name: &String| name.split_whitespace().nth(TEXT_WORDS_MIN - 1).is_some();
        let first = (seen.wanted().is_empty() && names.iter().any(is_text)).then(|| names.to_vec());
        Ok(Self { rows: Box::new(rows.map(move |row| row.map_err(|error| broken(&error)))), columns, first })
    }

    fn next(&mut self) -> Option<Result<TextRow>> {
        if let Some(texts) = self.first.take() {
            return Some(Ok(TextRow::Whole(texts)));
        }
        let row = self.rows.next()?;
        Some(row.map(|row| row.and_then(|cells| texts_of(cells, &self.columns))))
    }
}

/// Returns the texts within these cells of a row.
fn texts_of(mut cells: Cells, columns: &[usize]) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for value in columns.iter().filter_map(|column| cells.json(*column)) {
        json::append_cell(value.as_bytes(), &mut texts)?;
    }
    Ok(texts)
}

/// Calls `text` with each text in these fields of the rows of a file, or of the files in a folder.
///
/// # Errors
/// [`Error::Settings`] with the file and the row, if a file or a row cannot be read, or no row has one of the fields.
pub fn for_each_text(
    client: &Arc<Client>,
    path: &str,
    fields: &[String],
    mut text: impl FnMut(&str),
) -> Result<()> {
    let source = Source::new("texts", SourceCode(0), client);
    let refused = |detail: String| Error::Settings { stage: source.name.clone(), detail };
    let mut seen = SeenFields::new(fields);
    for url in Listing::of_rows(source.clone(), path).listed()?.files {
        let file = SourceFile { index: 0, url };
        let of_file = |fault: &str| refused(format!("{}: {fault}", shown(&file.url)));
        // A file on this machine needs no copy.
        let rows = TextRows::open(&source, &file, Path::new(""), &mut seen);
        let rows = rows.or_else(|error| Err(of_file(&FileFault::of_error(error)?.to_string())))?;
        for row in rows {
            let (number, row) = row?;
            match (row.fault(number), row) {
                (None, TextRow::Whole(texts)) => texts.iter().for_each(|found| text(found)),
                (fault, _) => return Err(of_file(&fault.unwrap_or_default())),
            }
        }
    }
    seen.missing(path).map_or(Ok(()), |missing| Err(refused(missing)))
}

#[cfg(test)]
mod tests;
