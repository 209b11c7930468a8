//! One value of an Arrow column as JSON.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use super::payload::describe;

/// Characters of a text that are shown.
pub(super) const TEXT_CHARS_MAX: usize = 200;
/// Items of a list that are shown.
const ITEMS_MAX: usize = 16;

/// Returns the value of a row; rows beyond the column are null.
pub(super) fn json(column: &ArrayRef, row: usize) -> Value {
    if row >= column.len() || column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => cut(column.as_string::<i32>().value(row)).into(),
        DataType::LargeUtf8 => cut(column.as_string::<i64>().value(row)).into(),
        DataType::Utf8View => cut(column.as_string_view().value(row)).into(),
        DataType::Binary => describe(column.as_binary::<i32>().value(row)).into(),
        DataType::LargeBinary => describe(column.as_binary::<i64>().value(row)).into(),
        DataType::BinaryView => describe(column.as_binary_view().value(row)).into(),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row)),
        DataType::Struct(_) => object(column, row),
        _ => other(column, row),
    }
}

fn list(items: &ArrayRef) -> Value {
    let mut shown: Vec<Value> = (0..items.len().min(ITEMS_MAX)).map(|row| json(items, row)).collect();
    if items.len() > ITEMS_MAX {
        shown.push(format!("… ({} items)", items.len()).into());
    }
    shown.into()
}

fn object(column: &ArrayRef, row: usize) -> Value {
    let fields = column.as_struct();
    let names = fields.column_names().into_iter().map(str::to_owned);
    let values = fields.columns().iter().map(|inner| json(inner, row));
    Value::Object(names.zip(values).collect::<Map<_, _>>())
}

/// Returns dates, decimals and the like as Arrow writes them.
fn other(column: &ArrayRef, row: usize) -> Value {
    let options = FormatOptions::default();
    let shown = ArrayFormatter::try_new(column.as_ref(), &options)
        .ok()
        .and_then(|formatter| formatter.value(row).try_to_string().ok());
    shown.map_or(Value::Null, |shown| cut(&shown).into())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or(""), text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryViewArray, Date32Array, LargeStringArray, ListArray, StringViewArray};
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_types_are_shown_too() {
        let first = |array: ArrayRef| super::json(&array, 0);
        assert_eq!(first(Arc::new(LargeStringArray::from(vec!["a"]))), json!("a"));
        assert_eq!(first(Arc::new(StringViewArray::from(vec!["é".repeat(201)]))), {
            json!(format!("{}… (402 bytes)", "é".repeat(200)))
        });
        assert_eq!(first(Arc::new(BinaryViewArray::from(vec![b"ab" as &[u8]]))), json!("6162"));
        assert_eq!(first(Arc::new(Date32Array::from(vec![1]))), json!("1970-01-02"));
        assert_eq!(first(Arc::new(Date32Array::from(vec![None]))), Value::Null);
    }

    #[test]
    fn long_lists_are_cut() {
        let items = (0..40).map(Some).collect::<Vec<Option<i32>>>();
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(items)]);
        let shown = super::json(&(Arc::new(list) as ArrayRef), 0);
        assert_eq!(shown.as_array().map(Vec::len), Some(ITEMS_MAX + 1));
        assert_eq!(shown[ITEMS_MAX], "… (40 items)");
    }
}
