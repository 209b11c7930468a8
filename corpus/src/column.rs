//! How a Rust value becomes an Arrow column and back; records are structs of such values.
//!
//! `record!` declares a struct, its Arrow schema and its conversion at once,
//! so that a schema cannot drift from its struct. Lists, options and nested structs compose.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float32Array, Float64Array,
    ListArray, PrimitiveArray, StringBuilder, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, UInt16Type, UInt32Type, UInt64Type};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{Id, Split};

/// A value that a table column can hold.
pub trait Column: Sized {
    /// Returns the Arrow type.
    fn data_type() -> DataType;

    /// Returns the type as Hugging Face `datasets` describes it.
    fn feature() -> Value;

    /// Builds the column; `None` becomes null.
    fn array(values: &[Option<&Self>]) -> ArrayRef;

    /// Reads the column back; null becomes `None`.
    ///
    /// # Errors
    /// When the array has another type or holds an impossible value.
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String>;

    /// Returns the payload bytes of one value.
    fn payload_bytes(&self) -> usize;

    /// Describes the type for readers.
    fn described() -> Described {
        Described { data_type: Self::data_type(), is_optional: false, meaning: "", fields: Vec::new() }
    }

    /// Returns the schema field of this name.
    ///
    /// Every field is declared nullable, as `datasets` recognises its own types only then; what
    /// must not be null is checked when it is read.
    fn field(name: &str) -> Field {
        Field::new(name, Self::data_type(), true)
    }

    /// Reads a column that may hold no null.
    ///
    /// # Errors
    /// As [`Self::values`], and when there is a null.
    fn required(name: &str, array: Option<&ArrayRef>) -> Result<Vec<Self>, String> {
        let array = array.ok_or_else(|| format!("column {name} is missing"))?;
        Self::values(array.as_ref())
            .map_err(|error| format!("column {name}: {error}"))?
            .into_iter()
            .map(|value| value.ok_or_else(|| format!("column {name} has a null")))
            .collect()
    }
}

fn wrong_type(array: &dyn Array, wanted: &str) -> String {
    format!("{} where {wanted} should be", array.data_type())
}

macro_rules! primitive {
    ($type:ty, $arrow:ident, $array:ident, $data_type:ident, $name:literal) => {
        impl Column for $type {
            fn data_type() -> DataType {
                DataType::$data_type
            }
            fn feature() -> Value {
                json!({"dtype": $name, "_type": "Value"})
            }
            fn array(values: &[Option<&Self>]) -> ArrayRef {
                Arc::new(values.iter().map(|v| v.copied()).collect::<$array>())
            }
            fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
                let array: &PrimitiveArray<$arrow> = array
                    .as_primitive_opt()
                    .ok_or_else(|| wrong_type(array, $name))?;
                Ok(array.iter().collect())
            }
            fn payload_bytes(&self) -> usize {
                size_of::<$type>()
            }
        }
    };
}
primitive!(u16, UInt16Type, UInt16Array, UInt16, "uint16");
primitive!(u32, UInt32Type, UInt32Array, UInt32, "uint32");
primitive!(u64, UInt64Type, UInt64Array, UInt64, "uint64");
primitive!(f32, Float32Type, Float32Array, Float32, "float32");
primitive!(f64, Float64Type, Float64Array, Float64, "float64");

impl Column for bool {
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn feature() -> Value {
        json!({"dtype": "bool", "_type": "Value"})
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.copied()).collect::<BooleanArray>())
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        let array = array.as_boolean_opt().ok_or_else(|| wrong_type(array, "bool"))?;
        Ok(array.iter().collect())
    }
    fn payload_bytes(&self) -> usize {
        1
    }
}

impl Column for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn feature() -> Value {
        json!({"dtype": "string", "_type": "Value"})
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        // Room for all at once: texts would be copied again and again while the array grows.
        let bytes = values.iter().flatten().map(|value| value.len()).sum();
        let mut strings = StringBuilder::with_capacity(values.len(), bytes);
        values.iter().for_each(|value| strings.append_option(*value));
        Arc::new(strings.finish())
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        let array = array.as_string_opt::<i32>().ok_or_else(|| wrong_type(array, "string"))?;
        Ok(array.iter().map(|v| v.map(str::to_owned)).collect())
    }
    fn payload_bytes(&self) -> usize {
        self.len()
    }
}

/// Payloads use the 32-bit binary type, which is what `datasets` recognises as an image; a row
/// group holds 16 MiB at most, so its offsets cannot overflow.
impl Column for Bytes {
    fn data_type() -> DataType {
        DataType::Binary
    }
    fn feature() -> Value {
        json!({"dtype": "binary", "_type": "Value"})
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        let bytes = values.iter().flatten().map(|value| value.len()).sum();
        let mut payloads = BinaryBuilder::with_capacity(values.len(), bytes);
        values.iter().for_each(|value| payloads.append_option(*value));
        Arc::new(payloads.finish())
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        let array = array.as_binary_opt::<i32>().ok_or_else(|| wrong_type(array, "binary"))?;
        Ok(array.iter().map(|v| v.map(Bytes::copy_from_slice)).collect())
    }
    fn payload_bytes(&self) -> usize {
        self.len()
    }
}

/// Keys (128-bit hashes) are short binary values.
impl Column for [u8; 16] {
    fn data_type() -> DataType {
        DataType::Binary
    }
    fn feature() -> Value {
        json!({"dtype": "binary", "_type": "Value"})
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        let values = values.iter().map(|v| v.map(AsRef::<[u8]>::as_ref));
        Arc::new(values.collect::<BinaryArray>())
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        let array = array.as_binary_opt::<i32>().ok_or_else(|| wrong_type(array, "binary"))?;
        let key = |bytes: &[u8]| bytes.try_into().map_err(|_| "a key is not 16 bytes".to_owned());
        array.iter().map(|v| v.map(key).transpose()).collect()
    }
    fn payload_bytes(&self) -> usize {
        16
    }
}

/// A type that is stored as another one.
macro_rules! stored_as {
    ($type:ty, $stored:ty, $to:expr, $from:expr) => {
        impl $crate::column::Column for $type {
            fn data_type() -> arrow::datatypes::DataType {
                <$stored as $crate::column::Column>::data_type()
            }
            fn feature() -> serde_json::Value {
                <$stored as $crate::column::Column>::feature()
            }
            fn array(values: &[Option<&Self>]) -> arrow::array::ArrayRef {
                let stored: Vec<Option<$stored>> = values.iter().map(|v| v.map($to)).collect();
                <$stored as $crate::column::Column>::array(
                    &stored.iter().map(Option::as_ref).collect::<Vec<_>>(),
                )
            }
            fn values(array: &dyn arrow::array::Array) -> Result<Vec<Option<Self>>, String> {
                let stored = <$stored as $crate::column::Column>::values(array)?;
                stored.into_iter().map(|v| v.map($from).transpose()).collect()
            }
            fn payload_bytes(&self) -> usize {
                8
            }
        }
    };
}
pub(crate) use stored_as;
stored_as!(Id, u64, |id: &Id| id.to_bits(), |bits| Ok(Id::from_bits(bits)));
stored_as!(Split, String, |split: &Split| split.as_str().to_owned(), |name: String| {
    Split::parse(&name).ok_or_else(|| format!("{name:?} is not a split"))
});

impl<T: Column> Column for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }
    fn feature() -> Value {
        T::feature()
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        let flat: Vec<Option<&T>> = values.iter().map(|v| v.and_then(Option::as_ref)).collect();
        T::array(&flat)
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        Ok(T::values(array)?.into_iter().map(Some).collect())
    }
    fn payload_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::payload_bytes)
    }
    fn described() -> Described {
        Described { is_optional: true, ..T::described() }
    }
}

impl<T: Column> Column for Vec<T> {
    fn data_type() -> DataType {
        DataType::List(Arc::new(T::field("item")))
    }
    fn feature() -> Value {
        json!([T::feature()])
    }
    fn array(values: &[Option<&Self>]) -> ArrayRef {
        let lengths = values.iter().map(|v| v.map_or(0, Vec::len));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let items: Vec<Option<&T>> = values.iter().flatten().copied().flatten().map(Some).collect();
        let nulls = values.iter().map(Option::is_some).collect::<Vec<_>>();
        let nulls = nulls.contains(&false).then(|| NullBuffer::from(nulls));
        let field = Arc::new(T::field("item"));
        Arc::new(ListArray::new(field, offsets, T::array(&items), nulls))
    }
    fn values(array: &dyn Array) -> Result<Vec<Option<Self>>, String> {
        let list = array.as_list_opt::<i32>().ok_or_else(|| wrong_type(array, "list"))?;
        (0..list.len())
            .map(|row| {
                let items = (!list.is_null(row)).then(|| T::required("item", Some(&list.value(row))));
                items.transpose()
            })
            .collect()
    }
    fn payload_bytes(&self) -> usize {
        self.iter().map(T::payload_bytes).sum()
    }
    fn described() -> Described {
        Described { data_type: Self::data_type(), is_optional: false, ..T::described() }
    }
}

/// Declares a struct of columns: a nested struct, and with a table name a [`Record`](crate::table::Record).
macro_rules! record {
    ($(#[doc = $doc:literal])* $(#[derive($($derive:path),*)])?
    pub struct $name:ident $(in $table:literal)? $(as $feature:literal)? {
        $($(#[doc = $field_doc:literal])* pub $field:ident: $type:ty,)+
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq $($(, $derive)*)?)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)+
        }

        impl $crate::column::Column for $name {
            fn data_type() -> arrow::datatypes::DataType {
                arrow::datatypes::DataType::Struct(
                    vec![$(<$type as $crate::column::Column>::field(stringify!($field)),)+].into(),
                )
            }
            fn feature() -> serde_json::Value {
                let fields = serde_json::json!({$(stringify!($field): <$type as $crate::column::Column>::feature(),)+});
                $crate::column::named_feature(fields, [$($feature)?])
            }
            fn array(values: &[Option<&Self>]) -> arrow::array::ArrayRef {
                let fields = [$(<$type as $crate::column::Column>::field(stringify!($field)),)+];
                let columns = vec![$(<$type as $crate::column::Column>::array(
                    &values.iter().map(|v| v.map(|v| &v.$field)).collect::<Vec<_>>(),
                ),)+];
                $crate::column::struct_array(&fields, columns, values.iter().map(|v| v.is_some()))
            }
            fn values(array: &dyn arrow::array::Array) -> Result<Vec<Option<Self>>, String> {
                $crate::column::struct_values(array, |present| {
                    $(let mut $field = <$type as $crate::column::Column>::required(
                        stringify!($field), present.column_by_name(stringify!($field)))?.into_iter();)+
                    let mut rows = Vec::new();
                    while let ($(Some($field),)+) = ($($field.next(),)+) {
                        rows.push(Self { $($field,)+ });
                    }
                    Ok(rows)
                })
            }
            fn payload_bytes(&self) -> usize {
                0 $(+ <$type as $crate::column::Column>::payload_bytes(&self.$field))+
            }
            fn described() -> $crate::column::Described {
                let fields = vec![$(
                    (stringify!($field), concat!($($field_doc),*), <$type as $crate::column::Column>::described()),
                )+];
                $crate::column::Described {
                    data_type: Self::data_type(),
                    is_optional: false,
                    meaning: concat!($($doc),*),
                    fields,
                }
            }
        }

        $(impl $crate::table::Record for $name {
            const TABLE: &'static str = $table;
        })?
    };
}

pub(crate) use record;

mod described;
mod structs;
pub use described::Described;
pub use structs::{named_feature, struct_array, struct_values};

#[cfg(test)]
mod tests;
