//! A source within a stage: its name, its number and its files.

use std::sync::Arc;

use corpus::id::FILE_INDEX_MAX;
use corpus::record::SourceFile;
use corpus::{Error, Id, Inputs, Result, SourceCode, Task};

use crate::Client;

/// Stream of a listing.
pub(crate) const FILES: &str = "files";
/// Characters are cut by the table; bytes are cut here, before text is made of them.
const PREVIEW_BYTES_MAX: usize = 1_024;
/// Characters of a deciding value that are written down.
const VALUE_CHARS_MAX: usize = 200;

/// What the stages of one source share.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) code: SourceCode,
    pub(crate) client: Arc<Client>,
}

impl Source {
    /// Returns the name of the stage that lists the files.
    pub(crate) fn listing(&self) -> String {
        format!("{}.{FILES}", self.name)
    }

    /// Plans one task per file of the listing.
    pub(crate) fn plan(&self, inputs: &Inputs) -> Result<u32> {
        let files = inputs.get(&self.listing())?;
        let count: u64 = files.parts(FILES).map(|part| part.rows).sum();
        match u32::try_from(count) {
            Ok(count) if count <= FILE_INDEX_MAX => Ok(count),
            _ => Err(Error::Settings {
                stage: self.name.clone(),
                detail: format!("{count} files are more than the {FILE_INDEX_MAX} that ids hold"),
            }),
        }
    }

    /// Returns the file of a task.
    pub(crate) fn file(&self, task: &Task<'_>) -> Result<SourceFile> {
        let files = task.inputs.get(&self.listing())?;
        let mut row = u64::from(task.index);
        for part in files.parts(FILES) {
            if row < part.rows {
                let mut rows = files.open_at::<SourceFile>(part, row)?;
                if let Some(file) = rows.next() {
                    return file;
                }
            }
            row = row.saturating_sub(part.rows);
        }
        Err(Error::Settings {
            stage: self.name.clone(),
            detail: format!("the listing has no file {}", task.index),
        })
    }

    /// Returns the id of a position within a file.
    pub(crate) fn id(&self, file: &SourceFile, position: u64) -> Result<Id> {
        Id::new(self.code, file.index, position).map_err(|error| Error::work(&self.name, error))
    }
}

/// Returns the beginning of bytes from outside as text.
pub(crate) fn preview(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(PREVIEW_BYTES_MAX)];
    String::from_utf8_lossy(head).into_owned()
}

/// Returns the beginning of a deciding value, which may be as long as its record.
pub(crate) fn value(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}
