//! Statistics of the columns of one table, by polars' streaming engine.

use polars::prelude::*;
use serde_json::Number;

use super::{ColumnStatistics, Lengths, Numbers, VALUES_MAX, ValueCount};
use crate::parts::Table;
use crate::{Error, Result};

const LENGTH: &str = "length";
const ROWS: &str = "rows";
const VALUE: &str = "value";

/// A column, or a field of a struct column.
struct Column {
    name: String,
    data_type: DataType,
    expression: Expr,
}

/// Computes the statistics of all columns.
pub(super) fn columns(table: &Table) -> Result<Vec<ColumnStatistics>> {
    let failed = |source| Error::Statistics { subject: table.name.clone(), source };
    let mut frame = scan(table).map_err(failed)?;
    let schema = frame.collect_schema().map_err(failed)?;
    let mut found = Vec::new();
    for (name, data_type) in schema.iter() {
        flatten(name.to_string(), data_type, col(name.clone()), &mut found);
    }
    found
        .into_iter()
        .map(|column| {
            measure(&frame, &column, table.rows).map_err(|source| Error::Statistics {
                subject: format!("{} {}", table.name, column.name),
                source,
            })
        })
        .collect()
}

fn scan(table: &Table) -> PolarsResult<LazyFrame> {
    let paths: Vec<_> =
        table.files.iter().map(|path| PlRefPath::try_from_path(path)).collect::<PolarsResult<_>>()?;
    // File names are taken as they are: neither patterns nor `key=value` folders.
    let mut options = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    options.hive_options.enabled = Some(false);
    LazyFrame::scan_parquet_files(paths.into(), options)
}

/// Adds a column; a struct's fields instead of the struct.
fn flatten(name: String, data_type: &DataType, expression: Expr, found: &mut Vec<Column>) {
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                let inner = expression.clone().struct_().field_by_name(field.name());
                flatten(format!("{name}.{}", field.name()), field.dtype(), inner, found);
            }
        }
        _ => found.push(Column { name, data_type: data_type.clone(), expression }),
    }
}

fn measure(frame: &LazyFrame, column: &Column, rows: u64) -> PolarsResult<ColumnStatistics> {
    use DataType as T;
    let value = || column.expression.clone();
    let (length, unit) = match &column.data_type {
        // Text counts in bytes, as it is stored.
        T::String | T::Binary => (Some(value().cast(T::Binary).binary().size_bytes()), "bytes"),
        T::List(_) => (Some(value().list().len()), "items"),
        _ => (None, ""),
    };
    let is_list = matches!(column.data_type, T::List(_));
    let distinct_approx =
        if is_list { None } else { Some(count(frame, value().drop_nulls().approx_n_unique())?) };
    // The estimate can be above what is possible.
    let distinct_approx = distinct_approx.map(|distinct| distinct.min(rows));
    let few = distinct_approx.is_some_and(|distinct| distinct <= 2 * VALUES_MAX as u64);
    Ok(ColumnStatistics {
        name: column.name.clone(),
        type_name: column.data_type.to_string(),
        nulls: count(frame, value().null_count())?,
        distinct_approx,
        numbers: numbers(frame, column)?,
        lengths: length.map(|length| lengths(frame, length, unit)).transpose()?.flatten(),
        values: if few && column.data_type == T::String { values(frame, value())? } else { Vec::new() },
    })
}

/// Runs a query whose intermediate results do not stay in memory.
fn collect(frame: LazyFrame) -> PolarsResult<DataFrame> {
    // A query without sinks of its own has a single result.
    Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

/// Computes one number over all rows; 0 where there is none.
fn count(frame: &LazyFrame, expression: Expr) -> PolarsResult<u64> {
    let result = collect(frame.clone().select([expression.cast(DataType::UInt64).alias(VALUE)]))?;
    Ok(result.column(VALUE)?.u64()?.get(0).unwrap_or(0))
}

fn numbers(frame: &LazyFrame, column: &Column) -> PolarsResult<Option<Numbers>> {
    let value = match &column.data_type {
        DataType::Boolean => column.expression.clone().cast(DataType::UInt32),
        data_type if data_type.is_primitive_numeric() => column.expression.clone(),
        _ => return Ok(None),
    };
    let wanted = [
        value.clone().min().alias("min"),
        value.clone().cast(DataType::Float64).mean().alias("mean"),
        value.max().alias("max"),
    ];
    let result = collect(frame.clone().select(wanted))?;
    let number = |name: &str| -> PolarsResult<Option<Number>> {
        let value = result.column(name)?.get(0)?.into_static();
        Ok(match &value {
            AnyValue::Float32(_) | AnyValue::Float64(_) => value.extract::<f64>().and_then(Number::from_f64),
            AnyValue::UInt64(number) => Some(Number::from(*number)),
            _ => value.extract::<i64>().map(Number::from),
        })
    };
    Ok(Some(Numbers { min: number("min")?, mean: number("mean")?, max: number("max")? }))
}

/// Computes the exact distribution of lengths, by how often each length occurs.
fn lengths(frame: &LazyFrame, length: Expr, unit: &'static str) -> PolarsResult<Option<Lengths>> {
    let counted = frame
        .clone()
        .select([length.cast(DataType::UInt64).alias(LENGTH)])
        .filter(col(LENGTH).is_not_null())
        .group_by([col(LENGTH)])
        .agg([len().cast(DataType::UInt64).alias(ROWS)])
        .sort([LENGTH], SortMultipleOptions::default());
    let counted = collect(counted)?;
    let (lengths, rows) = (counted.column(LENGTH)?.u64()?, counted.column(ROWS)?.u64()?);
    let counts: Vec<(u64, u64)> = lengths.iter().flatten().zip(rows.iter().flatten()).collect();
    Ok(summary(&counts, unit))
}

/// Returns the summary of lengths, each with its rows and sorted; `None` without any.
fn summary(counts: &[(u64, u64)], unit: &'static str) -> Option<Lengths> {
    let (min, max) = (counts.first()?.0, counts.last()?.0);
    let rows: u64 = counts.iter().map(|(_, rows)| rows).sum();
    let total: f64 = counts.iter().map(|(length, rows)| *length as f64 * *rows as f64).sum();
    // The smallest length that so many of 100 values do not exceed.
    let percentile = |percent: u64| {
        let wanted = (u128::from(rows) * u128::from(percent)).div_ceil(100) as u64;
        let mut seen = 0;
        let reached = counts.iter().find(|(_, rows)| {
            seen += rows;
            seen >= wanted
        });
        reached.map_or(max, |(length, _)| *length)
    };
    Some(Lengths {
        unit,
        min,
        mean: total / rows.max(1) as f64,
        p50: percentile(50),
        p95: percentile(95),
        max,
    })
}

/// Counts every value, if there are few.
fn values(frame: &LazyFrame, value: Expr) -> PolarsResult<Vec<ValueCount>> {
    let counted = frame
        .clone()
        .select([value.alias(VALUE)])
        .filter(col(VALUE).is_not_null())
        .group_by([col(VALUE)])
        .agg([len().cast(DataType::UInt64).alias(ROWS)]);
    let counted = collect(counted)?;
    if counted.height() > VALUES_MAX {
        return Ok(Vec::new());
    }
    let (values, rows) = (counted.column(VALUE)?.str()?, counted.column(ROWS)?.u64()?);
    let pairs = values.iter().flatten().zip(rows.iter().flatten());
    let mut counts: Vec<_> =
        pairs.map(|(value, rows)| ValueCount { value: value.to_owned(), rows }).collect();
    counts.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.value.cmp(&b.value)));
    Ok(counts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let check = |counts: &[(u64, u64)], p50, p95| {
            let summary = summary(counts, "bytes").unwrap();
            assert_eq!((summary.p50, summary.p95), (p50, p95), "{counts:?}");
        };
        check(&[(7, 1)], 7, 7);
        check(&[(1, 1), (2, 1)], 1, 2);
        check(&[(1, 95), (900, 5)], 1, 1);
        check(&[(1, 94), (900, 6)], 1, 900);
        assert_eq!(summary(&[], "bytes"), None);
        assert_eq!(summary(&[(1, 3), (5, 1)], "items").unwrap().mean, 2.0);
    }
}
