//! The only way a task writes: rows into streams, counts into the report, ranges into the ledger.
//!
//! A long task commits as it goes. Ranges end at record or byte counts, never at times, so
//! that a run that was killed and continued has the same parts as one that was not.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::attempt::Attempt;
use crate::digest::Digest;
use crate::failpoint::{self, Point};
use crate::format::FORMAT;
use crate::ledger::{FileState, RunContext};
use crate::limits::{PREVIEW_CHARS_MAX, RANGE_BYTES_MAX, RANGE_RECORDS_MAX};
use crate::record::{DROPPED, FAILED, Removed};
use crate::report::count;
use crate::table::{Record, Writer};
use crate::unique::host_name;
use crate::{Declared, Entry, Error, FileStream, Id, Part, Report, Result, Stream, Task};

/// A record that does not go on, and why.
#[derive(Debug, Clone)]
pub struct Removal<'r> {
    /// The record.
    pub id: Id,
    /// The source's own id of it.
    pub key: Option<&'r str>,
    /// The URL of the page, document or image, if it has one.
    pub url: Option<&'r str>,
    /// One word of a closed set.
    pub reason: &'r str,
    /// The value that decided.
    pub value: String,
    /// The record itself; cut to a preview here.
    pub preview: &'r str,
}

/// What a task has written since its last commit.
pub struct Output<'a> {
    task: &'a Task<'a>,
    position: u64,
    range: u32,
    range_start: u64,
    range_records_max: u64,
    range_bytes: u64,
    done: bool,
    report: Report,
    streams: BTreeMap<&'static str, Box<dyn OpenStream>>,
    files: Vec<Part>,
    file_states: Vec<FileState>,
    started: (SystemTime, Instant),
    /// The attempt at the range; absent where none is to be counted.
    attempt: Option<Attempt>,
    /// What must hold when a range is committed.
    condition: Option<Box<dyn Fn() -> Result<()> + 'a>>,
}

impl<'a> Output<'a> {
    pub(crate) fn begin(task: &'a Task<'a>) -> Result<Self> {
        let entries = task.ledger.entries(task.stage, task.fingerprint, task.index)?;
        if let Some(last) = entries.last().filter(|entry| entry.last) {
            // An attempt may have died between its last range and the mark.
            task.ledger.end(last)?;
        }
        let position = entries.last().map_or(0, |entry| entry.position);
        let done = entries.last().is_some_and(|entry| entry.last);
        let is_counted = task.is_guarded && !task.is_trial && !done;
        let attempt = is_counted.then(|| Attempt::begin(&task.keep, entries.len() as u32)).transpose()?;
        Ok(Self {
            task,
            position,
            range: entries.len() as u32,
            range_start: position,
            range_records_max: RANGE_RECORDS_MAX,
            range_bytes: 0,
            done,
            report: Report::default(),
            streams: BTreeMap::new(),
            files: Vec::new(),
            file_states: Vec::new(),
            started: (SystemTime::now(), Instant::now()),
            attempt,
            condition: None,
        })
    }

    /// Sets what must hold whenever a range is committed, such as that the file which is read did not change
    /// meanwhile: nothing is committed otherwise.
    pub fn commit_only_if(&mut self, condition: impl Fn() -> Result<()> + 'a) {
        self.condition = Some(Box::new(condition));
    }

    /// Says that another attempt at the range would be further than this one was when it began.
    pub fn progressed(&self) {
        if let Some(attempt) = &self.attempt {
            attempt.progressed();
        }
    }

    /// Sets the input records of a range; part of what decides the bytes, so a constant of the stage.
    pub fn set_range_records_max(&mut self, records: u64) {
        self.range_records_max = records.max(1);
    }

    /// Returns the input records that are committed already: where to go on reading.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns true if and only if an earlier attempt completed the task.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Counts a record that was read.
    pub fn read(&mut self, unit: &str) {
        self.report.count(unit, |counts| counts.read += 1);
    }

    /// Counts a record that goes on; its rows are written by [`Self::write`].
    pub fn keep(&mut self, unit: &str) {
        self.report.count(unit, |counts| counts.kept += 1);
    }

    /// Counts an amount of a unit that records have many of, such as bytes: how much was read, and how much of
    /// it was dropped for a reason. The rest is kept.
    pub fn count_amount(&mut self, unit: &str, read: u64, reason: &str, dropped: u64) {
        let dropped = dropped.min(read);
        self.report.count(unit, |counts| {
            counts.read += read;
            counts.kept += read - dropped;
            if dropped > 0 {
                count(&mut counts.dropped, reason, dropped);
            }
        });
    }

    /// Counts a record that a rule removed, and writes it down.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn drop(&mut self, unit: &str, removal: Removal<'_>) -> Result<()> {
        self.report.count(unit, |counts| count(&mut counts.dropped, removal.reason, 1));
        self.remove(DROPPED, unit, removal)
    }

    /// Counts a record that could not be judged, and writes it down.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn fail(&mut self, unit: &str, removal: Removal<'_>) -> Result<()> {
        self.report.count(unit, |counts| count(&mut counts.failed, removal.reason, 1));
        self.remove(FAILED, unit, removal)
    }

    fn remove(&mut self, stream: Stream<Removed>, unit: &str, removal: Removal<'_>) -> Result<()> {
        let row = Removed {
            id: removal.id,
            key: removal.key.map(str::to_owned),
            url: removal.url.map(str::to_owned),
            unit: unit.to_owned(),
            reason: removal.reason.to_owned(),
            value: removal.value,
            preview: removal.preview.chars().take(PREVIEW_CHARS_MAX).collect(),
        };
        self.write(stream, row)
    }

    /// Writes a row into a stream of this task.
    ///
    /// # Errors
    /// When the disk refuses, or the stage did not declare the stream.
    pub fn write<R: Record>(&mut self, stream: Stream<R>, row: R) -> Result<()> {
        self.range_bytes += row.payload_bytes() as u64;
        let name = stream.name();
        if !self.streams.contains_key(name) {
            self.check_declared(stream.into())?;
            let path = self.task.scratch.join(format!("{}-{name}.parquet", self.range));
            let writer: Writer<R> = Writer::create(&path)?;
            self.streams.insert(name, Box::new(Open { path, writer }));
        }
        let open = self.streams.get_mut(name).map(|open| open.as_any());
        match open.and_then(|open| open.downcast_mut::<Open<R>>()) {
            Some(open) => open.writer.push(row),
            None => self.check_declared(stream.into()),
        }
    }

    /// Adds a file that is not a table, such as a tokenizer model.
    ///
    /// # Errors
    /// When the store refuses, or the stage did not declare the stream.
    pub fn write_file(&mut self, stream: FileStream, bytes: bytes::Bytes) -> Result<()> {
        let part = self.file_part(stream, (Digest::of(&bytes), bytes.len() as u64))?;
        self.task.store.put_if_absent(&part.path, bytes)?;
        self.files.push(part);
        Ok(())
    }

    /// As [`Self::write_file`], the bytes of a file of this machine, such as a model's weights: no more than a piece
    /// of them is in memory.
    ///
    /// # Errors
    /// As [`Self::write_file`], and when the file cannot be read.
    pub fn copy_file(&mut self, stream: FileStream, file: &Path) -> Result<()> {
        let part = self.file_part(stream, Digest::of_file(file)?)?;
        self.task.store.put_file_if_absent(&part.path, file, &part.digest)?;
        self.files.push(part);
        Ok(())
    }

    fn file_part(&self, stream: FileStream, (digest, bytes): (Digest, u64)) -> Result<Part> {
        self.check_declared(stream.into())?;
        let path = self.part_path(stream.name, &digest, stream.extension);
        let (stream, table) = (stream.name.to_owned(), stream.media_type.to_owned());
        Ok(Part { stream, path, table, rows: 0, bytes, digest })
    }

    /// What is not declared would be missing in the manifest.
    fn check_declared(&self, stream: Declared) -> Result<()> {
        if self.task.streams.contains(&stream) {
            return Ok(());
        }
        let Declared { stream, table } = stream;
        let detail = format!("it writes the stream {stream} of {table}, which it does not declare");
        Err(Error::Settings { stage: self.task.stage.to_owned(), detail })
    }

    /// Records in the ledger what a source's file was like; no part and no fingerprint depends on it.
    pub fn note_file(&mut self, state: FileState) {
        self.file_states.push(state);
    }

    /// Moves past input records; commits a range when it is full.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when a stop was asked for; [`Error::Outrun`] when another attempt at this task
    /// committed the range first, by which the engine begins again behind it; otherwise as a commit.
    pub fn advance(&mut self, records: u64) -> Result<()> {
        self.position += records;
        self.task.progress.advance(records);
        self.task.cancel.check()?;
        if self.position - self.range_start >= self.range_records_max || self.range_bytes >= RANGE_BYTES_MAX {
            self.commit(false)?;
        }
        Ok(())
    }

    /// Commits the last range: the task is complete.
    ///
    /// # Errors
    /// When the counts do not add up or the store fails; [`Error::Outrun`] as [`Self::advance`].
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.done {
            return Ok(());
        }
        self.commit(true)
    }

    fn commit(&mut self, last: bool) -> Result<()> {
        if self.task.is_trial {
            return Err(Error::Tried);
        }
        self.condition.as_ref().map_or(Ok(()), |condition| condition())?;
        failpoint::reach(Point::BeforeParts);
        let mut parts = std::mem::take(&mut self.files);
        for (stream, open) in std::mem::take(&mut self.streams) {
            let closed = open.close()?;
            count(&mut self.report.made, stream, closed.rows);
            let (digest, bytes) = Digest::of_file(&closed.path)?;
            let path = self.part_path(stream, &digest, "parquet");
            self.task.store.put_file_if_absent(&path, &closed.path, &digest)?;
            std::fs::remove_file(&closed.path).map_err(Error::io("remove", &closed.path))?;
            let (stream, table, rows) = (stream.to_owned(), closed.table.to_owned(), closed.rows);
            parts.push(Part { stream, path, table, rows, bytes, digest });
        }
        failpoint::reach(Point::BeforeEntry);
        let entry = Entry {
            format: FORMAT,
            stage: self.task.stage.to_owned(),
            fingerprint: self.task.fingerprint.clone(),
            task: self.task.index,
            range: self.range,
            last,
            start: self.range_start,
            position: self.position,
            identity: self.task.identity.clone(),
            parts,
            report: std::mem::take(&mut self.report),
            context: self.context(),
        };
        if !self.task.ledger.commit(&entry)? {
            return Err(Error::Outrun { task: self.task.index, range: self.range });
        }
        self.range += 1;
        self.range_start = self.position;
        self.range_bytes = 0;
        self.done = last;
        self.started = (SystemTime::now(), Instant::now());
        self.progressed();
        if self.attempt.take().is_some() && !last {
            self.attempt = Some(Attempt::begin(&self.task.keep, self.range)?);
        }
        Ok(())
    }

    fn part_path(&self, stream: &str, digest: &Digest, extension: &str) -> String {
        let Task { stage, fingerprint, index, .. } = self.task;
        let (range, digest) = (self.range, digest.short());
        format!("data/{stage}/{fingerprint}/{stream}/{index:05}-{range}-{digest}.{extension}")
    }

    fn context(&mut self) -> RunContext {
        let (began, clock) = self.started;
        RunContext {
            started_unix_secs: began.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            elapsed_secs: clock.elapsed().as_secs_f64(),
            host: host_name(),
            process: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files: std::mem::take(&mut self.file_states),
        }
    }
}

struct Open<R: Record> {
    path: PathBuf,
    writer: Writer<R>,
}

struct Closed {
    path: PathBuf,
    table: &'static str,
    rows: u64,
}

/// A stream whose record type is known only to those who write into it.
trait OpenStream {
    fn as_any(&mut self) -> &mut dyn Any;
    fn close(self: Box<Self>) -> Result<Closed>;
}

impl<R: Record> OpenStream for Open<R> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn close(self: Box<Self>) -> Result<Closed> {
        Ok(Closed { path: self.path, table: R::TABLE, rows: self.writer.finish()? })
    }
}
