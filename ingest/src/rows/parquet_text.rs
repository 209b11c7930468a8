//! Texts of a Parquet file, read as the bytes that they are: the library gives a whole row group up where one text is no
//! UTF-8, so that it is not told which columns hold text.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::file::metadata::{FileMetaData, ParquetMetaData};
use parquet::schema::types::{SchemaDescriptor, Type};

/// Says of each column whether it holds text by its type.
pub(super) fn declared(metadata: &ArrowReaderMetadata) -> Vec<bool> {
    let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let of = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, value) => is_text(value),
        kind => is_text(kind),
    };
    metadata.schema().fields().iter().map(of).collect()
}

/// Has texts and bytes read as views of bytes: of one that a dictionary repeats there are no copies.
///
/// # Errors
/// Where the library refuses.
pub(super) fn by_view(metadata: &ArrowReaderMetadata) -> Result<ArrowReaderMetadata> {
    let field = |(field, column): (&Arc<Field>, &Arc<Type>)| {
        let kind = match field.data_type() {
            DataType::Dictionary(_, value) => value,
            kind => kind,
        };
        let kind = match kind {
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            DataType::Utf8 | DataType::LargeUtf8 if holds_texts(column) => DataType::BinaryView,
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            _ => field.data_type().clone(),
        };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    };
    let schema = metadata.schema();
    let columns = metadata.metadata().file_metadata().schema().get_fields();
    let fields: Vec<Arc<Field>> = std::iter::zip(schema.fields(), columns).map(field).collect();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::new(without_texts(metadata.metadata())?), options)
}

/// Returns what a footer says, but that columns hold bytes where it says text.
fn without_texts(metadata: &ParquetMetaData) -> Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let root = file.schema();
    let columns = root.get_fields().iter().map(bytes).collect::<Result<_>>()?;
    let root = Type::group_type_builder(root.name()).with_fields(columns).build()?;
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        Arc::new(SchemaDescriptor::new(Arc::new(root))),
        file.column_orders().cloned(),
    );
    Ok(ParquetMetaData::new(file, metadata.row_groups().to_vec()))
}

/// Returns true for columns of one text a row, which are told by nothing but that from columns of bytes.
fn holds_texts(column: &Type) -> bool {
    let info = column.get_basic_info();
    let is_text = || match info.logical_type_ref() {
        Some(LogicalType::String) => true,
        None => info.converted_type() == ConvertedType::UTF8,
        Some(_) => false,
    };
    column.is_primitive()
        && column.get_physical_type() == Physical::BYTE_ARRAY
        && info.has_repetition()
        && info.repetition() != Repetition::REPEATED
        && is_text()
}

/// Returns a column of bytes in the place of one of texts.
fn bytes(column: &Arc<Type>) -> Result<Arc<Type>> {
    if !holds_texts(column) {
        return Ok(Arc::clone(column));
    }
    let info = column.get_basic_info();
    let builder = Type::primitive_type_builder(column.name(), Physical::BYTE_ARRAY);
    let id = info.has_id().then(|| info.id());
    Ok(Arc::new(builder.with_repetition(info.repetition()).with_id(id).build()?))
}
