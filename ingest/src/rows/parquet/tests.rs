//! Parquet files of other writers, whole and damaged.
#![allow(clippy::unwrap_used, clippy::panic)]

mod hostile;
mod texts;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{BinaryArray, Float64Array, Int32Array, StringArray};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use std::fs::File;
use std::path::Path;

use super::*;

const ROWS: usize = 5_000;

/// Writes rows `u<n>`, with every tenth null, in row groups of 2,000; returns the path.
fn file(folder: &Path, number: DataType) -> PathBuf {
    let urls: Vec<Option<String>> = (0..ROWS).map(|n| (n % 10 != 9).then(|| format!("u{n}"))).collect();
    let numbers: ArrayRef = match number {
        DataType::Int32 => Arc::new(Int32Array::from_iter((0..ROWS as i32).map(Some))),
        _ => Arc::new(Float64Array::from_iter((0..ROWS).map(|n| Some(n as f64)))),
    };
    let text = BinaryArray::from_iter_values((0..ROWS).map(|n| format!("t{n}").into_bytes()));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("SAMPLE_ID", Arc::new(Int32Array::from_iter_values(0..ROWS as i32))),
        ("URL", Arc::new(StringArray::from(urls))),
        ("TEXT", Arc::new(text)),
        ("WIDTH", numbers),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let path = folder.join("rows.parquet");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2_000)).build();
    let out = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn wanted() -> [Wanted; 4] {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    [
        Wanted::required(ColumnKind::Text, names(&["url", "URL"])),
        Wanted::required(ColumnKind::Text, names(&["TEXT"])),
        Wanted::optional(ColumnKind::Number, names(&["WIDTH"])),
        Wanted::optional(ColumnKind::Number, names(&["missing"])),
    ]
}

#[test]
fn columns_are_found_by_name_whatever_their_types() {
    for number in [DataType::Int32, DataType::Float64] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), number);
        for first in [0, 1_999, 2_000, 4_321, ROWS as u64] {
            let mut count = first;
            for row in ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted(), first)
                .unwrap()
            {
                let Row::Whole(mut cells) = row.unwrap() else { panic!("row {count} is broken") };
                let url = (count % 10 != 9).then(|| format!("u{count}"));
                assert_eq!((cells.text(0), cells.text(1)), (url, Some(format!("t{count}"))));
                assert_eq!((cells.number(2), cells.number(3)), (Some(count as f64), None));
                count += 1;
            }
            assert_eq!(count, ROWS as u64, "from {first}");
        }
    }
}

#[test]
fn a_missing_column_names_those_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), DataType::Int32);
    let wanted = [Wanted::required(ColumnKind::Text, vec!["caption".to_owned()])];
    let Err(error) = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted, 0) else {
        panic!("opened")
    };
    let fault = FileFault::of_error(error).unwrap();
    assert!(fault.detail.contains("SAMPLE_ID"), "{fault}");
}

#[test]
fn a_damaged_row_group_costs_its_own_rows_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), DataType::Int32);
    let mut bytes = std::fs::read(&path).unwrap();
    let metadata = ArrowReaderMetadata::load(&File::open(&path).unwrap(), Default::default()).unwrap();
    let (start, length) = metadata.metadata().row_group(1).column(1).byte_range();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let rows: Vec<Row> = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted(), 0)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let kinds: Vec<Option<u64>> = rows
        .iter()
        .map(|row| match row {
            Row::Lost { rows, .. } => Some(*rows),
            _ => None,
        })
        .collect();
    let expected = [vec![None; 2_000], vec![Some(2_000)], vec![None; 1_000]].concat();
    assert_eq!(kinds, expected);
}

#[test]
fn what_is_no_parquet_is_a_fault_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, b"PAR1 but no more").unwrap();
    let error = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted(), 0);
    let fault = FileFault::of_error(error.err().unwrap()).unwrap();
    assert!(fault.detail.ends_with("16 bytes lost"), "{fault}");
}
