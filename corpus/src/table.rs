//! Rows in parquet: one writer and one reader for every record type.
//!
//! Memory is bounded by one row group per open table
//! ([`ROW_GROUP_ROWS_MAX`] rows, [`ROW_GROUP_BYTES_MAX`] payload bytes).

use std::collections::HashMap;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnPath;

use crate::column::Column;
use crate::error::os_error;
use crate::limits::{READ_BATCH_ROWS, ROW_BYTES_MAX, ROW_GROUP_BYTES_MAX, ROW_GROUP_ROWS_MAX};
use crate::store::{StoredFile, create_local};
use crate::{Error, Id, Result};

/// The parquet metadata key that names a part's record type and version.
pub const TABLE_KEY: &str = "kosmos.table";

/// Bytes of a dictionary page at most: names of sources and languages fit, of texts and URLs, which do not
/// repeat, a dictionary is given up early.
const DICTIONARY_BYTES_MAX: usize = 64 << 10;

/// What parquet metadata says of the writer: no version, so that bytes do not change with it.
const WRITER_NAME: &str = "kosmos";

/// A row type with an Arrow schema of its own, declared by `record!`.
pub trait Record: Column + Send + 'static {
    /// Name and version of the table, such as `document/2`, written into every part.
    const TABLE: &'static str;

    /// Returns the schema; column names are those that the ecosystem reads without us.
    fn schema() -> SchemaRef {
        match Self::data_type() {
            DataType::Struct(fields) => Arc::new(Schema::new_with_metadata(fields, Self::metadata())),
            other => Arc::new(Schema::new(vec![Field::new("value", other, true)])),
        }
    }

    /// Returns the rows as a record batch.
    ///
    /// # Errors
    /// When Arrow refuses, which would be a fault of the declaration.
    fn batch(rows: &[Self]) -> Result<RecordBatch, String> {
        let rows: Vec<Option<&Self>> = rows.iter().map(Some).collect();
        let array = Self::array(&rows);
        let columns = array.as_struct_opt().ok_or("not a struct")?.columns().to_vec();
        RecordBatch::try_new(Self::schema(), columns).map_err(|error| error.to_string())
    }

    /// Reads rows back; the error says which column is not as it should be.
    ///
    /// # Errors
    /// When a column is missing, has another type, or holds an impossible value.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, String> {
        let rows = Self::values(&StructArray::from(batch.clone()))?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Returns the schema's metadata: the features of Hugging Face `datasets`.
    fn metadata() -> HashMap<String, String> {
        let info = serde_json::json!({"info": {"features": Self::feature()}});
        HashMap::from([("huggingface".to_owned(), info.to_string())])
    }
}

/// Writes rows of one type to a local scratch file.
#[derive(Debug)]
pub struct Writer<R: Record> {
    path: PathBuf,
    parquet: ArrowWriter<File>,
    pending: Vec<R>,
    pending_bytes: usize,
    row_count: u64,
}

impl<R: Record> Writer<R> {
    /// Creates the scratch file.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        let metadata = vec![KeyValue::new(TABLE_KEY.to_owned(), R::TABLE.to_owned())];
        let schema = R::schema();
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(WRITER_NAME.to_owned())
            .set_key_value_metadata(Some(metadata))
            .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
            .set_max_row_group_row_count(None);
        // Ids and hashes do not repeat: a dictionary of them would be built in vain.
        for field in schema.fields().iter().filter(|field| *field.data_type() == DataType::UInt64) {
            properties =
                properties.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
        }
        let parquet = ArrowWriter::try_new(create_local(path)?, schema, Some(properties.build()))
            .map_err(|error| unwritten::<R>(path, error))?;
        Ok(Self { path: path.to_owned(), parquet, pending: Vec::new(), pending_bytes: 0, row_count: 0 })
    }

    /// Adds a row; a full row group goes to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn push(&mut self, row: R) -> Result<()> {
        let bytes = row.payload_bytes();
        if bytes > ROW_BYTES_MAX {
            return Err(unwritten::<R>(
                &self.path,
                ParquetError::General(format!("a row of {bytes} bytes is more than {ROW_BYTES_MAX}")),
            ));
        }
        self.pending_bytes += bytes;
        self.pending.push(row);
        self.row_count += 1;
        if self.pending.len() >= ROW_GROUP_ROWS_MAX || self.pending_bytes >= ROW_GROUP_BYTES_MAX {
            self.write_row_group()?;
        }
        Ok(())
    }

    /// Completes the file and returns its rows.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<u64> {
        self.write_row_group()?;
        let path = self.path;
        self.parquet.close().map_err(|error| unwritten::<R>(&path, error))?;
        Ok(self.row_count)
    }

    fn write_row_group(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = R::batch(&self.pending).map_err(|error| damaged(self.path.display(), R::TABLE, error))?;
        let written = self.parquet.write(&batch).and_then(|()| self.parquet.flush());
        written.map_err(|error| unwritten::<R>(&self.path, error))?;
        self.pending.clear();
        self.pending_bytes = 0;
        Ok(())
    }
}

/// Tells a disk that refuses from rows that do not fit their table.
fn unwritten<R: Record>(path: &Path, error: ParquetError) -> Error {
    match os_error(&error).and_then(std::io::Error::raw_os_error) {
        Some(code) => Error::io("write", path)(std::io::Error::from_raw_os_error(code)),
        None => damaged(path.display(), R::TABLE, error),
    }
}

fn damaged(path: impl std::fmt::Display, table: &'static str, error: impl std::fmt::Display) -> Error {
    Error::Table { path: path.to_string(), table, detail: error.to_string() }
}

/// Returns the store's error by which a table could not be read, or says that it is damaged.
fn unread(file: &StoredFile, path: &str, table: &'static str, error: impl std::fmt::Display) -> Error {
    file.take_failure().unwrap_or_else(|| damaged(path, table, error))
}

/// Reads the rows of one part in order: of a table's columns those that the record type has.
#[derive(Debug)]
pub struct Reader<R: Record> {
    path: String,
    file: StoredFile,
    batches: ParquetRecordBatchReader,
    rows: std::vec::IntoIter<R>,
}

impl<R: Record> Reader<R> {
    /// Opens a part.
    ///
    /// # Errors
    /// When it is not a parquet table of this record type.
    pub fn open(path: &str, file: StoredFile) -> Result<Self> {
        Self::build(path, file, |_| true, (0, None))
    }

    /// Opens a part at a row, as a resumed task does; earlier row groups are not read.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(path: &str, file: StoredFile, row: u64) -> Result<Self> {
        Self::build(path, file, |_| true, (row, None))
    }

    /// As [`Self::open_at`], so many rows and no more: what lies behind them is not decoded.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_rows(path: &str, file: StoredFile, row: u64, count: u64) -> Result<Self> {
        Self::build(path, file, |_| true, (row, Some(count)))
    }

    /// Opens the row groups of a part that may hold an id of the range in the named column, by the
    /// column's statistics; of 128-bit keys the first half counts. Rows outside the range can still come.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_ids(path: &str, file: StoredFile, column: &str, ids: &RangeInclusive<Id>) -> Result<Self> {
        Self::build(path, file, |group| may_hold(group, column, ids), (0, None))
    }

    fn build(
        path: &str,
        file: StoredFile,
        wanted: impl Fn(&RowGroupMetaData) -> bool,
        (offset, count): (u64, Option<u64>),
    ) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| unread(&file, path, R::TABLE, error);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone()).map_err(|e| failed(&e))?;
        let metadata = Arc::clone(builder.metadata());
        let named = metadata
            .file_metadata()
            .key_value_metadata()
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == TABLE_KEY))
            .and_then(|pair| pair.value.as_deref());
        if named != Some(R::TABLE) {
            return Err(failed(&format!("it is a {} table", named.unwrap_or("foreign"))));
        }
        let groups =
            (0..metadata.num_row_groups()).filter(|&index| wanted(metadata.row_group(index))).collect();
        let schema = R::schema();
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        let wanted = ProjectionMask::columns(builder.parquet_schema(), columns);
        let rows = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let limit = count.map_or(usize::MAX, rows);
        let batch_rows = batch_rows(metadata.row_groups()).min(limit.max(1));
        let batches = builder
            .with_projection(wanted)
            .with_row_groups(groups)
            .with_offset(rows(offset))
            .with_limit(limit)
            .with_batch_size(batch_rows)
            .build()
            .map_err(|e| failed(&e))?;
        Ok(Self { path: path.to_owned(), file, batches, rows: Vec::new().into_iter() })
    }
}

/// Returns how many rows are decoded at once: no more than a row group's bytes, in the mean, also where row groups are
/// smaller than [`READ_BATCH_ROWS`].
fn batch_rows(groups: &[RowGroupMetaData]) -> usize {
    let rows: i64 = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let bytes: i64 = groups.iter().map(RowGroupMetaData::total_byte_size).sum();
    let row_bytes = usize::try_from(bytes / rows.max(1)).unwrap_or_default().max(1);
    (ROW_GROUP_BYTES_MAX / row_bytes).clamp(1, READ_BATCH_ROWS)
}

impl<R: Record> Iterator for Reader<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            let rows = match self.batches.next()? {
                Ok(batch) => R::rows(&batch),
                Err(error) => Err(error.to_string()),
            };
            match rows {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(detail) => return Some(Err(unread(&self.file, &self.path, R::TABLE, detail))),
            }
        }
    }
}

/// Returns false only if the statistics prove that no id of the range is in the row group.
fn may_hold(group: &RowGroupMetaData, column: &str, ids: &RangeInclusive<Id>) -> bool {
    bounds(group, column).is_none_or(|held| held.end() >= ids.start() && held.start() <= ids.end())
}

/// Returns the smallest and the largest id of a row group's column, of 128-bit keys their first halves;
/// `None` where statistics do not tell.
fn bounds(group: &RowGroupMetaData, column: &str) -> Option<RangeInclusive<Id>> {
    let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    let (min, max) = match chunk.statistics()? {
        // Unsigned columns keep their bits in the signed physical type.
        Statistics::Int64(values) => {
            values.min_opt().zip(values.max_opt()).map(|(min, max)| (*min as u64, *max as u64))
        }
        Statistics::ByteArray(values) => {
            let prefix = |key: &[u8]| key.first_chunk().map(|first| u64::from_be_bytes(*first));
            let bounds = values.min_opt().zip(values.max_opt());
            bounds.and_then(|(min, max)| prefix(min.data()).zip(prefix(max.data())))
        }
        _ => None,
    }?;
    Some(Id::from_bits(min)..=Id::from_bits(max))
}

/// Returns a range that holds the ids of a part's column: the narrowest that its statistics tell of.
///
/// # Errors
/// When the file is not a parquet table.
pub fn id_range(path: &str, file: StoredFile, column: &str) -> Result<RangeInclusive<Id>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone())
        .map_err(|error| unread(&file, path, "parquet", error))?;
    // A range that is empty, if there is no row.
    let (mut first, mut last) = (Id::from_bits(u64::MAX), Id::from_bits(0));
    for group in builder.metadata().row_groups() {
        let held = bounds(group, column).unwrap_or(Id::from_bits(0)..=Id::from_bits(u64::MAX));
        (first, last) = (first.min(*held.start()), last.max(*held.end()));
    }
    Ok(first..=last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::record::Duplicate;

    #[test]
    fn a_full_disk_is_called_by_its_name() {
        // Every write to it fails as on a full disk.
        let mut writer = Writer::<Duplicate>::create(Path::new("/dev/full")).unwrap();
        let id = Id::from_bits;
        let rows =
            (0..3 * ROW_GROUP_ROWS_MAX as u64).map(|n| Duplicate { id: id(n), representative: id(n * n) });
        let written = rows.map(|row| writer.push(row)).collect::<Result<Vec<()>>>();
        let error = written.map(|_| ()).and_then(|()| writer.finish().map(drop)).unwrap_err();
        let Error::Io { source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
        assert!(!error.is_transient());
    }
}
