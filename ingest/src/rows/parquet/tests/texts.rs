//! Texts that are no UTF-8, and columns of lists and objects.

use arrow::array::{Int64Array, ListArray, StructArray};
use arrow::datatypes::Int32Type;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::json;

use super::*;
use crate::rows::fields::Fields;

/// Writes texts without looking at them, as writers in C do.
fn raw_texts(path: &Path, texts: &[&[u8]]) {
    let schema = parse_message_type("message m { optional binary text (UTF8); required int32 n; }").unwrap();
    let out = File::create(path).unwrap();
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(text.to_vec())).collect();
    column.typed::<ByteArrayType>().write_batch(&values, Some(&vec![1; texts.len()]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let numbers: Vec<i32> = (0..).take(texts.len()).collect();
    column.typed::<parquet::data_type::Int32Type>().write_batch(&numbers, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

/// Reads one column as a kind; shows what cannot be read.
fn read(path: &Path, name: &str, kind: ColumnKind) -> Vec<String> {
    let wanted = [Wanted::optional(kind, vec![name.to_owned()])];
    let rows = ParquetRows::open("s", "u", File::open(path).unwrap().into(), &wanted, 0).unwrap();
    rows.map(|row| shown(row.unwrap())).collect()
}

fn shown(row: Row) -> String {
    match row {
        Row::Whole(mut cells) => match (cells.is_replaced(0), cells.bytes(0), cells.json(0), cells.text(0)) {
            (true, _, _, text) => format!("replaced {}", text.unwrap_or_default()),
            (_, Some(bytes), ..) => format!("bytes {bytes:x?}"),
            (_, _, Some(value), _) => format!("value {value}"),
            (_, _, _, Some(text)) => text,
            _ => "none".to_owned(),
        },
        Row::Broken { detail, preview } => format!("{detail}: {preview}"),
        Row::Lost { fault, .. } => fault.detail,
    }
}

#[test]
fn a_text_that_is_no_utf_8_costs_its_row_alone_or_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts.parquet");
    raw_texts(&path, &[b"one", b"caf\xe9", "dr\u{fc}ben".as_bytes()]);
    let middle = |kind| {
        let rows = read(&path, "text", kind);
        assert_eq!(
            (rows.len(), rows[0].trim_matches('"'), rows[2].contains("dr\u{fc}ben")),
            (3, "one", true),
            "{kind:?}"
        );
        rows[1].clone()
    };
    for kind in [ColumnKind::Text, ColumnKind::Texts] {
        assert_eq!(middle(kind), "column \"text\" is not UTF-8: caf\u{fffd}");
    }
    assert_eq!(middle(ColumnKind::Prose), "replaced caf\u{fffd}");
    assert_eq!(middle(ColumnKind::Beside), "caf\u{fffd}");
    assert_eq!(middle(ColumnKind::Bytes), "bytes [63, 61, 66, e9]");
    let rows = read(&path, "text", ColumnKind::Json);
    assert_eq!((&*rows[0], &*rows[1]), ("value \"one\"", "column \"text\" is not UTF-8: caf\u{fffd}"));
    assert_eq!(read(&path, "n", ColumnKind::Id), ["0", "1", "2"]);
}

/// Writes lists of two texts without looking at them: of three levels, as the format has them.
fn raw_lists(path: &Path, texts: &[&[u8]]) {
    let schema = "message m { optional group texts (LIST) { repeated group list { optional binary element (UTF8); } } }";
    let out = File::create(path).unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(out, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(text.to_vec())).collect();
    let repeated: Vec<i16> = (0..texts.len()).map(|place| (place % 2) as i16).collect();
    column
        .typed::<ByteArrayType>()
        .write_batch(&values, Some(&vec![3; texts.len()]), Some(&repeated))
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

#[test]
fn a_list_with_a_text_that_is_no_utf_8_costs_its_row_alone_or_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists.parquet");
    raw_lists(&path, &[b"one", b"two", b"caf\xe9", b"three", b"four", "f\u{fc}nf".as_bytes()]);
    let lost = "column \"texts\" is not UTF-8: caf\u{fffd}\nthree";
    assert_eq!(read(&path, "texts", ColumnKind::Texts), ["one\ntwo", lost, "four\nf\u{fc}nf"]);
    assert_eq!(
        read(&path, "texts", ColumnKind::Prose),
        ["one\ntwo", "replaced caf\u{fffd}\nthree", "four\nf\u{fc}nf"]
    );
    let values = ["value [\"one\",\"two\"]", lost, "value [\"four\",\"f\u{fc}nf\"]"];
    assert_eq!(read(&path, "texts", ColumnKind::Json), values);
}

#[test]
fn lists_and_objects_are_what_json_has_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nested.parquet");
    let object = StructArray::from(vec![(
        Arc::new(Field::new("a", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
    let mut texts = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    texts.append_value([Some("x"), Some("y")]);
    texts.append_null();
    let mut names = arrow::array::MapBuilder::new(
        None,
        arrow::array::StringBuilder::new(),
        arrow::array::Int64Builder::new(),
    );
    names.keys().append_value("k");
    names.values().append_value(7);
    names.append(true).unwrap();
    names.append(false).unwrap();
    let columns: [(&str, ArrayRef); 4] = [
        ("object", Arc::new(object)),
        ("numbers", Arc::new(numbers)),
        ("texts", Arc::new(texts.finish())),
        ("names", Arc::new(names.finish())),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let values = [
        ("object", json!({"a": 1})),
        ("numbers", json!([1, 2])),
        ("texts", json!(["x", "y"])),
        ("names", json!({"k": 7})),
    ];
    for (name, value) in values {
        for kind in [
            ColumnKind::Text,
            ColumnKind::Texts,
            ColumnKind::Prose,
            ColumnKind::Beside,
            ColumnKind::Id,
            ColumnKind::Json,
        ] {
            let of_parquet = read(&path, name, kind);
            let line = json!({ name: value }).to_string();
            let wanted = [Wanted::optional(kind, vec![name.to_owned()])];
            let of_json = Cells::of_fields(&wanted, &Fields::of(line.as_bytes()).unwrap());
            match of_json {
                Ok(cells) => assert_eq!(of_parquet[0], shown(Row::Whole(cells)), "{name} {kind:?}"),
                Err(_) => assert!(
                    of_parquet[0].contains("holds a list or an object"),
                    "{name} {kind:?}: {of_parquet:?}"
                ),
            }
        }
    }
}
