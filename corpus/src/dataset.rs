//! A sealed stage, read part by part.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ledger::{ShardSummary, StreamSummary};
use crate::table::{Reader, Record, id_range};
use crate::verify::{Fault, verify_bytes};
use crate::{Error, FileStream, Id, Ledger, Manifest, Part, Result, Store, Stream};

/// The immutable output of one stage.
#[derive(Debug, Clone)]
pub struct Dataset {
    store: Store,
    manifest: Arc<Manifest>,
    /// Parts that were compared with their digest.
    checked: Arc<Mutex<BTreeSet<String>>>,
    /// The list of parts that was read last: tasks that follow each other often need the same one.
    last: Arc<Mutex<Option<Listed>>>,
}

/// A list of parts that was read.
#[derive(Debug, Clone)]
struct Listed {
    path: String,
    parts: Arc<[Part]>,
}

impl Dataset {
    /// Opens the dataset that a manifest describes.
    pub fn new(store: Store, manifest: Manifest) -> Self {
        Self { store, manifest: Arc::new(manifest), checked: Arc::default(), last: Arc::default() }
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns whether the stage has this stream, with or without rows.
    pub fn has<R: Record>(&self, stream: Stream<R>) -> bool {
        self.find(stream.name(), R::TABLE).is_ok()
    }

    /// Returns what the manifest says of a stream.
    ///
    /// # Errors
    /// When the stage has no such stream.
    pub fn summary<R: Record>(&self, stream: Stream<R>) -> Result<&StreamSummary> {
        self.find(stream.name(), R::TABLE)
    }

    fn find(&self, stream: &str, table: &str) -> Result<&StreamSummary> {
        let summary = self.manifest.stream(stream).filter(|summary| summary.table == table);
        summary.ok_or_else(|| self.unknown(stream, table))
    }

    fn unknown(&self, stream: &str, table: &str) -> Error {
        let Manifest { stage, streams, .. } = self.manifest();
        let there = streams.iter().map(|there| format!("{} of {}", there.stream, there.table));
        Error::UnknownStream {
            stage: stage.clone(),
            stream: format!("{stream} of {table}"),
            there: there.collect::<Vec<_>>().join(", "),
        }
    }

    /// Returns the number of parts of a stream: that of the tasks of a stage which runs one for each.
    ///
    /// # Errors
    /// As [`Self::summary`], and when there are more than tasks can be.
    pub fn part_count<R: Record>(&self, stream: Stream<R>) -> Result<u32> {
        let count = self.summary(stream)?.part_count;
        u32::try_from(count).map_err(|error| Error::work(&self.manifest.stage, error))
    }

    /// Returns the parts of a stream in input order. A list of parts that cannot be read is an error in its place.
    pub fn parts<R: Record>(&self, stream: Stream<R>) -> impl Iterator<Item = Result<Part>> + use<'_, R> {
        self.parts_in(self.summary(stream))
    }

    /// As [`Self::parts`], of a stream by what the manifest says of it, or why it says nothing.
    pub fn parts_in<'d>(
        &'d self,
        summary: Result<&'d StreamSummary>,
    ) -> impl Iterator<Item = Result<Part>> + use<'d> {
        let (shards, unknown) = match summary {
            Ok(summary) => (summary.shards.as_slice(), None),
            Err(error) => (&[][..], Some(Err(error))),
        };
        unknown.into_iter().chain(shards.iter().flat_map(|shard| self.listed_or_error(shard)))
    }

    /// Returns the part of a stream at an index, `None` behind the last one. One list is read.
    ///
    /// # Errors
    /// As [`Self::summary`], and when the list cannot be read.
    pub fn part<R: Record>(&self, stream: Stream<R>, index: u32) -> Result<Option<Part>> {
        self.part_in(self.summary(stream)?, u64::from(index))
    }

    /// As [`Self::part`], of a stream by what the manifest says of it.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn part_in(&self, summary: &StreamSummary, index: u64) -> Result<Option<Part>> {
        let mut left = index;
        for shard in &summary.shards {
            match left.checked_sub(shard.part_count) {
                Some(behind) => left = behind,
                None => return Ok(self.listed(shard)?.get(left as usize).cloned()),
            }
        }
        Ok(None)
    }

    /// Returns the parts of a stream that one task wrote.
    ///
    /// # Errors
    /// As [`Self::part`].
    pub fn parts_of_task<R: Record>(&self, stream: Stream<R>, task: u32) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for shard in &self.summary(stream)?.shards {
            if (shard.first_task..=shard.last_task).contains(&task) {
                let listed = self.listed(shard)?;
                parts.extend(listed.iter().filter(|part| part.task() == Some(task)).cloned());
            }
        }
        Ok(parts)
    }

    /// Returns the parts of the streams that the function chooses, by stream.
    pub fn parts_of<'d>(
        &'d self,
        chosen: impl Fn(&StreamSummary) -> bool + 'd,
    ) -> impl Iterator<Item = Result<Part>> + 'd {
        let streams = self.manifest.streams.iter().filter(move |summary| chosen(summary));
        streams.flat_map(|summary| &summary.shards).flat_map(|shard| self.listed_or_error(shard))
    }

    fn listed_or_error(&self, shard: &ShardSummary) -> Vec<Result<Part>> {
        match self.listed(shard) {
            Ok(parts) => parts.iter().cloned().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    }

    fn listed(&self, shard: &ShardSummary) -> Result<Arc<[Part]>> {
        let known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listed) = known.filter(|listed| listed.path == shard.path) {
            return Ok(listed.parts);
        }
        let parts: Arc<[Part]> = Ledger::new(self.store.clone()).shard(shard)?.parts.into();
        let listed = Listed { path: shard.path.clone(), parts: Arc::clone(&parts) };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed);
        Ok(parts)
    }

    /// Opens a part of this dataset, to be read as a whole: its digest is compared before, once in a process.
    ///
    /// # Errors
    /// When the part is missing, is not what the ledger says, or is not a table of this type.
    pub fn open<R: Record>(&self, part: &Part) -> Result<Reader<R>> {
        self.check(part)?;
        Reader::open(&part.path, self.store.open(&part.path)?)
    }

    /// Returns a file of this machine with the bytes of a part: the part itself, or a copy of it in `folder`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn local_file(&self, part: &Part, folder: &Path) -> Result<PathBuf> {
        self.store.local_file(&part.path, folder)
    }

    /// Opens a part at a row, as a resumed task does.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at<R: Record>(&self, part: &Part, row: u64) -> Result<Reader<R>> {
        self.check(part)?;
        Reader::open_at(&part.path, self.store.open(&part.path)?, row)
    }

    /// As [`Self::open_at`], so many rows and no more: what lies behind them is not decoded.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_rows<R: Record>(&self, part: &Part, row: u64, count: u64) -> Result<Reader<R>> {
        self.check(part)?;
        Reader::open_rows(&part.path, self.store.open(&part.path)?, row, count)
    }

    /// Opens a part for the few columns of a record. Its digest is not compared: that would read all of it.
    ///
    /// # Errors
    /// When the part is missing, or is not a table of this type.
    pub fn open_columns<R: Record>(&self, part: &Part) -> Result<Reader<R>> {
        Reader::open(&part.path, self.store.open(&part.path)?)
    }

    fn check(&self, part: &Part) -> Result<()> {
        if self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&part.path) {
            return Ok(());
        }
        if let Some(detail) = Fault::found(verify_bytes(&self.store, part))? {
            return Err(Error::Part { path: part.path.clone(), detail });
        }
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(part.path.clone());
        Ok(())
    }

    /// Reads a whole stream, part after part.
    pub fn rows<R: Record>(&self, stream: Stream<R>) -> impl Iterator<Item = Result<R>> + use<'_, R> {
        self.parts(stream).flat_map(|part| match part.and_then(|part| self.open::<R>(&part)) {
            Ok(reader) => Box::new(reader) as Box<dyn Iterator<Item = Result<R>>>,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })
    }

    /// Reads the rows of a stream whose row groups may hold ids of the range in the named
    /// column; the caller still has to look at each row.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn rows_near<R: Record>(
        &self,
        stream: Stream<R>,
        column: &str,
        ids: &RangeInclusive<Id>,
    ) -> Result<Vec<Reader<R>>> {
        self.parts(stream).map(|part| self.open_near(&part?, column, ids)).collect()
    }

    /// As [`Self::rows_near`], of one part.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_near<R: Record>(
        &self,
        part: &Part,
        column: &str,
        ids: &RangeInclusive<Id>,
    ) -> Result<Reader<R>> {
        Reader::open_ids(&part.path, self.store.open(&part.path)?, column, ids)
    }

    /// Returns a range that holds the ids of a part's column.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn id_range(&self, part: &Part, column: &str) -> Result<RangeInclusive<Id>> {
        id_range(&part.path, self.store.open(&part.path)?, column)
    }

    /// Returns the part of a stream that is one file; `None` where the stage wrote none.
    ///
    /// # Errors
    /// When the stage has no such stream, or the list of its parts cannot be read.
    pub fn file_part(&self, stream: FileStream) -> Result<Option<Part>> {
        let summary = self.find(stream.name, stream.media_type)?;
        let Some(shard) = summary.shards.first() else { return Ok(None) };
        Ok(self.listed(shard)?.first().cloned())
    }

    /// Reads a small file that is not a table, such as a tokenizer model.
    ///
    /// # Errors
    /// As [`Self::file_part`], and when it is missing or too large.
    pub fn file(&self, stream: FileStream) -> Result<Option<bytes::Bytes>> {
        match self.file_part(stream)? {
            Some(part) => self.store.get(&part.path),
            None => Ok(None),
        }
    }
}
