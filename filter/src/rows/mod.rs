//! Texts in files of rows that the configuration or the user names: evaluation sets, examples for a classifier.
//!
//! ```text
//! mod        Format     what a file is, by its bytes; JSON lines and JSON
//! csv                   a header, then rows: CSV and TSV
//! parquet               Parquet of any codec
//! ```

mod csv;
mod parquet;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use thiserror::Error;

/// Bytes of a row at most.
const ROW_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a file at most that is one JSON value, or CSV: it is held in memory.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// The first bytes of compressed files.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const PARQUET_MAGIC: &[u8] = b"PAR1";
const BYTE_ORDER_MARK: &str = "\u{FEFF}";
/// Ends of the names of files of rows, which a folder's are taken by.
const ENDS: [&str; 5] = [".jsonl", ".json", ".csv", ".tsv", ".parquet"];
const COMPRESSED_ENDS: [&str; 3] = ["", ".gz", ".zst"];

/// Why rows cannot be used.
#[derive(Debug, Error)]
pub enum RowsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row cannot be read, or is too long.
    #[error("{path}: line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
    /// A file as a whole cannot be read.
    #[error("{path}: {detail}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file is in no format that is read.
    #[error("{path} is neither JSON lines, JSON, CSV, TSV nor Parquet")]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A folder has no file of rows.
    #[error("{path} has no file of rows ({})", ENDS.join(", "))]
    NoFile {
        /// The folder.
        path: PathBuf,
    },
}

/// What a file of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A JSON value on each line.
    JsonLines,
    /// A list of rows.
    Json,
    /// A header, then rows with this byte between fields.
    Delimited(u8),
    Parquet,
}

/// Returns the files of a path, a folder's in the order of their names.
///
/// # Errors
/// When one cannot be opened or is in no format that is read, and when a folder has none.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, RowsError> {
    Ok(told(path)?.into_iter().map(|(file, _)| file).collect())
}

/// Returns the same with what each file is.
fn told(path: &Path) -> Result<Vec<(PathBuf, Format)>, RowsError> {
    let io = |source| RowsError::Io { path: path.to_owned(), source };
    let files = match path.is_dir() {
        false => vec![path.to_owned()],
        true => {
            let entries = path.read_dir().map_err(io)?.map(|entry| Ok(entry.map_err(io)?.path()));
            let mut files = entries.collect::<Result<Vec<_>, _>>()?;
            files.retain(|path| has_rows_by_name(path));
            files.sort();
            files
        }
    };
    if files.is_empty() {
        return Err(RowsError::NoFile { path: path.to_owned() });
    }
    files.into_iter().map(|file| format(&file).map(|format| (file, format))).collect()
}

fn has_rows_by_name(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ends = |end: &str| COMPRESSED_ENDS.iter().any(|packed| name.ends_with(&format!("{end}{packed}")));
    !name.starts_with('.') && ENDS.into_iter().any(ends)
}

/// Tells what a file is by its first bytes, and CSV and TSV by their names.
fn format(path: &Path) -> Result<Format, RowsError> {
    let io = |source| RowsError::Io { path: path.to_owned(), source };
    let mut reader = open(path).map_err(io)?;
    let head = reader.fill_buf().map_err(io)?;
    if head.starts_with(PARQUET_MAGIC) {
        return Ok(Format::Parquet);
    }
    let text = head.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(head);
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        _ if name.contains(".csv") => Ok(Format::Delimited(b',')),
        _ if name.contains(".tsv") => Ok(Format::Delimited(b'\t')),
        Some(b'[') => Ok(Format::Json),
        Some(b'{' | b'"') | None => Ok(Format::JsonLines),
        Some(_) => Err(RowsError::Format { path: path.to_owned() }),
    }
}

/// Calls `text` with the texts of rows: of all fields, or of those that are named, which may be lists.
///
/// # Errors
/// When a file cannot be read or is not what it says: the caller asked for all of it.
pub fn for_each_text(path: &Path, fields: &[String], mut text: impl FnMut(&str)) -> Result<(), RowsError> {
    let mut row = |row: &Value| match fields.is_empty() {
        true => texts(row, &mut text),
        false => fields.iter().filter_map(|field| row.get(field)).for_each(|value| texts(value, &mut text)),
    };
    for (path, format) in told(path)? {
        match format {
            Format::JsonLines => for_each_line(&path, &mut row)?,
            Format::Json => for_each_element(&path, &mut row)?,
            Format::Delimited(delimiter) => csv::for_each_row(&path, delimiter, &mut row)?,
            Format::Parquet => parquet::for_each_row(&path, &mut row)?,
        }
    }
    Ok(())
}

fn for_each_line(path: &Path, row: &mut impl FnMut(&Value)) -> Result<(), RowsError> {
    let io = |source| RowsError::Io { path: path.to_owned(), source };
    let mut reader = open(path).map_err(io)?;
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = reader.by_ref().take(ROW_BYTES_MAX + 1).read_until(b'\n', &mut bytes).map_err(io)?;
        if read == 0 {
            break;
        }
        let bad = |detail| RowsError::Row { path: path.to_owned(), line, detail };
        if read as u64 > ROW_BYTES_MAX {
            return Err(bad(format!("longer than {ROW_BYTES_MAX} bytes")));
        }
        let text = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(&bytes);
        if !text.iter().all(u8::is_ascii_whitespace) {
            row(&serde_json::from_slice(text).map_err(|error| bad(error.to_string()))?);
        }
    }
    Ok(())
}

/// Reads lists of rows; what is no list is a row itself.
fn for_each_element(path: &Path, row: &mut impl FnMut(&Value)) -> Result<(), RowsError> {
    let bytes = read_all(path)?;
    for value in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
        match value.map_err(|error| RowsError::File { path: path.to_owned(), detail: error.to_string() })? {
            Value::Array(rows) => rows.iter().for_each(&mut *row),
            value => row(&value),
        }
    }
    Ok(())
}

/// Returns what a file holds, without a byte order mark.
fn read_all(path: &Path) -> Result<Vec<u8>, RowsError> {
    let io = |source| RowsError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    open(path).map_err(io)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let detail = format!("longer than {FILE_BYTES_MAX} bytes; JSON lines may be");
        return Err(RowsError::File { path: path.to_owned(), detail });
    }
    if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

/// Calls `text` with a value's texts, those within lists and objects too.
fn texts(value: &Value, text: &mut impl FnMut(&str)) {
    match value {
        Value::String(value) => text(value),
        Value::Array(values) => values.iter().for_each(|value| texts(value, text)),
        Value::Object(values) => values.values().for_each(|value| texts(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let head = file.fill_buf()?;
    let (is_gzip, is_zstd) = (head.starts_with(&GZIP_MAGIC), head.starts_with(&ZSTD_MAGIC));
    Ok(match (is_gzip, is_zstd) {
        (true, _) => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        (_, true) => Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)),
        _ => Box::new(file),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(path: &Path, fields: &[&str]) -> Result<Vec<String>, RowsError> {
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        let mut found = Vec::new();
        for_each_text(path, &fields, |text| found.push(text.to_owned()))?;
        Ok(found)
    }

    #[test]
    fn texts_are_those_of_rows() {
        let folder = tempfile::tempdir().unwrap();
        let rows =
            "{\"q\": \"one\", \"choices\": [\"two\", {\"text\": \"three\"}], \"id\": 4}\n\n{\"q\": \"five\"}";
        std::fs::write(folder.path().join("b.jsonl"), rows).unwrap();
        let packed = zstd::encode_all(&b"{\"q\": \"zero\"}\n"[..], 1).unwrap();
        std::fs::write(folder.path().join("a.jsonl.zst"), packed).unwrap();
        std::fs::write(folder.path().join("README.md"), "no rows").unwrap();
        assert_eq!(read(folder.path(), &[]).unwrap(), ["zero", "two", "three", "one", "five"]);
        assert_eq!(read(&folder.path().join("b.jsonl"), &["q"]).unwrap(), ["one", "five"]);
    }

    #[test]
    fn rows_are_read_in_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        file("a.json", "\u{FEFF}[\n {\"q\": \"one\", \"c\": [\"two\"]},\n {\"q\": \"three\"}\n]\n");
        file("b.json", "{\"q\": \"four\"}\n{\"q\": \"five\"}\n");
        file("c.csv", "\u{FEFF}q,c\r\n\"six, \"\"so\"\"\nit is\",seven\r\n");
        file("d.tsv", "c\tq\neight\tnine");
        std::fs::write(folder.path().join("e.parquet"), parquet::tests::file(&["ten", "eleven"])).unwrap();
        assert_eq!(
            read(folder.path(), &["q"]).unwrap(),
            ["one", "three", "four", "five", "six, \"so\"\nit is", "nine", "ten", "eleven"]
        );
        assert_eq!(read(&folder.path().join("a.json"), &[]).unwrap(), ["two", "one", "three"]);
    }

    #[test]
    fn what_is_no_rows_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| files(path).unwrap_err().to_string();
        assert!(error(folder.path()).contains("has no file of rows"), "{}", error(folder.path()));
        let path = folder.path().join("set.xlsx");
        std::fs::write(&path, "PK\u{3}\u{4}").unwrap();
        assert!(error(&path).contains("set.xlsx is neither JSON lines"), "{}", error(&path));
        let path = folder.path().join("set.parquet");
        std::fs::write(&path, "PAR1 and no more").unwrap();
        let error = read(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("set.parquet"), "{error}");
    }

    #[test]
    fn broken_rows_are_refused_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.jsonl");
        std::fs::write(&path, "{\"q\": \"one\"}\n{\"q\": ").unwrap();
        let error = read(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("set.jsonl: line 2: "), "{error}");
        assert!(read(&folder.path().join("missing"), &[]).unwrap_err().to_string().contains("missing"));
    }
}
