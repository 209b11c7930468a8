//! A value of an Arrow column as JSON or as text, whatever its type is.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use serde_json::{Map, Value};

/// Nested lists and structs that are gone into.
const DEPTH_MAX: u32 = 16;

/// Returns a value as JSON; null where the type has none.
pub(super) fn json(array: &ArrayRef, row: usize) -> Value {
    nested(array, row, 0)
}

fn nested(array: &ArrayRef, row: usize, depth: u32) -> Value {
    use DataType::{
        Boolean, Dictionary, FixedSizeBinary, FixedSizeList, Float16, Float32, Float64, Int8, Int16, Int32,
        Int64, LargeList, List, Struct, UInt8, UInt16, UInt32, UInt64,
    };
    if array.is_null(row) || depth > DEPTH_MAX {
        return Value::Null;
    }
    let one = array.slice(row, 1);
    let as_type = |target: &DataType| cast(&one, target).ok();
    let items = |items: ArrayRef| (0..items.len()).map(|item| nested(&items, item, depth + 1)).collect();
    match array.data_type() {
        Boolean => one.as_boolean().value(0).into(),
        Int8 | Int16 | Int32 | Int64 => {
            as_type(&Int64).map_or(Value::Null, |array| array.as_primitive::<Int64Type>().value(0).into())
        }
        UInt8 | UInt16 | UInt32 | UInt64 => {
            as_type(&UInt64).map_or(Value::Null, |array| array.as_primitive::<UInt64Type>().value(0).into())
        }
        Float16 | Float32 | Float64 => {
            as_type(&Float64).map_or(Value::Null, |array| array.as_primitive::<Float64Type>().value(0).into())
        }
        List(_) => items(one.as_list::<i32>().value(0)),
        LargeList(_) => items(one.as_list::<i64>().value(0)),
        FixedSizeList(..) => items(one.as_fixed_size_list().value(0)),
        Struct(_) => {
            let fields = one.as_struct();
            let values = fields.columns().iter().map(|column| nested(column, 0, depth + 1));
            let names = fields.column_names().into_iter().map(str::to_owned);
            Value::Object(names.zip(values).collect::<Map<_, _>>())
        }
        FixedSizeBinary(_) => hexadecimal(one.as_fixed_size_binary().value(0)).into(),
        Dictionary(..) => {
            as_type(&DataType::Utf8View).map_or(Value::Null, |array| nested(&array, 0, depth + 1))
        }
        DataType::Utf8View => one.as_string_view().value(0).into(),
        _ => as_type(&DataType::Utf8View).map_or(Value::Null, |array| match array.is_valid(0) {
            true => array.as_string_view().value(0).into(),
            false => Value::Null,
        }),
    }
}

/// Returns the text of a value that is no text: of a list of texts those joined by line ends, of other nested
/// values their JSON.
pub(super) fn text(array: &ArrayRef, row: usize) -> Option<String> {
    match json(array, row) {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_null()) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(texts.join("\n"))
        }
        value => Some(value.to_string()),
    }
}

/// Returns bytes as hexadecimal digits; sixteen in the form of UUIDs.
fn hexadecimal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match bytes.len() {
        16 => [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"),
        _ => digits,
    }
}
