//! The items of an evaluation set: the texts in its rows.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use thiserror::Error;

use crate::config::EvaluationSetConfig;

/// Bytes of a row at most.
const ROW_BYTES_MAX: u64 = 16 << 20;
/// The first bytes of compressed files.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Why an evaluation set cannot be used.
#[derive(Debug, Error)]
pub enum DecontaminateError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row is no JSON object, or too long.
    #[error("{path}: line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
    /// There is nothing to look for.
    #[error("{path}: no item has enough words{fields}")]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// The fields that were looked into.
        fields: String,
    },
    /// There are more n-grams than memory is meant for.
    #[error("the evaluation sets have more than {max} n-grams")]
    TooMany {
        /// The bound.
        max: usize,
    },
}

/// Returns the files of a set, in the order of their names.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, DecontaminateError> {
    let io = |source| DecontaminateError::Io { path: path.to_owned(), source };
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

/// Calls `item` with every text of a set.
///
/// # Errors
/// When a file cannot be read or holds what is no JSON: half a set would clean half of the corpus.
pub(super) fn for_each_item(
    set: &EvaluationSetConfig,
    mut item: impl FnMut(&str),
) -> Result<(), DecontaminateError> {
    for path in files(&set.path)? {
        let io = |source| DecontaminateError::Io { path: path.clone(), source };
        let mut reader = open(&path).map_err(io)?;
        let mut row = Vec::new();
        for line in 1.. {
            row.clear();
            let read = reader.by_ref().take(ROW_BYTES_MAX + 1).read_until(b'\n', &mut row).map_err(io)?;
            if read == 0 {
                break;
            }
            let bad = |detail| DecontaminateError::Row { path: path.clone(), line, detail };
            if read as u64 > ROW_BYTES_MAX {
                return Err(bad(format!("longer than {ROW_BYTES_MAX} bytes")));
            }
            if row.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value: Value = serde_json::from_slice(&row).map_err(|error| bad(error.to_string()))?;
            match set.fields.is_empty() {
                true => texts(&value, &mut item),
                false => {
                    set.fields.iter().filter_map(|field| value.get(field)).for_each(|v| texts(v, &mut item))
                }
            }
        }
    }
    Ok(())
}

/// Calls `item` with a value's texts, those within lists and objects too.
fn texts(value: &Value, item: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => item(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, item)),
        Value::Object(values) => values.values().for_each(|value| texts(value, item)),
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

    fn items(path: &Path, fields: &[&str]) -> Result<Vec<String>, DecontaminateError> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let mut items = Vec::new();
        for_each_item(&EvaluationSetConfig { path: path.to_owned(), fields }, |item| {
            items.push(item.to_owned())
        })?;
        Ok(items)
    }

    #[test]
    fn items_are_the_texts_of_rows() {
        let folder = tempfile::tempdir().unwrap();
        let rows =
            "{\"q\": \"one\", \"choices\": [\"two\", {\"text\": \"three\"}], \"id\": 4}\n\n{\"q\": \"five\"}";
        std::fs::write(folder.path().join("b.jsonl"), rows).unwrap();
        let packed = zstd::encode_all(&b"{\"q\": \"zero\"}\n"[..], 1).unwrap();
        std::fs::write(folder.path().join("a.jsonl.zst"), packed).unwrap();
        std::fs::write(folder.path().join("README.md"), "no rows").unwrap();
        assert_eq!(items(folder.path(), &[]).unwrap(), ["zero", "two", "three", "one", "five"]);
        assert_eq!(items(&folder.path().join("b.jsonl"), &["q"]).unwrap(), ["one", "five"]);
    }

    #[test]
    fn broken_rows_are_refused_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.jsonl");
        std::fs::write(&path, "{\"q\": \"one\"}\n{\"q\": ").unwrap();
        let error = items(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("set.jsonl: line 2: "), "{error}");
        assert!(items(&folder.path().join("missing"), &[]).unwrap_err().to_string().contains("missing"));
    }
}
