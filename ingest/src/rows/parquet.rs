//! Rows of a Parquet file: columns by name, whatever their types are.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use corpus::crash::caught;
use corpus::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::Length;

use super::arrow_type::{is_nested, is_shown, is_text, is_view, item};
use super::paged::Paged;
use super::{
    Cell, Cells, ColumnKind, Row, Wanted, find_columns, footer, nested_column, parquet_text, strict, value,
};
use crate::fault::FileFault;
use crate::fetch::Ranged;
use crate::inflation::{self, INFLATED};
use crate::location::shown;
use crate::source::preview;

/// Why a text cannot be.
const NOT_UTF_8: &str = "is not UTF-8";
/// Rows decoded at once.
const BATCH_ROWS: usize = 1_024;
/// Rows decoded at once where a text may be stored as its difference to the one before.
const SHARING_BATCH_ROWS: usize = 64;
/// Bytes of the rows decoded at once, where the footer tells the truth about them.
const BATCH_BYTES: u64 = 16 << 20;
/// Bytes of one text.
const CELL_BYTES_MAX: usize = 16 << 20;
/// Rows that any file may have, and rows more by byte: a footer that claims more is not believed.
const ROWS_FREE: u64 = 1 << 19;
const ROWS_PER_BYTE_MAX: u64 = 2;
/// Bytes of a file that is read from its beginning also where only its later rows are wanted, so that what it
/// becomes is counted as a whole.
const SMALL_BYTES_MAX: u64 = 32 << 20;

/// Iterator over the rows of a file, row group after row group; memory holds one batch, in which a text that
/// repeats is there once.
///
/// Rows that cannot be decoded, with the rest of their row group, come as one [`Row::Lost`]; the other row
/// groups are not touched by that.
pub struct ParquetRows {
    url: String,
    file: Ranged,
    pages: Paged,
    metadata: ArrowReaderMetadata,
    kinds: Vec<ColumnKind>,
    /// For every wanted column its root column in the file.
    columns: Vec<Option<usize>>,
    /// Of the columns of the file, whether they hold text by their types.
    declared: Vec<bool>,
    /// Row group that is read next.
    group: usize,
    /// Rows to pass over, from the beginning of the row group that is read first.
    skip: u64,
    /// Rows of the current row group that are still to come.
    left: u64,
    reader: Option<ParquetRecordBatchReader>,
    batch: Batch,
    /// Bytes of text that were read, of a small file in all, of a large one in its row group.
    given: u64,
}

/// Decoded rows, of which some may have been handed over.
#[derive(Default)]
struct Batch {
    /// By wanted column.
    columns: Vec<Option<ArrayRef>>,
    rows: usize,
    next: usize,
}

impl Batch {
    /// Returns the beginnings of a row's cells, of what is no text something of it.
    fn shown(&self, row: usize) -> String {
        let cells = self.columns.iter().flatten().filter(|array| array.is_valid(row));
        let text = |array: &ArrayRef| match array.data_type() {
            DataType::BinaryView => preview(array.as_binary_view().value(row)),
            DataType::Utf8View => preview(array.as_string_view().value(row).as_bytes()),
            _ => value::text(array, row).unwrap_or_default(),
        };
        cells.map(text).collect::<Vec<_>>().join("\t")
    }
}

impl ParquetRows {
    /// Reads a file from a row on; of a remote one no more is asked for than the wanted
    /// columns. The stage's name and the URL are for messages.
    ///
    /// # Errors
    /// When it lacks a required column, the transport fails, or its footer is damaged (a [`FileFault`]).
    pub fn open(stage: &str, url: &str, file: Ranged, wanted: &[Wanted], first: u64) -> Result<Self> {
        let length = Length::len(&file);
        if length == 0 {
            return Err(Error::work(stage, FileFault::empty()));
        }
        let metadata = guarded(|| {
            footer::check(&file)?;
            ArrowReaderMetadata::load(&file, Default::default())
        });
        let metadata = metadata.map_err(|detail| match file.has_failed() {
            true => Error::Source { url: shown(url), detail },
            // Without its footer no row of the file can be told.
            false => Error::work(stage, FileFault::broken(format!("{detail}; {length} bytes lost"))),
        })?;
        let declared = parquet_text::declared(&metadata);
        // Where the library refuses, the columns are converted batch by batch.
        let metadata = guarded(|| parquet_text::by_view(&metadata)).unwrap_or(metadata);
        let names: Vec<&str> = metadata.schema().fields().iter().map(|f| f.name().as_str()).collect();
        let columns = find_columns(stage, url, &names, wanted)?;
        refuse_nested(stage, url, metadata.schema(), &columns, wanted)?;
        let counts = metadata.metadata().row_groups().iter().map(|group| u64::try_from(group.num_rows()));
        let rows = counts.into_iter().try_fold(0_u64, |sum, rows| sum.checked_add(rows.ok()?));
        let rows_max = length.saturating_mul(ROWS_PER_BYTE_MAX).saturating_add(ROWS_FREE);
        let values = values(&metadata, &columns);
        if rows.is_none_or(|rows| rows > rows_max) || values > rows_max.saturating_mul(wanted.len() as u64) {
            let detail = format!("its footer claims more than {rows_max} rows or values in {length} bytes");
            return Err(Error::work(stage, FileFault::broken(format!("{detail}; all are lost"))));
        }
        let (group, skip) = if length <= SMALL_BYTES_MAX { (0, first) } else { place(&metadata, first) };
        Ok(Self {
            url: url.to_owned(),
            pages: Paged::new(file.clone()),
            file,
            kinds: wanted.iter().map(|column| column.kind).collect(),
            columns,
            declared,
            metadata,
            group,
            skip,
            left: 0,
            reader: None,
            batch: Batch::default(),
            given: 0,
        })
    }

    /// Returns the names of the file's columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.metadata.schema().fields().iter().map(|field| field.name().as_str())
    }

    /// Opens the next row group that has rows; false at the end of the file.
    ///
    /// # Errors
    /// What is wrong with the group.
    fn next_group(&mut self) -> Result<bool, String> {
        let groups = self.metadata.metadata().row_groups();
        let next = (self.group..groups.len()).find(|group| groups[*group].num_rows() > 0);
        let Some(group) = next else {
            return Ok(false);
        };
        let rows = groups[group].num_rows().unsigned_abs();
        if Length::len(&self.file) > SMALL_BYTES_MAX {
            (self.pages, self.given) = (Paged::new(self.file.clone()), 0);
        }
        let roots = self.columns.iter().flatten().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.pages.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(self.batch_rows(group, rows));
        (self.group, self.left, self.batch) = (group + 1, rows, Batch::default());
        self.reader = Some(guarded(|| builder.build())?);
        Ok(true)
    }

    /// Returns the rows to decode at once, by the bytes that the wanted columns of a group take.
    fn batch_rows(&self, group: usize, rows: u64) -> usize {
        let columns = || wanted_columns(&self.metadata, &self.columns, group);
        let bytes: u64 = columns().map(|column| column.uncompressed_size().max(0).unsigned_abs()).sum();
        // Texts that share their beginnings with those before are told apart while they are decoded.
        let shares = columns().any(|column| column.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY));
        let most = if shares { SHARING_BATCH_ROWS } else { BATCH_ROWS };
        let rows = BATCH_BYTES.saturating_mul(rows) / bytes.max(1);
        usize::try_from(rows).unwrap_or(most).clamp(1, most)
    }

    /// Decodes the next batch of the row group.
    fn next_batch(&mut self) -> Result<(), String> {
        let reader = &mut self.reader;
        let batch = guarded(|| reader.as_mut().and_then(Iterator::next).transpose())?;
        let batch = batch.filter(|batch| batch.num_rows() > 0).ok_or("the row group ends early")?;
        self.batch = Batch { columns: self.arrays(&batch)?, rows: batch.num_rows(), next: 0 };
        Ok(())
    }

    /// Returns the wanted columns of a batch, as text or numbers.
    fn arrays(&self, batch: &RecordBatch) -> Result<Vec<Option<ArrayRef>>, String> {
        let array = |(column, kind): (&Option<usize>, &ColumnKind)| {
            let Some(root) = column else { return Ok(None) };
            let name = self.metadata.schema().field(*root).name();
            let array = batch.column_by_name(name).ok_or("column is missing")?;
            // Cells that do not convert become null; so does a column that converts nowhere.
            let target = match kind {
                ColumnKind::Number => Some(DataType::Float64),
                ColumnKind::Json => None,
                _ if is_view(array.data_type()) || is_shown(array.data_type()) => None,
                _ => Some(DataType::Utf8View),
            };
            Ok(match target {
                Some(target) => guarded(|| cast(array, &target)).ok(),
                None => Some(array.clone()),
            })
        };
        std::iter::zip(&self.columns, &self.kinds).map(array).collect()
    }

    /// Takes the next row out of the batch; the reason why not, where a cell cannot be.
    fn take_row(&mut self) -> Result<Cells, String> {
        let row = self.batch.next;
        self.batch.next += 1;
        let mut cells = Vec::with_capacity(self.kinds.len());
        for (place, array) in self.batch.columns.iter().enumerate() {
            let (kind, root) = (self.kinds[place], self.columns[place].unwrap_or_default());
            let cell = match array.as_ref().filter(|array| array.is_valid(row)) {
                Some(array) => cell(kind, self.declared.get(root).copied().unwrap_or_default(), array, row),
                None => Ok(Cell::none(kind)),
            };
            let told = |problem| format!("column {:?} {problem}", self.metadata.schema().field(root).name());
            let cell = cell.map_err(told)?;
            self.given += cell.text_bytes();
            cells.push(cell);
        }
        Ok(Cells(cells))
    }

    /// Gives the rest of the row group up.
    fn lose(&mut self, detail: &str) -> Row {
        // The group is the one before the next.
        let index = self.group.saturating_sub(1);
        let group = self.metadata.metadata().row_group(index);
        let columns = wanted_columns(&self.metadata, &self.columns, index);
        let bytes: u64 = columns.map(|column| column.compressed_size().max(0).unsigned_abs()).sum();
        let rows = std::mem::take(&mut self.left);
        (self.reader, self.batch) = (None, Batch::default());
        let detail = format!(
            "row group {index} of {} rows and {bytes} bytes: {detail}; its last {rows} rows are lost",
            group.num_rows()
        );
        Row::Lost { fault: FileFault::broken(detail), rows }
    }

    /// Gives the rest of the file up, since it gives more text than its bytes can hold.
    fn lose_all(&mut self, excess: &str) -> Row {
        let rows_after: u64 = self
            .metadata
            .metadata()
            .row_groups()
            .iter()
            .skip(self.group)
            .map(|group| group.num_rows().max(0).unsigned_abs())
            .sum();
        let rows = std::mem::take(&mut self.left) + rows_after;
        (self.reader, self.batch, self.group) = (None, Batch::default(), usize::MAX);
        let detail = format!("{excess}; its last {rows} rows are lost");
        Row::Lost { fault: FileFault { reason: INFLATED, detail }, rows }
    }

    fn read(&mut self) -> Option<Result<Row>> {
        loop {
            if self.left == 0 {
                match self.next_group() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(detail) => return Some(self.failed(&detail)),
                }
            }
            if let Some(excess) = inflation::excess(Length::len(&self.file), self.given) {
                return Some(Ok(self.lose_all(&excess)));
            }
            if self.batch.next < self.batch.rows {
                self.left -= 1;
                let row = self.batch.next;
                return Some(Ok(match self.take_row() {
                    Ok(cells) => Row::Whole(cells),
                    Err(detail) => Row::Broken { detail, preview: self.batch.shown(row) },
                }));
            }
            if let Err(detail) = self.next_batch() {
                return Some(self.failed(&detail));
            }
        }
    }

    /// Returns the error of the transport that made decoding fail, or what was lost.
    fn failed(&mut self, detail: &str) -> Result<Row> {
        if self.file.has_failed() {
            (self.group, self.left, self.skip) = (usize::MAX, 0, 0);
            return Err(Error::Source { url: shown(&self.url), detail: detail.to_owned() });
        }
        Ok(self.lose(detail))
    }
}

/// Refuses a file in which a column of texts that is needed holds what is none.
fn refuse_nested(
    stage: &str,
    url: &str,
    schema: &Schema,
    columns: &[Option<usize>],
    wanted: &[Wanted],
) -> Result<()> {
    for (root, column) in std::iter::zip(columns, wanted).filter(|(_, column)| column.required) {
        let Some(field) = root.map(|root| schema.field(root)) else { continue };
        let kind = match (column.kind, field.data_type()) {
            (ColumnKind::Id | ColumnKind::Number | ColumnKind::Json, _) => continue,
            (ColumnKind::Texts | ColumnKind::Prose, kind) if item(kind).is_some_and(is_text) => continue,
            (_, kind) if item(kind).is_some() => "lists",
            (_, kind) if is_nested(kind) => "objects",
            _ => continue,
        };
        return Err(nested_column(stage, url, field.name(), kind));
    }
    Ok(())
}

/// Returns what a valid cell is, of a column that may hold text by its type.
fn cell(kind: ColumnKind, is_declared: bool, array: &ArrayRef, row: usize) -> Result<Cell, String> {
    Ok(match kind {
        ColumnKind::Number => {
            Cell::Number(array.as_primitive_opt::<Float64Type>().map(|array| array.value(row)))
        }
        ColumnKind::Json if is_declared && is_view(array.data_type()) => {
            Cell::Json(Some(strict::quoted(utf8(bytes(array, row)?)?)))
        }
        ColumnKind::Json if value::has_bad_text(array, row) => return Err(NOT_UTF_8.to_owned()),
        ColumnKind::Json => {
            let value = Some(value::json(array, row)).filter(|value| !value.is_null());
            Cell::Json(value.map(|value| value.to_string()))
        }
        _ if is_shown(array.data_type()) => shown_cell(kind, array, row)?,
        _ => {
            let bytes = bytes(array, row)?;
            let is_binary = *array.data_type() == DataType::BinaryView && !is_declared;
            match (kind, std::str::from_utf8(bytes)) {
                (ColumnKind::Bytes, text) if is_binary || text.is_err() => Cell::Bytes(bytes.to_owned()),
                (_, Ok(text)) => Cell::Text(Some(text.to_owned())),
                (ColumnKind::Prose, Err(_)) => Cell::Replaced(String::from_utf8_lossy(bytes).into_owned()),
                (ColumnKind::Beside | ColumnKind::Id, Err(_)) => {
                    Cell::Text(Some(String::from_utf8_lossy(bytes).into_owned()))
                }
                (_, Err(_)) => Cell::Text(Some(utf8(bytes)?.to_owned())),
            }
        }
    })
}

/// Returns the text of a valid cell that is no text by its type, as JSON would have it.
fn shown_cell(kind: ColumnKind, array: &ArrayRef, row: usize) -> Result<Cell, String> {
    let text = value::text(array, row);
    Ok(match kind {
        _ if !is_nested(array.data_type()) => Cell::Text(text),
        ColumnKind::Beside => Cell::Text(None),
        ColumnKind::Id => {
            let json = || Some(value::json(array, row)).filter(|value| !value.is_null());
            Cell::Text(text.or_else(|| json().map(|value| value.to_string())))
        }
        ColumnKind::Prose => match text {
            Some(text) if value::has_bad_text(array, row) => Cell::Replaced(text),
            text => Cell::Text(text),
        },
        ColumnKind::Texts if value::has_bad_text(array, row) => return Err(NOT_UTF_8.to_owned()),
        ColumnKind::Texts if text.is_some() => Cell::Text(text),
        _ => return Err("holds a list or an object".to_owned()),
    })
}

/// Returns the bytes of a valid cell.
fn bytes(array: &ArrayRef, row: usize) -> Result<&[u8], String> {
    let bytes = match array.data_type() {
        DataType::BinaryView => array.as_binary_view().value(row),
        _ => array.as_string_view().value(row).as_bytes(),
    };
    if bytes.len() > CELL_BYTES_MAX {
        return Err(format!("has a text of {} bytes", bytes.len()));
    }
    Ok(bytes)
}

/// Returns the text of a cell's bytes.
fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| NOT_UTF_8.to_owned())
}

impl Iterator for ParquetRows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.read()? {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            let rows = row.count();
            // What is passed over was handed over by an attempt before.
            if self.skip < rows {
                self.skip = 0;
                return Some(Ok(row));
            }
            self.skip -= rows;
        }
    }
}

/// Returns the columns of a row group that are read, those within nested ones included.
fn wanted_columns<'m>(
    metadata: &'m ArrowReaderMetadata,
    roots: &'m [Option<usize>],
    group: usize,
) -> impl Iterator<Item = &'m ColumnChunkMetaData> {
    let schema = metadata.parquet_schema();
    let is_wanted = move |leaf: usize| roots.contains(&Some(schema.get_column_root_idx(leaf)));
    let columns = metadata.metadata().row_group(group).columns().iter().enumerate();
    columns.filter(move |(leaf, _)| is_wanted(*leaf)).map(|(_, column)| column)
}

/// Returns the values that the footer claims for some columns, those in lists included.
fn values(metadata: &ArrowReaderMetadata, roots: &[Option<usize>]) -> u64 {
    let groups = 0..metadata.metadata().num_row_groups();
    let columns = groups.flat_map(|group| wanted_columns(metadata, roots, group));
    columns.map(|column| column.num_values().max(0).unsigned_abs()).fold(0, u64::saturating_add)
}

/// Finds a row: its row group, and the rows before it there.
fn place(metadata: &ArrowReaderMetadata, row: u64) -> (usize, u64) {
    let mut before = row;
    for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
        let rows = group.num_rows().max(0).unsigned_abs();
        if before < rows {
            return (index, before);
        }
        before -= rows;
    }
    (usize::MAX, 0)
}

/// Calls the decoder, which may panic on what is damaged.
fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match caught(work) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(message) => Err(format!("the decoder panicked: {message}")),
    }
}

#[cfg(test)]
mod tests;
