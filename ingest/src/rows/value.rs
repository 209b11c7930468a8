//! A value of an Arrow column as JSON or as text, whatever its type is.

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use corpus::digest::hexadecimal;
use serde_json::Value;

use super::number;

/// Nested lists and structs that are gone into.
const DEPTH_MAX: u32 = 16;

/// Returns a value as JSON; null where the type has none.
pub(super) fn json(array: &ArrayRef, row: usize) -> Value {
    nested(array, row, 0)
}

fn nested(array: &ArrayRef, row: usize, depth: u32) -> Value {
    use DataType::{
        Binary, Boolean, Dictionary, FixedSizeBinary, FixedSizeList, Float16, Float32, Float64, Int8, Int16,
        Int32, Int64, LargeBinary, LargeList, LargeListView, List, ListView, Map, Struct, Timestamp, UInt8,
        UInt16, UInt32, UInt64,
    };
    if array.is_null(row) || depth > DEPTH_MAX {
        return Value::Null;
    }
    // A row of its own is cut out of plain values alone: of a struct all that it holds would be cut, at every level.
    let one = || array.slice(row, 1);
    let items = |items: ArrayRef| (0..items.len()).map(|item| nested(&items, item, depth + 1)).collect();
    match array.data_type() {
        Boolean => array.as_boolean().value(row).into(),
        Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        Float16 | Float32 | Float64 => float(&one()).map_or(Value::Null, Value::from),
        List(_) => items(array.as_list::<i32>().value(row)),
        LargeList(_) => items(array.as_list::<i64>().value(row)),
        ListView(_) => items(array.as_list_view::<i32>().value(row)),
        LargeListView(_) => items(array.as_list_view::<i64>().value(row)),
        FixedSizeList(..) => items(array.as_fixed_size_list().value(row)),
        Map(..) => {
            let entries = array.as_map().value(row);
            let name = |row| of_json(nested(entries.column(0), row, depth + 1)).unwrap_or_default();
            let value = |row| nested(entries.column(1), row, depth + 1);
            Value::Object((0..entries.len()).map(|row| (name(row), value(row))).collect())
        }
        Struct(_) => {
            let fields = array.as_struct();
            let values = fields.columns().iter().map(|column| nested(column, row, depth + 1));
            let names = fields.column_names().into_iter().map(str::to_owned);
            Value::Object(names.zip(values).collect())
        }
        FixedSizeBinary(_) => digits(array.as_fixed_size_binary().value(row)).into(),
        Dictionary(..) => {
            let text = cast(&one(), &DataType::Utf8View);
            text.map_or(Value::Null, |array| nested(&array, 0, depth + 1))
        }
        DataType::Utf8View => array.as_string_view().value(row).into(),
        Binary | LargeBinary if depth > 0 => bytes(&one()).map_or(Value::Null, Value::from),
        Timestamp(unit, Some(_)) => {
            let one = one();
            shown(&one).or_else(|| instant(&one, *unit)).map_or(Value::Null, Value::from)
        }
        _ => shown(&one()).map_or(Value::Null, Value::from),
    }
}

/// Returns the text of a value of one row, in the form of its type.
fn shown(one: &ArrayRef) -> Option<String> {
    let array = cast(one, &DataType::Utf8View).ok()?;
    array.is_valid(0).then(|| array.as_string_view().value(0).to_owned())
}

/// Returns a time in a zone that has a name (`UTC`, `Europe/Berlin`): the instant, in UTC (RFC 3339).
fn instant(one: &ArrayRef, unit: TimeUnit) -> Option<String> {
    let plain = one.to_data().into_builder().data_type(DataType::Timestamp(unit, None)).build().ok()?;
    shown(&make_array(plain)).map(|time| format!("{time}Z"))
}

/// Returns the text of bytes within a list; what of them is no UTF-8 is replaced.
fn bytes(one: &ArrayRef) -> Option<String> {
    let array = cast(one, &DataType::LargeBinary).ok()?;
    Some(String::from_utf8_lossy(array.as_binary::<i64>().value(0)).into_owned())
}

/// Tells a list or an object with a text that is no UTF-8.
pub(super) fn has_bad_text(array: &ArrayRef, row: usize) -> bool {
    array.is_valid(row)
        && match array.data_type() {
            DataType::Struct(_) => array.as_struct().columns().iter().any(|column| is_bad_text(column, row)),
            _ => within(array, row).iter().any(|items| (0..items.len()).any(|item| is_bad_text(items, item))),
        }
}

/// Tells a text that is no UTF-8, and what holds one.
fn is_bad_text(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        // So texts are read; what is `Binary` was never text.
        DataType::LargeBinary => {
            array.is_valid(row) && std::str::from_utf8(array.as_binary::<i64>().value(row)).is_err()
        }
        _ => has_bad_text(array, row),
    }
}

/// Returns what a list holds, column by column; nothing of other values.
fn within(array: &ArrayRef, row: usize) -> Vec<ArrayRef> {
    match array.data_type() {
        DataType::List(_) => vec![array.as_list::<i32>().value(row)],
        DataType::LargeList(_) => vec![array.as_list::<i64>().value(row)],
        DataType::ListView(_) => vec![array.as_list_view::<i32>().value(row)],
        DataType::LargeListView(_) => vec![array.as_list_view::<i64>().value(row)],
        DataType::FixedSizeList(..) => vec![array.as_fixed_size_list().value(row)],
        DataType::Map(..) => array.as_map().value(row).columns().to_vec(),
        _ => Vec::new(),
    }
}

/// Returns the text of a value that is no text: of a list of texts those joined by line ends; other lists and structs
/// have none, as in JSON.
pub(super) fn text(array: &ArrayRef, row: usize) -> Option<String> {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, FixedSizeList, Float16, Float32, Float64, LargeList,
        LargeListView, List, ListView, Map, Struct,
    };
    let one = || Some(array.slice(row, 1)).filter(|one| one.is_valid(0));
    match array.data_type() {
        Float16 | Float32 | Float64 => float(&one()?).and_then(number::of_float),
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => shown(&one()?).map(number::text),
        Struct(_) | Map(..) => None,
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _)
            if item.data_type().is_nested() =>
        {
            None
        }
        _ => of_json(json(array, row)),
    }
}

/// Returns a float of one row, of a short one that of its shortest digits.
fn float(one: &ArrayRef) -> Option<f64> {
    if *one.data_type() == DataType::Float64 {
        return Some(one.as_primitive::<Float64Type>().value(0));
    }
    let short = cast(one, &DataType::Float32).ok()?;
    short.as_primitive::<Float32Type>().value(0).to_string().parse().ok()
}

fn of_json(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_null()) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(texts.join("\n"))
        }
        Value::Array(_) | Value::Object(_) => None,
        value => Some(value.to_string()),
    }
}

/// Returns bytes as hexadecimal digits; sixteen in the form of UUIDs.
fn digits(bytes: &[u8]) -> String {
    let digits = hexadecimal(bytes);
    match bytes.len() {
        16 => [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"),
        _ => digits,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Decimal128Array, Float32Array, Float64Array, Int64Array, ListArray, StringArray,
        TimestampMicrosecondArray, TimestampSecondArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn times_in_any_zone_are_read() {
        let micros = |zone: &str| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![1_577_840_523_004_000]).with_timezone(zone))
        };
        for zone in ["UTC", "Europe/Berlin"] {
            assert_eq!(text(&micros(zone), 0).unwrap(), "2020-01-01T01:02:03.004Z", "{zone}");
        }
        assert_eq!(text(&micros("+02:00"), 0).unwrap(), "2020-01-01T03:02:03.004+02:00");
        let seconds: ArrayRef =
            Arc::new(TimestampSecondArray::from(vec![Some(0), None]).with_timezone("UTC"));
        assert_eq!(json(&seconds, 0), "1970-01-01T00:00:00Z");
        assert_eq!(text(&seconds, 1), None);
    }

    #[test]
    fn lists_of_texts_are_texts_and_other_lists_are_not() {
        let numbers: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)])]));
        assert_eq!(text(&numbers, 0), None);
        assert_eq!(json(&numbers, 0).to_string(), "[1,2]");
        let (texts, number): (ArrayRef, ArrayRef) =
            (Arc::new(StringArray::from(vec!["a"])), Arc::new(Int64Array::from(vec![5])));
        assert_eq!((text(&texts, 0).as_deref(), text(&number, 0).as_deref()), (Some("a"), Some("5")));
    }

    #[test]
    fn numbers_are_the_text_that_json_has_of_them() {
        let decimals = Decimal128Array::from(vec![150, 500]).with_precision_and_scale(9, 2).unwrap();
        let columns: [(ArrayRef, [&str; 2]); 4] = [
            (Arc::new(Float64Array::from(vec![1.0, 1e-7])), ["1.0", "1e-07"]),
            (Arc::new(Float32Array::from(vec![0.1, 16_777_216.0])), ["0.1", "16777216.0"]),
            (Arc::new(decimals), ["1.50", "5.00"]),
            (Arc::new(Int64Array::from(vec![i64::MAX, -1])), ["9223372036854775807", "-1"]),
        ];
        for (column, digits) in columns {
            let of_json = digits.map(|digits| number::text(digits.to_owned()));
            assert_eq!([0, 1].map(|row| text(&column, row).unwrap()), of_json);
        }
        let short: ArrayRef = Arc::new(Float32Array::from(vec![0.1, f32::NAN]));
        assert_eq!((json(&short, 0).to_string(), json(&short, 1)), ("0.1".to_owned(), Value::Null));
        let none: ArrayRef = Arc::new(Float64Array::from(vec![Some(f64::NAN), None]));
        assert_eq!((text(&none, 0), text(&none, 1)), (None, None));
    }
}
