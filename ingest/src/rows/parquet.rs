//! Rows of a parquet file: columns by name, whatever their types are.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use corpus::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::Length;

use super::{Cell, Cells, Kind, Row, Wanted, find_columns};
use crate::fault::FileFault;
use crate::fetch::Ranged;
use crate::location::shown;

/// Rows decoded at once.
const BATCH_ROWS: usize = 1_024;
/// Rows of one row group; a footer that claims more is not believed.
const GROUP_ROWS_MAX: u64 = 1 << 26;

/// Iterator over the rows of a file, row group after row group; memory holds one batch.
///
/// Rows that cannot be decoded come as [`Row::Broken`], the rest of their row group with
/// them; the other row groups are not touched by that. Where the footer makes no sense any more, a
/// [`Row::Lost`] ends the file.
pub struct ParquetRows {
    url: String,
    file: Ranged,
    metadata: ArrowReaderMetadata,
    kinds: Vec<Kind>,
    /// For every wanted column its root column in the file.
    columns: Vec<Option<usize>>,
    /// Row group that is read next, and rows to pass over in it.
    group: usize,
    skip: u64,
    /// Rows of the current row group that are still to come.
    left: u64,
    reader: Option<ParquetRecordBatchReader>,
    batch: Vec<Row>,
    broken: Option<String>,
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
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, Default::default()));
        let metadata = metadata.map_err(|detail| match file.has_failed() {
            true => Error::Source { url: shown(url), detail },
            // Without its footer no row of the file can be told.
            false => Error::work(stage, FileFault::broken(format!("{detail}; {length} bytes lost"))),
        })?;
        let names: Vec<&str> = metadata.schema().fields().iter().map(|f| f.name().as_str()).collect();
        let columns = find_columns(stage, url, &names, wanted)?;
        Ok(Self {
            url: url.to_owned(),
            file,
            kinds: wanted.iter().map(|column| column.kind).collect(),
            columns,
            metadata,
            group: 0,
            skip: first,
            left: 0,
            reader: None,
            batch: Vec::new(),
            broken: None,
        })
    }

    /// Returns the rows of a row group; none if the footer claims what cannot be.
    fn group_rows(&self, group: usize) -> Option<u64> {
        let rows = self.metadata.metadata().row_group(group).num_rows();
        u64::try_from(rows).ok().filter(|rows| *rows <= GROUP_ROWS_MAX)
    }

    /// Opens the next row group with rows that are wanted; returns what to yield if there is none.
    fn next_group(&mut self) -> Result<(), Option<FileFault>> {
        let count = self.metadata.metadata().num_row_groups();
        let rows = loop {
            if self.group >= count {
                return Err(None);
            }
            match self.group_rows(self.group) {
                Some(rows) if self.skip < rows => break rows,
                Some(rows) => self.skip -= rows,
                None => {
                    // The damage itself was a row, which may have been read already.
                    let is_new = self.skip == 0;
                    let detail = format!("{}; the rest of the file is lost", self.group_words());
                    self.group = usize::MAX;
                    return Err(is_new.then(|| FileFault::broken(detail)));
                }
            }
            self.group += 1;
        };
        let roots = self.columns.iter().flatten().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        self.left = rows - self.skip;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone())
                .with_row_groups(vec![self.group])
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .with_offset(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.broken = None;
        self.batch.clear();
        match guarded(|| builder.build()) {
            Ok(reader) => self.reader = Some(reader),
            Err(detail) => self.broken = Some(format!("{}: {detail}", self.group_words())),
        }
        (self.group, self.skip) = (self.group + 1, 0);
        Ok(())
    }

    /// Names the row group that is read next, with the bytes that the wanted columns take in it.
    fn group_words(&self) -> String {
        let group = self.metadata.metadata().row_group(self.group);
        let wanted = self.columns.iter().flatten();
        let bytes: u64 = wanted
            .filter_map(|root| Some(group.columns().get(*root)?.compressed_size().max(0).unsigned_abs()))
            .sum();
        format!("row group {} of {} rows and {bytes} bytes", self.group, group.num_rows())
    }

    /// Decodes the next batch of the row group into rows, the first of them last.
    fn next_batch(&mut self) -> Result<()> {
        let reader = &mut self.reader;
        let batch = guarded(|| reader.as_mut().and_then(Iterator::next).transpose());
        let rows = match batch {
            Ok(Some(batch)) => self.rows_of(&batch),
            Ok(None) => Err("row group ends early".to_owned()),
            Err(detail) => Err(detail),
        };
        match rows {
            Ok(mut rows) => {
                rows.reverse();
                self.batch = rows;
            }
            Err(detail) if self.file.has_failed() => {
                return Err(Error::Source { url: shown(&self.url), detail });
            }
            Err(detail) => {
                self.reader = None;
                self.group -= 1;
                let words = self.group_words();
                self.group += 1;
                self.broken = Some(format!("{words}: {detail}; its last {} rows are lost", self.left));
            }
        }
        Ok(())
    }

    fn rows_of(&self, batch: &RecordBatch) -> Result<Vec<Row>, String> {
        let mut arrays: Vec<Option<ArrayRef>> = Vec::new();
        for (column, kind) in self.columns.iter().zip(&self.kinds) {
            let Some(root) = column else {
                arrays.push(None);
                continue;
            };
            let name = self.metadata.schema().field(*root).name();
            let array = batch.column_by_name(name).ok_or("column is missing")?;
            let target = match kind {
                Kind::Text => DataType::Utf8,
                Kind::Number => DataType::Float64,
            };
            // Cells that do not convert become null.
            arrays.push(Some(cast(array, &target).map_err(|error| error.to_string())?));
        }
        let cell = |row: usize, array: &Option<ArrayRef>, kind: &Kind| {
            let array = array.as_ref().filter(|array| array.is_valid(row));
            match kind {
                Kind::Text => Cell::Text(
                    array.and_then(|array| Some(array.as_string_opt::<i32>()?.value(row).to_owned())),
                ),
                Kind::Number => Cell::Number(
                    array.and_then(|array| Some(array.as_primitive_opt::<Float64Type>()?.value(row))),
                ),
            }
        };
        let rows = (0..batch.num_rows()).map(|row| {
            let cells = arrays.iter().zip(&self.kinds);
            Row::Whole(Cells(cells.map(|(array, kind)| cell(row, array, kind)).collect()))
        });
        Ok(rows.collect())
    }
}

impl Iterator for ParquetRows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.left == 0 {
                match self.next_group() {
                    Ok(()) => continue,
                    Err(fault) => return fault.map(|fault| Ok(Row::Lost(fault))),
                }
            }
            if let Some(row) = self.batch.pop() {
                self.left -= 1;
                return Some(Ok(row));
            }
            if let Some(detail) = &self.broken {
                self.left -= 1;
                return Some(Ok(Row::Broken { detail: detail.clone(), preview: String::new() }));
            }
            if let Err(error) = self.next_batch() {
                (self.group, self.left, self.skip) = (usize::MAX, 0, 0);
                return Some(Err(error));
            }
        }
    }
}

/// Calls the decoder, which may panic on what is damaged.
fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the decoder panicked".to_owned()),
    }
}

#[cfg(test)]
mod tests;
