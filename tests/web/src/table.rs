//! The Parquet files of LAION-2B, LAION-400M and COYO-700M, column by column as they
//! were published (LAION's and COYO's dataset cards).

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use rand::RngExt;

use crate::pairs::Row;
use crate::random::Stream;

/// Rows of one row group, few enough that every file has several.
const ROW_GROUP_ROWS: usize = 1000;

/// How a LAION file stores HEIGHT and WIDTH; the published files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    Float64,
    Int32,
}

/// Writes LAION's columns: SAMPLE_ID, URL, TEXT, HEIGHT, WIDTH, LICENSE, NSFW, similarity.
///
/// # Errors
/// The writer's, for columns that do not fit together.
pub(crate) fn laion(rows: &[Row], sides: Sides, stream: &mut Stream) -> Result<Vec<u8>, ParquetError> {
    let side = |of: fn(&Row) -> u32| -> ArrayRef {
        let values = rows.iter().map(of);
        match sides {
            Sides::Float64 => Arc::new(Float64Array::from_iter_values(values.map(f64::from))),
            Sides::Int32 => Arc::new(Int32Array::from_iter_values(values.map(|side| side as i32))),
        }
    };
    let nsfw = rows.iter().map(|_| match stream.random_range(0..20) {
        0 => Some("UNSURE"),
        _ => Some("UNLIKELY"),
    });
    let nsfw: ArrayRef = Arc::new(nsfw.collect::<StringArray>());
    let license = rows.iter().map(|_| Some("?")).collect::<StringArray>();
    write(vec![
        ("SAMPLE_ID", ids(rows, stream)),
        ("URL", urls(rows)),
        ("TEXT", captions(rows)),
        ("HEIGHT", side(|row| row.height)),
        ("WIDTH", side(|row| row.width)),
        ("LICENSE", Arc::new(license)),
        ("NSFW", nsfw),
        (
            "similarity",
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|_| stream.random_range(0.28..0.42)))),
        ),
    ])
}

/// Writes COYO's seventeen columns, `id` to `aesthetic_score_laion_v2`.
///
/// # Errors
/// The writer's, for columns that do not fit together.
pub(crate) fn coyo(rows: &[Row], stream: &mut Stream) -> Result<Vec<u8>, ParquetError> {
    let caption = |row: &Row| row.caption.clone().unwrap_or_default();
    let words = |row: &Row| caption(row).split_whitespace().count() as i32;
    let phashes = rows.iter().map(|_| Some(format!("{:016x}", stream.random::<u64>())));
    let phashes: ArrayRef = Arc::new(phashes.collect::<StringArray>());
    let mut score = |range: std::ops::Range<f32>| -> ArrayRef {
        let values = rows.iter().map(|_| stream.random_range(range.clone()));
        Arc::new(Float32Array::from_iter_values(values))
    };
    let scores = [
        ("clip_similarity_vitb32", score(0.2..0.4)),
        ("clip_similarity_vitl14", score(0.15..0.35)),
        ("nsfw_score_opennsfw2", score(0.0..0.1)),
        ("nsfw_score_gantman", score(0.0..0.1)),
        ("watermark_score", score(0.0..0.4)),
        ("aesthetic_score_laion_v2", score(4.0..6.0)),
    ];
    let mut columns = vec![
        ("id", ids(rows, stream)),
        ("url", urls(rows)),
        ("text", captions(rows)),
        ("width", integers(rows, |row| row.width as i32)),
        ("height", integers(rows, |row| row.height as i32)),
        ("image_phash", phashes),
        ("text_length", integers(rows, |row| caption(row).chars().count() as i32)),
        ("word_count", integers(rows, words)),
        ("num_tokens_bert", integers(rows, |row| words(row) + 2)),
        ("num_tokens_gpt", integers(rows, words)),
        ("num_faces", integers(rows, |_| 0)),
    ];
    columns.extend(scores);
    write(columns)
}

fn ids(rows: &[Row], stream: &mut Stream) -> ArrayRef {
    let ids = rows.iter().map(|_| stream.random_range(0..i64::MAX));
    Arc::new(Int64Array::from_iter_values(ids))
}

fn urls(rows: &[Row]) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.url.as_deref()).collect::<StringArray>())
}

fn captions(rows: &[Row]) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.caption.as_deref()).collect::<StringArray>())
}

fn integers(rows: &[Row], of: impl Fn(&Row) -> i32) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(rows.iter().map(of)))
}

fn write(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<u8>, ParquetError> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error: ArrowError| ParquetError::External(Box::new(error)))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use bytes::Bytes;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::random::stream;

    fn rows() -> Vec<Row> {
        (0..2500)
            .map(|index| Row {
                url: (index % 7 != 0).then(|| format!("https://img0.shapes.example/{index}")),
                caption: (index % 5 != 0).then(|| "a small red cross".to_owned()),
                width: 200 + index,
                height: 300,
            })
            .collect()
    }

    fn columns(bytes: Vec<u8>) -> Vec<String> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
        assert_eq!(builder.metadata().num_row_groups(), 3);
        let group = builder.metadata().row_group(0);
        assert!(group.columns().iter().all(|c| c.compression() == Compression::SNAPPY));
        let schema = builder.schema().clone();
        let read: usize = builder.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(read, 2500);
        let show = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
        schema.fields().iter().map(show).collect()
    }

    #[test]
    fn laion_columns_are_as_published_with_either_type_of_sides() {
        for (sides, kind) in [(Sides::Float64, "Float64"), (Sides::Int32, "Int32")] {
            let file = laion(&rows(), sides, &mut stream(1, "laion", 0)).unwrap();
            let (height, width) = (format!("HEIGHT {kind}"), format!("WIDTH {kind}"));
            assert_eq!(
                columns(file),
                [
                    "SAMPLE_ID Int64",
                    "URL Utf8",
                    "TEXT Utf8",
                    &height,
                    &width,
                    "LICENSE Utf8",
                    "NSFW Utf8",
                    "similarity Float64",
                ]
            );
        }
    }

    #[test]
    fn coyo_columns_are_as_published() {
        let file = coyo(&rows(), &mut stream(1, "coyo", 0)).unwrap();
        assert_eq!(
            columns(file),
            [
                "id Int64",
                "url Utf8",
                "text Utf8",
                "width Int32",
                "height Int32",
                "image_phash Utf8",
                "text_length Int32",
                "word_count Int32",
                "num_tokens_bert Int32",
                "num_tokens_gpt Int32",
                "num_faces Int32",
                "clip_similarity_vitb32 Float32",
                "clip_similarity_vitl14 Float32",
                "nsfw_score_opennsfw2 Float32",
                "nsfw_score_gantman Float32",
                "watermark_score Float32",
                "aesthetic_score_laion_v2 Float32",
            ]
        );
    }
}
