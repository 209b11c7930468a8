//! Statistics of tables: what is in every column.

mod display;
mod measure;

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Number;

use crate::Result;
use crate::parts::{Table, tables};

/// Different values that a column of text has at most to be shown value by value.
pub const VALUES_MAX: usize = 20;

/// Statistics of all tables among some files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// The tables, sorted by name; files of one name but different columns are apart.
    pub tables: Vec<TableStatistics>,
}

/// Statistics of the files of one record type and schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableStatistics {
    /// Record type and version, such as `document/2`; `foreign` for others.
    pub table: String,
    /// Number of files.
    pub files: u64,
    /// Rows of all files.
    pub rows: u64,
    /// Bytes of all files, compressed as they are.
    pub bytes: u64,
    /// The columns in their order; the fields of a struct are columns `outer.inner`.
    pub columns: Vec<ColumnStatistics>,
}

/// Statistics of one column over all files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnStatistics {
    /// The column's name.
    pub name: String,
    /// The type by polars' name: `str`, `u64`, `list[struct[3]]`, ...
    #[serde(rename = "type")]
    pub type_name: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Number of different values, estimated to about a tenth; none for lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_approx: Option<u64>,
    /// For numbers (and booleans, as 0 and 1): their range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// For text, binary and lists: how long the values are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Lengths>,
    /// For text of at most [`VALUES_MAX`] different values: all of them, the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueCount>,
}

/// The range of a column of numbers; a part is missing where it is no finite number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// The smallest.
    pub min: Option<Number>,
    /// The mean.
    pub mean: Option<Number>,
    /// The largest.
    pub max: Option<Number>,
}

/// How long the values of a column are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lengths {
    /// What is counted: `bytes`, or `items` for lists.
    pub unit: &'static str,
    /// The shortest.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// Half of the values are at most so long.
    pub p50: u64,
    /// 95 of 100 values are at most so long.
    pub p95: u64,
    /// The longest.
    pub max: u64,
}

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Rows that hold it.
    pub rows: u64,
}

/// Computes the statistics of parquet files, or of all parquet files below folders.
///
/// Files are scanned lazily, column by column and row group by row group; what stays in memory
/// is one entry per different length of a column.
///
/// # Errors
/// When there is no file, or one is not readable.
pub fn stats(paths: &[PathBuf]) -> Result<Statistics> {
    let mut statistics = Statistics { tables: Vec::new() };
    for table in tables(paths)? {
        let columns = measure::columns(&table)?;
        let Table { name, files, rows, bytes } = table;
        let files = files.len() as u64;
        statistics.tables.push(TableStatistics { table: name, files, rows, bytes, columns });
    }
    Ok(statistics)
}

#[cfg(test)]
mod tests;
