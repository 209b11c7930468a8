//! Parquet files on this machine, grouped into tables by what they hold.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use corpus::table::TABLE_KEY;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::{Error, Result};

/// Files that are looked at together at most.
const PARTS_MAX: usize = 1_000_000;
/// The name of tables that are not ours.
const FOREIGN: &str = "foreign";

/// Files of one record type and one schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// Record type and version, or [`FOREIGN`].
    pub(crate) name: String,
    /// The files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// Rows of all files.
    pub(crate) rows: u64,
    /// Bytes of all files.
    pub(crate) bytes: u64,
}

/// Finds the parquet files of the paths and groups them into tables, sorted by name.
pub(crate) fn tables(paths: &[PathBuf]) -> Result<Vec<Table>> {
    let found: Vec<Vec<PathBuf>> = paths.iter().map(|path| files(path)).collect::<Result<_>>()?;
    let mut files = found.concat();
    files.sort();
    files.dedup();
    let mut tables: BTreeMap<(String, String), Table> = BTreeMap::new();
    for path in files {
        let file = File::open(&path).map_err(io("open", &path))?;
        let bytes = file.metadata().map_err(io("read", &path))?.len();
        let metadata = ArrowReaderMetadata::load(&file, Default::default())
            .map_err(|source| Error::Parquet { path: path.clone(), source })?;
        let name = table_name(&metadata);
        let columns = metadata.schema().fields().iter();
        let schema: Vec<String> = columns.map(|f| format!("{} {}", f.name(), f.data_type())).collect();
        let table = tables.entry((name.clone(), schema.join(","))).or_default();
        table.name = name;
        table.rows += u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        table.bytes += bytes;
        table.files.push(path);
    }
    Ok(tables.into_values().collect())
}

fn table_name(metadata: &ArrowReaderMetadata) -> String {
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let named = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == TABLE_KEY));
    named.and_then(|pair| pair.value.as_deref()).unwrap_or(FOREIGN).to_owned()
}

/// Returns a file itself, or the parquet files below a folder, sorted; at least one.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    find(path, &mut files)?;
    files.sort();
    match files.is_empty() {
        true => Err(Error::NoParts { path: path.to_owned() }),
        false => Ok(files),
    }
}

/// Adds a file, or every parquet file below a folder; links to folders are not followed.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(io("read", path))?;
    if metadata.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(io("list", &folder))? {
            let entry = entry.map_err(io("list", &folder))?;
            let kind = entry.file_type().map_err(io("read", &entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "parquet") {
                files.push(entry.path());
            }
            if files.len() > PARTS_MAX {
                return Err(Error::TooManyParts { path: path.to_owned(), max: PARTS_MAX });
            }
        }
    }
    Ok(())
}

/// Returns a function which names the file for an IO error.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{documents, images};

    #[test]
    fn files_are_grouped_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        documents(&folder.path().join("a/0.parquet"), 3);
        documents(&folder.path().join("b/1.parquet"), 4);
        images(&folder.path().join("b/2.parquet"));
        std::fs::write(folder.path().join("b/notes.txt"), "not a table").unwrap();
        let found = tables(&[folder.path().to_owned(), folder.path().join("a/0.parquet")]).unwrap();
        let summary: Vec<_> = found.iter().map(|t| (t.name.as_str(), t.files.len(), t.rows)).collect();
        assert_eq!(summary, [("document/2", 2, 7), ("image/2", 1, 2)]);
        assert!(found.iter().all(|table| table.bytes > 100));
    }

    #[test]
    fn what_is_no_table_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = tables(&[folder.path().to_owned()]).unwrap_err();
        assert!(matches!(error, Error::NoParts { .. }), "{error}");
        let missing = tables(&[folder.path().join("missing")]).unwrap_err();
        assert!(missing.to_string().contains("missing"), "{missing}");
        let broken = folder.path().join("broken.parquet");
        std::fs::write(&broken, b"PAR1 no table PAR1").unwrap();
        assert!(matches!(tables(&[broken]).unwrap_err(), Error::Parquet { .. }));
    }
}
