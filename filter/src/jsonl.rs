//! Texts in JSON lines that the configuration or the user names: evaluation sets, examples for a classifier.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use thiserror::Error;

/// Bytes of a row at most.
const ROW_BYTES_MAX: u64 = 16 << 20;
/// The first bytes of compressed files.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Why JSON lines cannot be used.
#[derive(Debug, Error)]
pub enum JsonLinesError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row is no JSON, or too long.
    #[error("{path}: line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
}

/// Returns the files of a path, a folder's in the order of their names.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, JsonLinesError> {
    let io = |source| JsonLinesError::Io { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries: Result<Vec<_>, _> =
        path.read_dir().map_err(io)?.map(|entry| Ok(entry.map_err(io)?.path())).collect();
    let is_rows = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        [".jsonl", ".jsonl.gz", ".jsonl.zst"].iter().any(|ending| name.ends_with(ending))
    };
    let mut files: Vec<_> = entries?.into_iter().filter(is_rows).collect();
    files.sort();
    Ok(files)
}

/// Calls `text` with the texts of rows: of all fields, or of those that are named, which may be lists.
///
/// # Errors
/// When a file cannot be read or holds what is no JSON: the caller asked for all of it.
pub fn for_each_text(
    path: &Path,
    fields: &[String],
    mut text: impl FnMut(&str),
) -> Result<(), JsonLinesError> {
    for path in files(path)? {
        let io = |source| JsonLinesError::Io { path: path.clone(), source };
        let mut reader = open(&path).map_err(io)?;
        let mut row = Vec::new();
        for line in 1.. {
            row.clear();
            let read = reader.by_ref().take(ROW_BYTES_MAX + 1).read_until(b'\n', &mut row).map_err(io)?;
            if read == 0 {
                break;
            }
            let bad = |detail| JsonLinesError::Row { path: path.clone(), line, detail };
            if read as u64 > ROW_BYTES_MAX {
                return Err(bad(format!("longer than {ROW_BYTES_MAX} bytes")));
            }
            if row.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value: Value = serde_json::from_slice(&row).map_err(|error| bad(error.to_string()))?;
            match fields.is_empty() {
                true => texts(&value, &mut text),
                false => fields.iter().filter_map(|field| value.get(field)).for_each(|v| texts(v, &mut text)),
            }
        }
    }
    Ok(())
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

    fn read(path: &Path, fields: &[&str]) -> Result<Vec<String>, JsonLinesError> {
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
    fn broken_rows_are_refused_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.jsonl");
        std::fs::write(&path, "{\"q\": \"one\"}\n{\"q\": ").unwrap();
        let error = read(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("set.jsonl: line 2: "), "{error}");
        assert!(read(&folder.path().join("missing"), &[]).unwrap_err().to_string().contains("missing"));
    }
}
