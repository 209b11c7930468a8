//! The first rows of a part as JSON, with payloads described instead of shown.

mod cell;
mod payload;

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::parts::{files, io};
use crate::{Error, Result};

/// Rows that are read at most.
pub const ROWS_MAX: usize = 10_000;
/// Rows that are decoded at once: payloads are described batch by batch.
const BATCH_ROWS: usize = 16;

/// Reads the first rows of Parquet files, or of those in folders, one file after the other, each row as a
/// JSON object of its columns.
///
/// Long text and long lists are cut; binary values become `<1234 bytes png 64x64>`, short ones
/// hexadecimal. At most [`ROWS_MAX`] rows are read.
///
/// # Errors
/// When there is no parquet file, or one cannot be opened or read.
pub fn rows(paths: &[PathBuf], count: usize) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let found: Vec<Vec<PathBuf>> = paths.iter().map(|path| files(path)).collect::<Result<_>>()?;
    for file in found.concat() {
        let missing = count.min(ROWS_MAX) - rows.len();
        if missing == 0 {
            break;
        }
        rows.extend(rows_of_file(&file, missing)?);
    }
    Ok(rows)
}

fn rows_of_file(path: &Path, count: usize) -> Result<Vec<Value>> {
    let parquet = |source| Error::Parquet { path: path.to_owned(), source };
    let file = File::open(path).map_err(io("open", path))?;
    let batches = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(parquet)?
        .with_batch_size(BATCH_ROWS)
        .with_limit(count)
        .build()
        .map_err(parquet)?;
    let mut rows = Vec::new();
    for batch in batches {
        let batch = batch.map_err(|source| Error::Rows { path: path.to_owned(), source })?;
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let names = schema.fields().iter().map(|field| field.name().clone());
            let cells = batch.columns().iter().map(|column| cell::json(column, row));
            rows.push(Value::Object(names.zip(cells).collect::<Map<_, _>>()));
        }
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{documents, images};

    #[test]
    fn rows_are_objects_and_long_text_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.parquet");
        documents(&path, 500);
        let shown = rows(std::slice::from_ref(&path), 3).unwrap();
        assert_eq!(shown.len(), 3);
        assert_eq!(
            shown[2],
            json!({"id": 2, "key": null, "source": "even", "url": null, "date": null, "language": "eng", "text": "xx", "split": null})
        );
        let long = rows(std::slice::from_ref(&path), usize::MAX).unwrap();
        assert_eq!(long.len(), 500);
        assert_eq!(long[499]["text"], format!("{}… (499 bytes)", "x".repeat(cell::TEXT_CHARS_MAX)));
        assert_eq!(rows(std::slice::from_ref(&path), 0).unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn payloads_are_described_and_nested_values_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.parquet");
        images(&path);
        let shown = rows(std::slice::from_ref(&path), 2).unwrap();
        assert_eq!(shown[0]["image"], json!({"bytes": "<41 bytes png 64x48>", "path": "1.png"}));
        assert_eq!(shown[1]["image"]["bytes"], "<37 bytes>");
        assert_eq!(shown[0]["key"], "01010101010101010101010101010101");
        assert_eq!(
            shown[0]["uses"],
            json!([{"id": 1, "slot": 0, "caption": null, "key": null, "digest": null, "extra": null}])
        );
    }

    #[test]
    fn a_file_that_is_no_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.txt");
        std::fs::write(&path, "no table").unwrap();
        assert!(matches!(rows(std::slice::from_ref(&path), 1), Err(Error::Parquet { .. })));
        assert!(matches!(rows(&[folder.path().join("missing")], 1), Err(Error::Io { .. })));
    }
}
