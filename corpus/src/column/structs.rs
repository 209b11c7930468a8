//! Struct columns: what the `record!` macro calls, so that its expansion stays small.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::filter;
use arrow::datatypes::Field;
use serde_json::Value;

/// Returns the description of a struct for Hugging Face `datasets`: a type of theirs
/// (`Image`) where one is named, else its fields.
pub fn named_feature<const N: usize>(fields: Value, named: [&str; N]) -> Value {
    named.first().map_or(fields, |name| serde_json::json!({"_type": name}))
}

/// Builds a struct column; a struct that is not `present` is null.
pub fn struct_array(
    fields: &[Field],
    columns: Vec<ArrayRef>,
    present: impl Iterator<Item = bool>,
) -> ArrayRef {
    let present: Vec<bool> = present.collect();
    let nulls = present.contains(&false).then(|| NullBuffer::from(present));
    Arc::new(StructArray::new(fields.to_vec().into(), columns, nulls))
}

/// Reads a struct column: `read` sees only the structs that are present.
///
/// # Errors
/// When the array is not a struct, or `read` fails.
pub fn struct_values<T>(
    array: &dyn Array,
    read: impl FnOnce(&StructArray) -> Result<Vec<T>, String>,
) -> Result<Vec<Option<T>>, String> {
    let all =
        array.as_struct_opt().ok_or_else(|| format!("{} where a struct should be", array.data_type()))?;
    if all.null_count() == 0 {
        return Ok(read(all)?.into_iter().map(Some).collect());
    }
    let mask: BooleanArray = (0..all.len()).map(|row| Some(all.is_valid(row))).collect();
    let present = filter(all, &mask).map_err(|error| error.to_string())?;
    let mut rows = read(present.as_struct())?.into_iter();
    Ok((0..all.len()).map(|row| if all.is_valid(row) { rows.next() } else { None }).collect())
}
