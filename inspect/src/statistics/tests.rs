//! Statistics of parts as stages write them.
#![allow(clippy::unwrap_used, clippy::panic)]

use corpus::Id;
use corpus::record::{RuleValue, Verdicts};

use super::*;
use crate::testing::{documents, images, write};

fn column<'s>(table: &'s TableStatistics, name: &str) -> &'s ColumnStatistics {
    table.columns.iter().find(|column| column.name == name).unwrap_or_else(|| panic!("no column {name}"))
}

fn of_folder(fill: impl FnOnce(&std::path::Path)) -> Statistics {
    let folder = tempfile::tempdir().unwrap();
    // A name that is a pattern and a partition to those who look for such.
    let inner = folder.path().join("source=[a]");
    fill(&inner);
    stats(&[folder.path().to_owned()]).unwrap()
}

#[test]
fn documents_are_measured_over_all_files() {
    let statistics = of_folder(|folder| {
        documents(&folder.join("0.parquet"), 100);
        documents(&folder.join("1.parquet"), 50);
    });
    let [table] = &statistics.tables[..] else { panic!("{} tables", statistics.tables.len()) };
    assert_eq!((table.table.as_str(), table.files, table.rows), ("document/2", 2, 150));
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "key", "source", "url", "date", "language", "text", "split"]);

    let id = column(table, "id");
    let numbers = id.numbers.as_ref().unwrap();
    assert_eq!((numbers.min.clone(), numbers.max.clone()), (Some(0.into()), Some(99.into())));
    let mean = (4_950.0 + 1_225.0) / 150.0;
    assert!((numbers.mean.as_ref().unwrap().as_f64().unwrap() - mean).abs() < 1e-9);
    assert!((85..=115).contains(&id.distinct_approx.unwrap()), "{id:?}");
    assert_eq!(column(table, "source").distinct_approx, Some(2));

    let source = column(table, "source");
    let values: Vec<_> = source.values.iter().map(|v| (v.value.as_str(), v.rows)).collect();
    assert_eq!(values, [("even", 75), ("odd", 75)]);
    assert_eq!((column(table, "url").nulls, column(table, "date").nulls), (150 - 34 - 17, 150));
    assert!(column(table, "url").values.is_empty());
    assert_eq!(
        (column(table, "date").lengths.clone(), column(table, "date").distinct_approx),
        (None, Some(0))
    );

    let lengths = column(table, "text").lengths.clone().unwrap();
    assert_eq!((lengths.unit, lengths.min, lengths.p50, lengths.p95, lengths.max), ("bytes", 0, 37, 92, 99));
    assert!((lengths.mean - mean).abs() < 1e-9);
}

#[test]
fn structs_are_flattened_and_lists_and_payloads_have_lengths() {
    let statistics = of_folder(|folder| images(&folder.join("0.parquet")));
    let table = &statistics.tables[0];
    let bytes = column(table, "image.bytes");
    let lengths = bytes.lengths.as_ref().unwrap();
    assert_eq!((lengths.unit, lengths.min, lengths.max), ("bytes", 37, 41));
    assert_eq!(column(table, "key").lengths.as_ref().unwrap().max, 16);
    let uses = column(table, "uses");
    assert_eq!(uses.lengths.as_ref().map(|l| (l.unit, l.min, l.max)), Some(("items", 1, 2)));
    assert_eq!(uses.distinct_approx, None);
    assert_eq!(column(table, "colour_spread").numbers.as_ref().unwrap().max, Some(200.into()));
}

#[test]
fn tables_of_one_folder_are_apart_and_shown_to_people_and_programs() {
    let verdict = |n: u64| {
        let values = vec![RuleValue { rule: "words_min".into(), value: f64::NAN, passed: true }];
        Verdicts { id: Id::from_bits(u64::MAX - n), values }
    };
    let statistics = of_folder(|folder| {
        documents(&folder.join("documents/0.parquet"), 4);
        write(&folder.join("verdicts/0.parquet"), vec![verdict(0), verdict(1)]);
    });
    let shown = statistics.to_string();
    assert!(shown.contains("document/2: 4 rows"), "{shown}");
    assert!(shown.contains("even 2, odd 2"), "{shown}");
    assert!(shown.contains("verdicts/1: 2 rows"), "{shown}");
    let json = serde_json::to_value(&statistics).unwrap();
    assert_eq!(json["tables"][1]["columns"][0]["numbers"]["max"], u64::MAX);
    assert_eq!(json["tables"][0]["columns"][2]["values"][0]["value"], "even");
}

#[test]
fn an_empty_table_has_columns_without_values() {
    let statistics = of_folder(|folder| documents(&folder.join("0.parquet"), 0));
    let table = &statistics.tables[0];
    assert_eq!((table.rows, table.columns.len()), (0, 8));
    assert!(table.columns.iter().all(|column| column.nulls == 0 && column.lengths.is_none()));
    assert_eq!(column(table, "id").numbers, Some(Numbers { min: None, mean: None, max: None }));
}
