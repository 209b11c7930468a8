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
            _ => bytes_within(field.data_type()),
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

/// Returns the type of a list or an object with bytes in the place of texts: long ones, which tells them from bytes that
/// were never text. Other types are as they are.
fn bytes_within(kind: &DataType) -> DataType {
    use DataType::{FixedSizeList, LargeList, LargeListView, List, ListView, Map, Struct};
    let field = |field: &Arc<Field>| {
        let kind = match field.data_type() {
            DataType::Dictionary(_, value) => value,
            kind => kind,
        };
        let kind = match kind {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::LargeBinary,
            DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
            _ => bytes_within(field.data_type()),
        };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    };
    match kind {
        List(item) => List(field(item)),
        LargeList(item) => LargeList(field(item)),
        ListView(item) => ListView(field(item)),
        LargeListView(item) => LargeListView(field(item)),
        FixedSizeList(item, length) => FixedSizeList(field(item), *length),
        Struct(fields) => Struct(fields.iter().map(field).collect()),
        Map(entries, is_sorted) => Map(field(entries), *is_sorted),
        kind => kind.clone(),
    }
}

/// Returns what a footer says, but that columns hold bytes where it says text.
fn without_texts(metadata: &ParquetMetaData) -> Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let root = file.schema();
    let columns = root.get_fields().iter().map(column_of_bytes).collect::<Result<_>>()?;
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
    info.has_repetition() && info.repetition() != Repetition::REPEATED && is_bytes(column) && is_text()
}

fn is_bytes(column: &Type) -> bool {
    column.is_primitive() && column.get_physical_type() == Physical::BYTE_ARRAY
}

/// Returns a column with bytes in the place of texts, at any depth.
fn column_of_bytes(column: &Arc<Type>) -> Result<Arc<Type>> {
    let info = column.get_basic_info();
    let is_single = info.has_repetition() && info.repetition() != Repetition::REPEATED;
    match column.is_primitive() && is_single {
        true if holds_texts(column) => bytes(column),
        true => Ok(Arc::clone(column)),
        false => within(column),
    }
}

/// As [`column_of_bytes`], of what is in a list or an object: texts of JSON are bytes there, too.
fn within(column: &Arc<Type>) -> Result<Arc<Type>> {
    let info = column.get_basic_info();
    if column.is_primitive() {
        let is_text = match info.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Json) => true,
            None => matches!(info.converted_type(), ConvertedType::UTF8 | ConvertedType::JSON),
            Some(_) => false,
        };
        return if is_bytes(column) && is_text { bytes(column) } else { Ok(Arc::clone(column)) };
    }
    let fields = column.get_fields().iter().map(within).collect::<Result<_>>()?;
    let builder = Type::group_type_builder(column.name()).with_fields(fields);
    let builder = builder.with_logical_type(info.logical_type_ref().cloned());
    let builder =
        builder.with_converted_type(info.converted_type()).with_id(info.has_id().then(|| info.id()));
    let builder = if info.has_repetition() { builder.with_repetition(info.repetition()) } else { builder };
    Ok(Arc::new(builder.build()?))
}

/// Returns a column of bytes in the place of one of texts.
fn bytes(column: &Type) -> Result<Arc<Type>> {
    let info = column.get_basic_info();
    let builder = Type::primitive_type_builder(column.name(), Physical::BYTE_ARRAY);
    let id = info.has_id().then(|| info.id());
    Ok(Arc::new(builder.with_repetition(info.repetition()).with_id(id).build()?))
}
