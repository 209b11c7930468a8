//! A source within a stage: its name, its number and its files.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use corpus::id::{FILE_INDEX_MAX, POSITION_MAX};
use corpus::record::{FILES, SourceFile};
use corpus::{Error, Id, Inputs, Output, Removal, Result, SourceCode, Task};

use crate::Client;
use crate::container::PARQUET_MAGIC;
use crate::fault::{FILE_MISSING, FILE_UNREADABLE, FileFault, POSITION_TOO_LARGE};
use crate::fetch::source::source_error;
use crate::kind::FileKind;
use crate::lines::{Text, decompressed, rows_of};
use crate::location::{Location, shown};
use crate::rows::ROW_BROKEN;
use crate::watch::{Listed, Watch};

/// Unit of files that gave no record, and what a listing's name ends with.
pub const FILE_UNIT: &str = FILES.name();
/// Characters are cut by the table; bytes are cut here, before text is made of them.
const PREVIEW_BYTES_MAX: usize = 1_024;
/// Characters of a deciding value that are written down.
const VALUE_CHARS_MAX: usize = 200;

/// Reason of a file whose records are all failed, each with its own reason.
const NO_RECORD: &str = "no_record";
/// Reason of a file that holds nothing at all: blank lines, a header alone, an empty list.
const FILE_BLANK: &str = "file_blank";

/// What the stages of one source share.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) code: SourceCode,
    pub(crate) client: Arc<Client>,
    pub(crate) listed: Listed,
}

impl Source {
    pub(crate) fn new(name: &str, code: SourceCode, client: &Arc<Client>) -> Self {
        Self { name: name.to_owned(), code, client: client.clone(), listed: Listed::default() }
    }

    /// Returns the name of the stage that lists the files.
    pub(crate) fn listing(&self) -> String {
        format!("{}.{FILE_UNIT}", self.name)
    }

    /// Plans one task per file of the listing.
    pub(crate) fn plan(&self, inputs: &Inputs) -> Result<u32> {
        let files = inputs.get(&self.listing())?;
        let count = files.summary(FILES)?.rows;
        match u32::try_from(count) {
            Ok(count) if count <= FILE_INDEX_MAX => Ok(count),
            _ => Err(Error::Settings {
                stage: self.name.clone(),
                detail: format!("{count} files are more than the {FILE_INDEX_MAX} that ids hold"),
            }),
        }
    }

    /// Runs the task of a file: `read` writes what it holds, behind what is committed.
    ///
    /// # Errors
    /// The error that ended the reading, if it is no fault of the file.
    pub(crate) fn run(
        &self,
        task: &Task<'_>,
        unit: &str,
        out: &mut Output<'_>,
        read: impl FnOnce(&SourceFile, &mut Yield, &mut Output<'_>) -> Result<()>,
    ) -> Result<()> {
        let file = self.begin(task, out)?;
        let mut found = Yield::of(out);
        let read = read(&file, &mut found, out);
        self.finish(task, (&file, unit), read, found, out)
    }

    /// Begins to read the file of a task, as [`Self::watch`].
    ///
    /// # Errors
    /// When the file is another, or the listing cannot be read.
    pub(crate) fn begin(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<SourceFile> {
        let file = self.file(task)?;
        self.watch(task, std::slice::from_ref(&file), out)?;
        Ok(file)
    }

    /// Watches files that are about to be read. Those on this machine must be what was listed, and stay so: nothing
    /// is committed otherwise.
    ///
    /// # Errors
    /// When a file is another, or the listing cannot be read.
    pub(crate) fn watch(&self, task: &Task<'_>, files: &[SourceFile], out: &mut Output<'_>) -> Result<()> {
        let mut watches = Vec::new();
        for file in files {
            let Location::File(path) = self.client.locate(&file.url) else { continue };
            let states = self.listed.states(task.ledger, task.inputs.get(&self.listing())?)?;
            let Some(state) = states.get(&file.url) else { continue };
            let changed = Changed { stage: self.name.clone(), file: shown(&file.url) };
            // Of a folder that was closed meanwhile the file is unreadable, and fails where it is opened.
            if path.try_exists().is_ok_and(|exists| !exists) {
                return Err(changed.error("since it was listed", "it is gone"));
            }
            let watch = Watch::begin(&path, state, task.cancel)?;
            let watch = watch.map_err(|detail| changed.error("since it was listed", &detail))?;
            watches.push((path, watch, changed));
        }
        out.commit_only_if(move || {
            for (path, watch, changed) in &watches {
                if let Some(detail) = watch.change().map_err(Error::io("read", path))? {
                    return Err(changed.error("while it was read", &detail));
                }
            }
            Ok(())
        });
        Ok(())
    }

    /// Opens a file of text, decompressed.
    ///
    /// # Errors
    /// When it cannot be read; a [`FileFault`] if it is empty, or of a format that is no text.
    pub(crate) fn open_text<'a>(&'a self, file: &SourceFile) -> Result<Text<'a>> {
        let text = decompressed(self.client.open(&file.url)?, self.client.zstd_window_log_max());
        text.map_err(|error| source_error(&file.url, &error))
    }

    /// Opens a file of rows, decompressed.
    ///
    /// # Errors
    /// As [`Self::open_text`], and for a page that a server sent in its place.
    pub(crate) fn open_rows<'a>(&'a self, file: &SourceFile) -> Result<Text<'a>> {
        let rows = rows_of(self.client.open(&file.url)?, self.client.zstd_window_log_max());
        rows.map_err(|error| source_error(&file.url, &error))
    }

    /// Returns the file of a task.
    pub(crate) fn file(&self, task: &Task<'_>) -> Result<SourceFile> {
        self.file_at(task.inputs, task.index)
    }

    /// Returns what a task on a file depends on: which file it is.
    pub(crate) fn identity(&self, inputs: &Inputs, index: u32) -> Result<Option<String>> {
        let file = self.file_at(inputs, index)?;
        Ok(Some(format!("{} {}", file.index, file.url)))
    }

    fn file_at(&self, inputs: &Inputs, index: u32) -> Result<SourceFile> {
        self.files(inputs, index, 1)?.pop().ok_or_else(|| Error::Settings {
            stage: self.name.clone(),
            detail: format!("the listing has no file {index}"),
        })
    }

    /// Returns the files of the listing from an index on, so many at most.
    pub(crate) fn files(&self, inputs: &Inputs, first: u32, count: u32) -> Result<Vec<SourceFile>> {
        let listing = inputs.get(&self.listing())?;
        let (mut row, mut files) = (u64::from(first), Vec::new());
        for part in listing.parts(FILES) {
            let part = part?;
            let left = count as usize - files.len();
            if row < part.rows && left > 0 {
                for file in listing.open_at::<SourceFile>(&part, row)?.take(left) {
                    files.push(file?);
                }
            }
            row = row.saturating_sub(part.rows);
        }
        Ok(files)
    }

    /// Returns whether a file is Parquet: by its first bytes where it is on this machine, and by its name.
    pub(crate) fn is_parquet(&self, file: &SourceFile) -> bool {
        let mut head = [0; PARQUET_MAGIC.len()];
        let begins_so = match self.client.locate(&file.url) {
            Location::File(path) => {
                // A file that cannot be read is told where it is read.
                let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
                read.is_ok() && head == PARQUET_MAGIC
            }
            Location::Remote(_) => false,
        };
        begins_so || FileKind::of(&file.url) == Some(FileKind::Parquet)
    }

    /// Returns the id of a position within a file.
    pub(crate) fn id(&self, file: &SourceFile, position: u64) -> Result<Id> {
        Id::new(self.code, file.index, position).map_err(|error| match position > POSITION_MAX {
            true => {
                let detail = format!("a record at byte or row {position}; the rest of the file is not read");
                Error::work(&self.name, FileFault { reason: POSITION_TOO_LARGE, detail })
            }
            false => Error::work(&self.name, error),
        })
    }

    /// Takes the fault of a file out of an error, if it is one that costs this file alone.
    ///
    /// # Errors
    /// The error itself otherwise; a file that is missing or may not be opened is one where it is the only file, and a
    /// column that is missing where it is the first.
    pub(crate) fn fault(&self, task: &Task<'_>, file: &SourceFile, error: Error) -> Result<FileFault> {
        let fault = FileFault::of_error(error)?;
        let refused = |detail: String| Err(Error::Settings { stage: self.name.clone(), detail });
        match fault.reason {
            FILE_MISSING | FILE_UNREADABLE if task.count == 1 => {
                refused(format!("{}: {fault}, and the source has no other file", shown(&file.url)))
            }
            _ if fault.is_of_settings() && file.index == 0 => refused(fault.detail),
            _ => Ok(fault),
        }
    }

    /// Ends the task of a file: a fault that ended its reading is written, and the file counted if it gave
    /// no record.
    ///
    /// # Errors
    /// The error that ended the reading, if it is no fault of the file.
    pub(crate) fn finish(
        &self,
        task: &Task<'_>,
        (file, unit): (&SourceFile, &str),
        read: Result<()>,
        mut found: Yield,
        out: &mut Output<'_>,
    ) -> Result<()> {
        if let Err(error) = read {
            let fault = self.fault(task, file, error)?;
            let is_beyond = fault.reason == POSITION_TOO_LARGE;
            let id = self.id(file, if is_beyond { POSITION_MAX } else { out.position() })?;
            found.lost((unit, file), id, fault, out)?;
            out.advance(1)?;
        }
        found.finish(self.id(file, 0)?, &file.url, out)
    }
}

/// A file that is no longer what is read of it.
struct Changed {
    stage: String,
    file: String,
}

impl Changed {
    fn error(&self, when: &str, detail: &str) -> Error {
        let Self { stage, file } = self;
        let detail = format!(
            "{file} changed {when}: {detail}. Nothing was kept of that; put the file back, or read the source again \
             with --rebuild {stage}"
        );
        Error::Settings { stage: stage.clone(), detail }
    }
}

/// What a file gave: whether there was one record that could be judged, and if not, why.
#[derive(Debug, Default)]
pub(crate) struct Yield {
    is_any: bool,
    reason: Option<&'static str>,
}

impl Yield {
    /// Begins, or goes on where an attempt before has committed records.
    pub(crate) fn of(out: &Output<'_>) -> Self {
        Self { is_any: out.position() > 0, reason: None }
    }

    /// Notes a record that was kept or dropped.
    pub(crate) fn record(&mut self) {
        self.is_any = true;
    }

    /// Notes a record that was failed.
    pub(crate) fn failed(&mut self) {
        self.reason.get_or_insert(NO_RECORD);
    }

    /// Writes a row that cannot be read.
    pub(crate) fn broken(
        &mut self,
        unit: &str,
        id: Id,
        value: String,
        preview: &str,
        out: &mut Output<'_>,
    ) -> Result<()> {
        self.failed();
        out.read(unit);
        out.fail(unit, Removal { id, key: None, url: None, reason: ROW_BROKEN, value, preview })
    }

    /// Writes damage of the file in place of the records that it took.
    pub(crate) fn lost(
        &mut self,
        (unit, file): (&str, &SourceFile),
        id: Id,
        fault: FileFault,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let FileFault { reason, detail } = fault;
        self.reason = Some(reason);
        out.read(unit);
        out.fail(unit, removal(id, reason, value(&detail), &shown(&file.url)))
    }

    /// Counts the file as failed if it gave not one record, and as dropped if it holds none.
    pub(crate) fn finish(self, id: Id, url: &str, out: &mut Output<'_>) -> Result<()> {
        if self.is_any {
            return Ok(());
        }
        let file = shown(url);
        out.read(FILE_UNIT);
        match self.reason {
            Some(reason) => out.fail(FILE_UNIT, removal(id, reason, file.clone(), &file)),
            None => out.drop(FILE_UNIT, removal(id, FILE_BLANK, file.clone(), &file)),
        }
    }
}

/// A loss is a file's: its path or URL stands where a record's does.
fn removal<'r>(id: Id, reason: &'r str, value: String, file: &'r str) -> Removal<'r> {
    Removal { id, key: None, url: Some(file), reason, value, preview: file }
}

/// Returns the beginning of bytes from outside as text.
pub(crate) fn preview(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(PREVIEW_BYTES_MAX)];
    String::from_utf8_lossy(head).into_owned()
}

/// Returns a text with U+FFFD in place of what is not UTF-8. The standard library looks at every byte by itself also
/// where all is well, which takes three times as long as telling so.
pub(crate) fn replaced(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Returns the beginning of a deciding value, which may be as long as its record.
pub(crate) fn value(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::mirror::Mirrors;

    use super::*;
    use crate::fetch::Config;

    #[test]
    fn a_position_that_no_id_can_hold_is_a_fault_of_its_file() {
        let client = Arc::new(Client::new(&Config::default(), Mirrors::default()).unwrap());
        let source = Source::new("src", SourceCode(1), &client);
        let file = SourceFile { index: 0, url: "a.warc".to_owned() };
        assert_eq!(source.id(&file, POSITION_MAX).unwrap().position(), POSITION_MAX);
        let fault = FileFault::of_error(source.id(&file, POSITION_MAX + 1).unwrap_err()).unwrap();
        assert_eq!(fault.reason, POSITION_TOO_LARGE);
        assert!(fault.detail.contains("68719476736"), "{fault}");
        let file = SourceFile { index: FILE_INDEX_MAX + 1, ..file };
        assert!(FileFault::of_error(source.id(&file, 0).unwrap_err()).is_err(), "a fault of our own");
    }
}
