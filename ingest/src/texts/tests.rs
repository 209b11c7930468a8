//! Files of rows of every format, and what is no such file.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::Write;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use corpus::mirror::Mirrors;
use parquet::arrow::ArrowWriter;

use super::*;
use crate::fetch;

/// A folder with files of rows.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> String {
        self.0.path().to_str().unwrap().to_owned()
    }
}

fn read(path: &str, fields: &[&str]) -> Result<Vec<String>> {
    let client = Arc::new(Client::new(&fetch::Config::default(), Mirrors::default()).unwrap());
    let fields: Vec<_> = fields.iter().map(|&field| field.to_owned()).collect();
    let mut found = Vec::new();
    for_each_text(&client, path, &fields, |text| found.push(text.to_owned()))?;
    Ok(found)
}

fn refused(path: &str, fields: &[&str]) -> String {
    match read(path, fields).unwrap_err() {
        Error::Settings { detail, .. } => detail,
        error => panic!("{error}"),
    }
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn rows_are_read_in_every_format() {
    let folder = Folder::new();
    folder.write(
        "a.json",
        "\u{FEFF}[\n {\"q\": \"one\", \"c\": [\"two\"]},\n {\"q\": \"three\", \"p\": NaN}\n]\n",
    );
    folder.write("b.json", "{\"q\": \"four\"}\n\n{\"q\": \"five\"}\n");
    folder.write("c.csv", "\u{FEFF}q,c\r\n\"six, \"\"so\"\"\nit is\",seven\r\n");
    folder.write("d.tsv", "c\tq\neight\tnine");
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["ten", "eleven"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    folder.write("e.parquet", parquet(vec![("n", numbers), ("q", texts)]));
    let expected = ["one", "three", "four", "five", "six, \"so\"\nit is", "nine", "ten", "eleven"];
    assert_eq!(read(&folder.path(), &["q"]).unwrap(), expected);
    assert_eq!(read(&folder.path(), &[]).unwrap().len(), expected.len() + 3);
}

#[test]
fn compression_and_charset_are_told_by_the_first_bytes() {
    let folder = Folder::new();
    let text = "{\"q\": \"caf\u{e9}\"}\n";
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = |text: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let xz = |text: &[u8]| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let lz4 = |text: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let utf_16: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let files = [
        gzip(text.as_bytes()),
        zstd::encode_all(text.as_bytes(), 1).unwrap(),
        bzip2(text.as_bytes()),
        xz(text.as_bytes()),
        lz4(text.as_bytes()),
        gzip(&utf_16),
        utf_16,
    ];
    for (number, file) in files.iter().enumerate() {
        let path = folder.write(&format!("{number}.jsonl"), file);
        assert_eq!(read(&path, &["q"]).unwrap(), ["caf\u{e9}"], "{number}");
    }
}

#[test]
fn a_folder_gives_its_files_of_rows_in_the_order_of_their_names_without_hidden_ones() {
    let folder = Folder::new();
    folder.write("b.jsonl", "{\"q\": \"one\", \"choices\": [\"two\", {\"text\": \"three\"}], \"id\": 4}\n");
    folder.write("a.jsonl.zst", zstd::encode_all(&b"{\"q\": \"zero\"}\n"[..], 1).unwrap());
    folder.write("README.md", "no rows");
    folder.write("._b.jsonl", "{\"q\": \"no row\"}");
    assert_eq!(read(&folder.path(), &[]).unwrap(), ["zero", "one", "two", "three"]);
    assert_eq!(read(&folder.path(), &["choices"]).unwrap(), ["two", "three"]);
}

#[test]
fn a_first_row_that_reads_like_a_text_is_no_header() {
    let folder = Folder::new();
    let text = "Which of these two ships came back?,A,B,0\nWhich one sank before it came?,C,D,1\n";
    let path = folder.write("test.csv", text);
    let expected = ["Which of these two ships came back?", "A", "B", "0", "Which one sank before it came?"];
    assert_eq!(read(&path, &[]).unwrap()[..5], expected);
    let told = refused(&path, &["question"]);
    assert!(
        told.starts_with(&format!("no row of {path} has a field \"question\"; there are \"0\", ")),
        "{told}"
    );
}

#[test]
fn columns_of_one_name_are_all_read() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "x,x,y\none,two,three\n");
    assert_eq!(read(&path, &[]).unwrap(), ["one", "two", "three"]);
    assert_eq!(read(&path, &["x"]).unwrap(), ["one", "two"]);
}

#[test]
fn nested_columns_of_parquet_give_their_texts_and_images_none() {
    let folder = Folder::new();
    let list = |texts: Vec<&str>| -> ArrayRef {
        let field = Arc::new(Field::new("item", DataType::Utf8, true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([texts.len()]);
        Arc::new(ListArray::new(field, offsets, Arc::new(StringArray::from(texts)), None))
    };
    let bytes: ArrayRef =
        Arc::new(BinaryArray::from(vec![&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and words of an image"[..]]));
    let path: ArrayRef = Arc::new(StringArray::from(vec!["a.png"]));
    let image = StructArray::from(vec![
        (Arc::new(Field::new("bytes", DataType::Binary, true)), bytes),
        (Arc::new(Field::new("path", DataType::Utf8, true)), path),
    ]);
    let columns = vec![("choices", list(vec!["one", "two"])), ("image", Arc::new(image) as ArrayRef)];
    let path = folder.write("a.parquet", parquet(columns));
    assert_eq!(read(&path, &[]).unwrap(), ["one", "two", "a.png"]);
    assert_eq!(read(&path, &["choices"]).unwrap(), ["one", "two"]);
    let told = refused(&path, &["question"]);
    assert!(told.ends_with("has a field \"question\"; there are \"choices\", \"image\""), "{told}");
}

#[test]
fn what_is_no_rows_is_refused_by_name() {
    let folder = Folder::new();
    assert!(refused(&folder.path(), &[]).contains("is empty; names of files must end with .jsonl"));
    assert!(refused(&format!("{}/missing.jsonl", folder.path()), &[]).contains("no such file or folder"));
    for (name, content, told) in [
        ("set.xlsx", "PK\u{3}\u{4}", "set.xlsx: it is a zip archive"),
        ("set.parquet", "PAR1 and no more", "set.parquet: "),
        ("set.jsonl", "", "set.jsonl: 0 bytes"),
        ("set.txt", "{\"q\": \"one\"}\nplain text", "set.txt: row 2: no JSON"),
        ("cut.jsonl", "{\"q\": \"one\"}\n\n{\"q\": ", "cut.jsonl: row 3: "),
        ("set.csv", "q,c\none,two\nthree\n", "set.csv: row 2: 1 fields where the header has 2"),
    ] {
        let detail = refused(&folder.write(name, content), &[]);
        assert!(detail.contains(told), "{name}: {detail}");
    }
}
