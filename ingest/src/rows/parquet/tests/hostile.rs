//! Parquet files that somebody made to do harm.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::File;
use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::Field;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Type, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{SchemaDescriptor, Type as SchemaType};
use proptest::prelude::*;

use super::super::*;

/// Returns rows that were read, the bytes of their texts, and what was lost.
fn read(bytes: &[u8], first: u64) -> Result<(u64, u64, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, bytes).unwrap();
    let wanted = [Wanted::required(ColumnKind::Text, vec!["text".to_owned()])];
    let rows = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted, first);
    let rows = rows.map_err(|error| FileFault::of_error(error).unwrap().detail)?;
    let (mut count, mut text_bytes, mut faults) = (0, 0, Vec::new());
    for row in rows {
        match row.unwrap() {
            Row::Whole(mut cells) => {
                count += 1;
                text_bytes += cells.text(0).map_or(0, |text| text.len() as u64);
            }
            Row::Broken { detail, .. } => faults.push(detail),
            Row::Lost { fault, .. } => faults.push(fault.detail),
        }
    }
    Ok((count, text_bytes, faults))
}

fn written(texts: &[&str], compression: Compression, group_rows: usize) -> Vec<u8> {
    let array: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let batch = RecordBatch::try_from_iter([("text", array)]).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// A file of a footer alone, which claims row groups of one column `text`.
fn footer(groups: &[(i64, i64)]) -> Vec<u8> {
    let text = SchemaType::primitive_type_builder("text", Type::BYTE_ARRAY).build().unwrap();
    let root = SchemaType::group_type_builder("schema").with_fields(vec![Arc::new(text)]).build().unwrap();
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let mut builder = ParquetMetaDataBuilder::new(FileMetaData::new(
        2,
        groups.len() as i64,
        None,
        None,
        schema.clone(),
        None,
    ));
    for (rows, offset) in groups {
        let column = ColumnChunkMetaData::builder(schema.column(0))
            .set_data_page_offset(*offset)
            .set_num_values(*rows)
            .set_total_compressed_size(100)
            .set_total_uncompressed_size(100)
            .build()
            .unwrap();
        let group = RowGroupMetaData::builder(schema.clone())
            .set_num_rows(*rows)
            .add_column_metadata(column)
            .build()
            .unwrap();
        builder = builder.add_row_group(group);
    }
    let mut bytes = b"PAR1".to_vec();
    let metadata = builder.build();
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
    bytes
}

#[test]
fn offsets_that_no_file_has_cost_their_rows() {
    for offset in [-1, i64::MIN, i64::MAX, 0, 4, 1 << 40] {
        let (rows, _, faults) = read(&footer(&[(10, offset)]), 0).unwrap();
        assert_eq!((rows, faults.len()), (0, 1), "{offset}: {faults:?}");
        assert!(faults[0].ends_with("its last 10 rows are lost"), "{faults:?}");
    }
}

#[test]
fn rows_that_a_small_file_cannot_have_are_not_believed() {
    let most = ROWS_FREE as i64;
    let (_, _, faults) = read(&footer(&[(most, 4)]), 0).unwrap();
    assert_eq!(faults.len(), 1, "one fault and not one for each row");
    for claims in [
        vec![(1_300_000_000_000, 4)],
        vec![(most, 4), (most, 4)],
        vec![(i64::MAX, 4), (i64::MAX, 4)],
        vec![(-5, 4)],
    ] {
        let fault = read(&footer(&claims), 0).unwrap_err();
        assert!(fault.contains("claims more than"), "{claims:?}: {fault}");
    }
}

#[test]
fn a_text_that_a_dictionary_repeats_is_given_until_that_is_a_bomb() {
    let text = "a text of some length ".repeat(30_000);
    let bytes = written(&vec![text.as_str(); 400], Compression::UNCOMPRESSED, 10_000);
    assert!(bytes.len() < 2 << 20);
    let most = inflation::bytes_max(bytes.len() as u64);
    for first in [0, 17] {
        let (rows, text_bytes, faults) = read(&bytes, first).unwrap();
        assert!(text_bytes <= most + text.len() as u64 && rows > 10, "{rows}");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("a bomb"), "{faults:?}");
        let lost = 400 - first - rows;
        assert!(faults[0].ends_with(&format!("its last {lost} rows are lost")), "{faults:?} from {first}");
    }
}

#[test]
fn a_page_that_inflates_beyond_measure_is_not_begun() {
    let text = "\0".repeat(15 << 20);
    let bytes = written(&vec![text.as_str(); 40], Compression::ZSTD(ZstdLevel::try_new(3).unwrap()), 10_000);
    // The dictionary holds the text once: one page of 15 MiB is no bomb, forty of them given are one.
    let (rows, text_bytes, faults) = read(&bytes, 0).unwrap();
    assert!(text_bytes <= inflation::bytes_max(bytes.len() as u64) + text.len() as u64, "{rows}");
    assert_eq!(faults.len(), 1, "{faults:?}");
    // A page of 17 MiB in one text is longer than a text may be.
    let long = "\0".repeat(17 << 20);
    let bytes = written(&[long.as_str(), "short"], Compression::ZSTD(ZstdLevel::try_new(3).unwrap()), 10_000);
    let (rows, _, faults) = read(&bytes, 0).unwrap();
    assert_eq!(
        (rows, faults.as_slice()),
        (1, &["column \"text\" has a text of 17825792 bytes".to_owned()][..])
    );
}

#[test]
fn resuming_gives_what_is_left_also_behind_damage() {
    let texts: Vec<String> =
        (0..9_000_u32).map(|n| format!("text number {n} {:x}", n.wrapping_mul(0x9e37_79b9))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut bytes = written(&texts, Compression::SNAPPY, 3_000);
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0xee);
    let (whole, _, faults) = read(&bytes, 0).unwrap();
    assert!((6_000..9_000).contains(&whole) && faults.len() == 1, "{whole} {faults:?}");
    let before = whole - 3_000;
    for first in [1, 2_999, 3_000, before.min(3_500)] {
        assert_eq!(read(&bytes, first).unwrap().0, whole - first, "from {first}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_damaged_file_ends_and_gives_no_more_rows_than_it_may(
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        in_footer: bool,
    ) {
        let texts: Vec<String> = (0..500).map(|n| format!("text {n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut bytes = written(&texts, Compression::SNAPPY, 200);
        let begin = if in_footer { bytes.len() - 400 } else { 0 };
        for (place, value) in places {
            let place = begin + place.index(bytes.len() - begin);
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()).max(1));
        }
        let most = ROWS_FREE + bytes.len() as u64 * ROWS_PER_BYTE_MAX;
        if let Ok((rows, _, faults)) = read(&bytes, 0) {
            prop_assert!(rows + faults.len() as u64 <= most);
        }
    }
}

#[test]
fn lists_of_more_values_than_bytes_can_hold_are_not_begun() {
    let items = StringArray::from_iter_values(vec!["a"; 2 * ROWS_FREE as usize]);
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([items.len()]);
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    let list: ArrayRef = Arc::new(arrow::array::ListArray::new(field, offsets, Arc::new(items), None));
    let batch = RecordBatch::try_from_iter([("text", list)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let wanted = [Wanted::required(ColumnKind::Texts, vec!["text".to_owned()])];
    let opened = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted, 0);
    let fault = FileFault::of_error(opened.err().unwrap()).unwrap();
    assert!(fault.detail.contains("rows or values"), "{fault}");
}

#[test]
fn texts_that_share_their_beginnings_are_decoded_a_few_at_a_time() {
    let text = "a beginning that all share ".repeat(2_000);
    let array: ArrayRef = Arc::new(StringArray::from_iter_values(vec![text.as_str(); 600]));
    let batch = RecordBatch::try_from_iter([("text", array)]).unwrap();
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let wanted = [Wanted::required(ColumnKind::Text, vec!["text".to_owned()])];
    let rows = ParquetRows::open("stage", "file", File::open(&path).unwrap().into(), &wanted, 0).unwrap();
    assert_eq!(rows.batch_rows(0, 600), SHARING_BATCH_ROWS);
    assert_eq!(rows.filter(|row| matches!(row, Ok(Row::Whole(_)))).count(), 600);
}
