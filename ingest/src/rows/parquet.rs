//! Rows of a parquet file: columns by name, whatever their types are.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use corpus::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::{Cell, Cells, Kind, Row, Wanted, find_columns};
use crate::fetch::Ranged;
use crate::location::shown;

/// Rows decoded at once.
const BATCH_ROWS: usize = 1_024;
/// Rows of one row group; a footer that claims more is not believed.
const GROUP_ROWS_MAX: u64 = 1 << 26;

/// Iterator over the rows of a file, row group after row group; memory holds one batch.
///
/// Rows that cannot be decoded come as [`Row::Broken`], the rest of their row group with
/// them; the other row groups are not touched by that.
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
    /// When it is not parquet or lacks a required column.
    pub fn open(stage: &str, url: &str, file: Ranged, wanted: &[Wanted], first: u64) -> Result<Self> {
        let not_parquet = |detail: String| Error::Source { url: shown(url), detail };
        let metadata = ArrowReaderMetadata::load(&file, Default::default())
            .map_err(|error| not_parquet(error.to_string()))?;
        let names: Vec<&str> = metadata.schema().fields().iter().map(|f| f.name().as_str()).collect();
        let columns = find_columns(stage, url, &names, wanted)?;
        let mut rows = Self {
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
        };
        rows.pass_over_groups()?;
        Ok(rows)
    }

    fn group_rows(&self, group: usize) -> Result<u64> {
        let rows = self.metadata.metadata().row_group(group).num_rows();
        match u64::try_from(rows) {
            Ok(rows) if rows <= GROUP_ROWS_MAX => Ok(rows),
            _ => Err(Error::Source {
                url: shown(&self.url),
                detail: format!("row group {group} claims {rows} rows"),
            }),
        }
    }

    fn pass_over_groups(&mut self) -> Result<()> {
        while self.group < self.metadata.metadata().num_row_groups() {
            let rows = self.group_rows(self.group)?;
            if self.skip < rows {
                return Ok(());
            }
            self.skip -= rows;
            self.group += 1;
        }
        Ok(())
    }

    /// Opens the next row group; false at the end of the file.
    fn next_group(&mut self) -> Result<bool> {
        self.pass_over_groups()?;
        if self.group >= self.metadata.metadata().num_row_groups() {
            return Ok(false);
        }
        let roots = self.columns.iter().flatten().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        self.left = self.group_rows(self.group)? - self.skip;
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone())
                .with_row_groups(vec![self.group])
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .with_offset(usize::try_from(self.skip).unwrap_or(usize::MAX))
                .build();
        self.broken = None;
        self.batch.clear();
        match reader {
            Ok(reader) => self.reader = Some(reader),
            Err(error) => self.broken = Some(error.to_string()),
        }
        (self.group, self.skip) = (self.group + 1, 0);
        Ok(true)
    }

    /// Decodes the next batch of the row group into rows, the first of them last.
    fn next_batch(&mut self) {
        let batch = self.reader.as_mut().and_then(Iterator::next);
        let rows = match batch {
            Some(Ok(batch)) => self.rows_of(&batch),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("row group ends early".to_owned()),
        };
        match rows {
            Ok(mut rows) => {
                rows.reverse();
                self.batch = rows;
            }
            Err(detail) => {
                self.reader = None;
                self.broken = Some(detail);
            }
        }
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
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => {
                        self.group = usize::MAX;
                        return Some(Err(error));
                    }
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
            self.next_batch();
        }
    }
}

#[cfg(test)]
mod tests;
