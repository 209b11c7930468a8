//! Statistics as a table for people.

use std::fmt;

use serde_json::Number;

use super::{ColumnStatistics, Lengths, Numbers, Statistics, TableStatistics, ValueCount};

const HEADINGS: [&str; 5] = ["column", "type", "nulls", "distinct", "values"];
/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 32;
/// Values that are shown of a column.
const VALUES_SHOWN_MAX: usize = 6;

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, table) in self.tables.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            table.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for TableStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, files, rows, bytes, columns } = self;
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let (s_rows, s_files) = (plural(*rows), plural(*files));
        writeln!(f, "{table}: {rows} row{s_rows}, {bytes} bytes, {files} file{s_files}")?;
        let mut lines = vec![HEADINGS.map(str::to_owned)];
        lines.extend(columns.iter().map(line));
        let width = |cell: usize| lines.iter().map(|line| line[cell].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        for [name, type_name, nulls, distinct, values] in &lines {
            let [w0, w1, w2, w3] = widths;
            writeln!(f, "  {name:w0$}  {type_name:w1$}  {nulls:>w2$}  {distinct:>w3$}  {values}")?;
        }
        Ok(())
    }
}

fn line(column: &ColumnStatistics) -> [String; 5] {
    let mut shown = Vec::new();
    shown.extend(column.numbers.as_ref().map(show_numbers));
    shown.extend(column.lengths.as_ref().map(show_lengths));
    if !column.values.is_empty() {
        shown.push(show_values(&column.values));
    }
    let distinct = column.distinct_approx.map_or_else(String::new, |distinct| format!("~{distinct}"));
    [column.name.clone(), column.type_name.clone(), column.nulls.to_string(), distinct, shown.join("; ")]
}

fn show_numbers(numbers: &Numbers) -> String {
    let show = |number: &Option<Number>| match number.as_ref().map(|n| (n.is_f64(), n.as_f64(), n)) {
        Some((true, Some(value), _)) => format!("{value:.4}"),
        Some((_, _, number)) => number.to_string(),
        None => "-".to_owned(),
    };
    let [min, mean, max] = [&numbers.min, &numbers.mean, &numbers.max].map(show);
    format!("{min} to {max}, mean {mean}")
}

fn show_lengths(lengths: &Lengths) -> String {
    let Lengths { unit, min, mean, p50, p95, max } = lengths;
    format!("{min} to {max} {unit}, mean {mean:.1}, p50 {p50}, p95 {p95}")
}

fn show_values(values: &[ValueCount]) -> String {
    let show = |ValueCount { value, rows }: &ValueCount| {
        let cut: String = value.chars().take(VALUE_CHARS_MAX).flat_map(char::escape_debug).collect();
        format!("{cut} {rows}")
    };
    let mut shown: Vec<String> = values.iter().take(VALUES_SHOWN_MAX).map(show).collect();
    if let Some(more) = values.len().checked_sub(VALUES_SHOWN_MAX).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}
