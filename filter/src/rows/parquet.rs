//! Rows of Parquet: their texts, within lists and groups too.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use super::RowsError;

/// Calls `row` with every row; what is no text is nothing.
pub(super) fn for_each_row(path: &Path, row: &mut impl FnMut(&Value)) -> Result<(), RowsError> {
    let io = |source| RowsError::Io { path: path.to_owned(), source };
    let bad = |error: parquet::errors::ParquetError| RowsError::File {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let reader = SerializedFileReader::new(File::open(path).map_err(io)?).map_err(bad)?;
    for read in reader.get_row_iter(None).map_err(bad)? {
        row(&of_row(&read.map_err(bad)?));
    }
    Ok(())
}

fn of_row(row: &Row) -> Value {
    row.get_column_iter().map(|(name, field)| (name.clone(), of_field(field))).collect()
}

fn of_field(field: &Field) -> Value {
    match field {
        Field::Str(text) => Value::from(text.as_str()),
        Field::Group(row) => of_row(row),
        Field::ListInternal(list) => list.elements().iter().map(of_field).collect(),
        Field::MapInternal(map) => map.entries().iter().map(|(_, value)| of_field(value)).collect(),
        _ => Value::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    /// Returns a file with a column `q`.
    pub(crate) fn file(texts: &[&str]) -> Vec<u8> {
        let schema = Arc::new(parse_message_type("message m { required binary q (UTF8); }").unwrap());
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<_> = texts.iter().map(|text| ByteArray::from(*text)).collect();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }
}
