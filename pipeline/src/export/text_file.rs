//! A file of texts, as JSON lines or Parquet.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use corpus::record::{Document, ExportedText};
use corpus::table;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::unwritten;
use crate::Result;

/// How JSON lines are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
}

/// In which form texts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object per line.
    JsonLines(Compression),
    /// With the features of Hugging Face datasets.
    Parquet,
}

impl Form {
    /// Returns how its files' names end.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::JsonLines(Compression::None) => ".jsonl",
            Self::JsonLines(Compression::Gzip) => ".jsonl.gz",
            Self::JsonLines(Compression::Zstd) => ".jsonl.zst",
            Self::Parquet => ".parquet",
        }
    }
}

/// Which columns have a value in any file, of those that not every document has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) url: bool,
    pub(super) date: bool,
    pub(super) language: bool,
}

impl Columns {
    pub(super) fn are_all(self) -> bool {
        self.url && self.date && self.language
    }
}

/// A text as a JSON line. Readers of JSON lines (`datasets`, pyarrow) take a column's type from the first ten
/// megabytes of the first file, and refuse a string after nothing but nulls there; so a missing value
/// is an empty string, and a column without any value in any file is left out.
#[derive(Debug, Serialize)]
struct JsonLine<'t> {
    id: &'t str,
    text: &'t str,
    source: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'t str>,
}

impl<'t> JsonLine<'t> {
    fn of(row: &'t ExportedText, columns: Columns) -> Self {
        let shown = |is_column: bool, value: &'t Option<String>| {
            is_column.then(|| value.as_deref().unwrap_or_default())
        };
        Self {
            id: &row.id,
            text: &row.text,
            source: &row.source,
            url: shown(columns.url, &row.url),
            date: shown(columns.date, &row.date),
            language: shown(columns.language, &row.language),
        }
    }
}

/// A file of texts that is being written.
pub(super) struct TextFile {
    path: PathBuf,
    columns: Columns,
    rows: u64,
    bytes: u64,
    writer: Writer,
}

enum Writer {
    Plain(BufWriter<File>),
    Gzip(BufWriter<GzEncoder<File>>),
    Zstd(BufWriter<zstd::Encoder<'static, File>>),
    Parquet(Box<table::Writer<ExportedText>>),
}

impl TextFile {
    pub(super) fn create(path: &Path, form: Form, columns: Columns) -> Result<Self> {
        let file = || File::create(path).map_err(unwritten(path));
        let writer = match form {
            Form::JsonLines(Compression::None) => Writer::Plain(BufWriter::new(file()?)),
            Form::JsonLines(Compression::Gzip) => {
                Writer::Gzip(BufWriter::new(GzEncoder::new(file()?, flate2::Compression::default())))
            }
            Form::JsonLines(Compression::Zstd) => {
                let encoder =
                    zstd::Encoder::new(file()?, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(unwritten(path))?;
                Writer::Zstd(BufWriter::new(encoder))
            }
            Form::Parquet => Writer::Parquet(Box::new(table::Writer::create(path)?)),
        };
        Ok(Self { path: path.to_owned(), columns, rows: 0, bytes: 0, writer })
    }

    /// Returns the bytes of all texts so far, before compression.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(&mut self, document: Document) -> Result<()> {
        let Document { id, key, source, url, date, language, text, .. } = document;
        let id = key.unwrap_or_else(|| id.to_string());
        let row = ExportedText { id, text, source, url, date, language };
        self.rows += 1;
        let out: &mut dyn Write = match &mut self.writer {
            Writer::Plain(out) => out,
            Writer::Gzip(out) => out,
            Writer::Zstd(out) => out,
            Writer::Parquet(out) => {
                self.bytes += row.text.len() as u64;
                out.push(row)?;
                return Ok(());
            }
        };
        let mut line =
            serde_json::to_vec(&JsonLine::of(&row, self.columns)).map_err(unwritten(&self.path))?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        out.write_all(&line).map_err(unwritten(&self.path))
    }

    /// Writes the file's end; returns where it is, and its rows.
    pub(super) fn finish(self) -> Result<(PathBuf, u64)> {
        let file = match self.writer {
            Writer::Plain(out) => out.into_inner().map_err(IntoInnerError::into_error),
            Writer::Gzip(out) => {
                out.into_inner().map_err(IntoInnerError::into_error).and_then(GzEncoder::finish)
            }
            Writer::Zstd(out) => {
                out.into_inner().map_err(IntoInnerError::into_error).and_then(zstd::Encoder::finish)
            }
            Writer::Parquet(out) => {
                out.finish()?;
                return Ok((self.path, self.rows));
            }
        };
        file.and_then(|file| file.sync_all()).map_err(unwritten(&self.path))?;
        Ok((self.path, self.rows))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;

    use corpus::table::Reader;
    use corpus::{Id, SourceCode};
    use serde_json::{Value, json};

    use super::*;

    fn document(row: u64, url: Option<&str>, key: Option<&str>) -> Document {
        Document {
            id: Id::new(SourceCode(2), 0, row).unwrap(),
            key: key.map(str::to_owned),
            source: "crawl".to_owned(),
            url: url.map(str::to_owned),
            date: Some("2021-01-02".to_owned()),
            language: None,
            text: format!("text {row}"),
            split: None,
        }
    }

    fn written(form: Form, columns: Columns) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = TextFile::create(&path, form, columns).unwrap();
        file.push(document(0, None, Some("mine"))).unwrap();
        file.push(document(1, Some("https://a.example/"), None)).unwrap();
        assert_eq!(file.finish().unwrap(), (path.clone(), 2));
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_missing_value_is_an_empty_string_and_an_empty_column_is_left_out() {
        let columns = Columns { url: true, date: true, language: false };
        let plain = written(Form::JsonLines(Compression::None), columns);
        let rows: Vec<Value> = plain
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let row = |id: &str, text: &str, url: &str| json!({"id": id, "text": text, "source": "crawl", "url": url, "date": "2021-01-02"});
        assert_eq!(rows, [row("mine", "text 0", ""), row("2:0:1", "text 1", "https://a.example/")]);
    }

    #[test]
    fn every_compression_holds_the_same_lines() {
        let columns = Columns { url: true, date: true, language: true };
        let of = |compression| written(Form::JsonLines(compression), columns);
        let plain = of(Compression::None);
        let mut inflated = Vec::new();
        flate2::read::GzDecoder::new(of(Compression::Gzip).as_slice()).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, plain);
        assert_eq!(zstd::decode_all(of(Compression::Zstd).as_slice()).unwrap(), plain);
    }

    #[test]
    fn parquet_keeps_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = TextFile::create(&path, Form::Parquet, Columns::default()).unwrap();
        file.push(document(0, None, None)).unwrap();
        file.finish().unwrap();
        let store = corpus::Store::local(folder.path()).unwrap();
        let rows: Vec<ExportedText> =
            Reader::open("file", store.open("file").unwrap()).unwrap().map(Result::unwrap).collect();
        assert_eq!((rows[0].url.as_deref(), rows[0].date.as_deref()), (None, Some("2021-01-02")));
    }
}
