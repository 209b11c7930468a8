//! The ledger: what exists. A part exists once an entry names it; a stage is finished once
//! its manifest is there.
//!
//! ```text
//! ledger/<stage>/<fingerprint>/plan.json             the stage was begun: its number of tasks
//! ledger/<stage>/<fingerprint>/00000012-000003.json  task 12 committed its range 3
//! ledger/<stage>/<fingerprint>/00000012-end.json     task 12 is complete
//! ledger/<stage>/<fingerprint>/sealed-<stream>-000000.json  parts of a stream
//! ledger/<stage>/<fingerprint>/sealed.json           all tasks are in: the manifest, which names those lists
//! ledger/<stage>/<fingerprint>/superseded.json       the stage is run again, under its next generation
//! ```
//!
//! Every object is put with create-if-absent, so of several attempts at one range exactly one
//! counts, on a folder and on a bucket alike. Names alone tell the progress: no entry has to
//! be read for that.

mod chain;
mod entry;
mod manifest;
mod names;
mod roll;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use chain::fault;
pub use entry::{Entry, FileState, Part, Plan, RunContext, TaskEnd};
pub use manifest::{Manifest, Shard, ShardSummary, StreamSummary};
pub(crate) use names::{Name, plan_path, range_path};
pub use names::{folder, sealed_path};
pub(crate) use roll::{Rollup, Shards, roll_up};

use crate::digest::Digest;
use crate::failpoint::{self, Point};
use crate::format::{FORMAT, MIGRATED_SINCE, Versioned, refusal};
use crate::stream::Declared;
use crate::{Error, Fingerprint, Result, Store};

/// Entries that are read to find out how fast a stage was.
const PACE_ENTRIES_MAX: usize = 64;

/// How far a task is, as the names of its entries tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskProgress {
    /// Committed ranges.
    pub ranges: u32,
    /// Whether the last one is in.
    pub done: bool,
}

/// The ledger of one run's folder.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
}

impl Ledger {
    /// Opens the ledger of a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Commits a range; returns true if and only if this attempt is the one that counts.
    ///
    /// # Errors
    /// When the counts do not add up (then nothing is written), or the store fails.
    pub fn commit(&self, entry: &Entry) -> Result<bool> {
        if let Some(detail) = entry.report.violation() {
            return Err(Error::Conservation { stage: entry.stage.clone(), task: entry.task, detail });
        }
        let path = names::range_path(&entry.stage, &entry.fingerprint, entry.task, entry.range);
        let is_first = self.store.put_if_absent(&path, encode(entry, &path)?)?;
        failpoint::reach(Point::AfterEntry);
        if is_first && entry.last {
            self.end(entry)?;
        }
        Ok(is_first)
    }

    /// Puts an entry in the place of a damaged or missing one; only repairs do this.
    pub(crate) fn replace(&self, entry: &Entry) -> Result<()> {
        let Entry { stage, fingerprint, task, .. } = entry;
        let range = names::range_path(stage, fingerprint, *task, entry.range);
        for path in [range, names::end_path(stage, fingerprint, *task)] {
            self.clear(&path)?;
        }
        self.commit(entry).map(drop)
    }

    /// Marks a task as complete whose last range is committed; harmless if it is marked already.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end(&self, last: &Entry) -> Result<()> {
        let path = names::end_path(&last.stage, &last.fingerprint, last.task);
        self.store.put_if_absent(&path, encode(&end_of(last), &path)?).map(drop)
    }

    /// Returns the progress of every task that has committed something.
    ///
    /// # Errors
    /// When the store fails.
    pub fn progress(&self, stage: &str, fingerprint: &Fingerprint) -> Result<BTreeMap<u32, TaskProgress>> {
        // There may be millions, in no order: eight bytes of each are held, and sorted.
        let mut names: Vec<(u32, bool)> = Vec::new();
        self.store.each_name(&folder(stage, fingerprint), |path| match Name::parse(path) {
            Some(Name::Range { task, .. }) => names.push((task, false)),
            Some(Name::End { task }) => names.push((task, true)),
            Some(Name::Stage | Name::Seal) | None => {}
        })?;
        names.sort_unstable();
        let of_task = names.chunk_by(|one, other| one.0 == other.0).map(|names| {
            let done = names.iter().any(|(_, is_end)| *is_end);
            let ranges = names.iter().filter(|(_, is_end)| !is_end).count() as u32;
            (names[0].0, TaskProgress { ranges, done })
        });
        Ok(of_task.collect())
    }

    /// Reads the entries of one task, by range.
    ///
    /// # Errors
    /// When the store fails, an entry is damaged, or one between others is missing.
    pub fn entries(&self, stage: &str, fingerprint: &Fingerprint, task: u32) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        while !entries.last().is_some_and(|entry| entry.last) {
            match self.entry(stage, fingerprint, task, entries.len() as u32)? {
                Some(entry) => entries.push(entry),
                None => break,
            }
        }
        Ok(entries)
    }

    /// Reads the entry of one range.
    pub(crate) fn entry(
        &self,
        stage: &str,
        fingerprint: &Fingerprint,
        task: u32,
        range: u32,
    ) -> Result<Option<Entry>> {
        self.read(&names::range_path(stage, fingerprint, task, range))
    }

    /// Reads the mark of a complete task.
    ///
    /// # Errors
    /// When the store fails or the mark is damaged.
    pub fn task_end(&self, stage: &str, fingerprint: &Fingerprint, task: u32) -> Result<Option<TaskEnd>> {
        self.read(&names::end_path(stage, fingerprint, task))
    }

    /// Returns how many input records a second one task went through, in the mean over at most 64 entries of tasks
    /// spread over these; `None` where there are none. A damaged entry tells nothing here: that is what verifying is
    /// for.
    pub fn pace(&self, stage: &str, fingerprint: &Fingerprint, tasks: &[u32]) -> Option<f64> {
        let sampled = tasks.iter().step_by(tasks.len().div_ceil(PACE_ENTRIES_MAX).max(1));
        let ranges = (PACE_ENTRIES_MAX / sampled.len().max(1)) as u32;
        let (mut records, mut secs) = (0, 0.0);
        for task in sampled {
            for range in 0..ranges {
                let Ok(Some(entry)) = self.entry(stage, fingerprint, *task, range) else { break };
                let read = entry.report.units.values().map(|counts| counts.read).max();
                records += read.unwrap_or_default();
                secs += entry.context.elapsed_secs;
            }
        }
        (secs > 0.0).then(|| records as f64 / secs)
    }

    /// Records that a stage is begun, with how many tasks and which streams; a damaged record is replaced.
    ///
    /// # Errors
    /// When the store fails.
    pub fn begin(
        &self,
        stage: &str,
        fingerprint: &Fingerprint,
        task_count: u32,
        streams: Vec<Declared>,
    ) -> Result<()> {
        let path = names::plan_path(stage, fingerprint);
        let plan = Plan { format: FORMAT, task_count, streams };
        let is_new = self.store.put_if_absent(&path, encode(&plan, &path)?)?;
        if !is_new && matches!(self.plan(stage, fingerprint), Err(Error::Ledger { .. })) {
            self.clear(&path)?;
            self.store.put_if_absent(&path, encode(&plan, &path)?)?;
        }
        Ok(())
    }

    /// Records again that a stage was begun; only repairs and migrations do this.
    pub(crate) fn replan(&self, stage: &str, fingerprint: &Fingerprint, plan: Plan) -> Result<()> {
        self.clear(&names::plan_path(stage, fingerprint))?;
        self.begin(stage, fingerprint, plan.task_count, plan.streams)
    }

    /// Reads what [`Self::begin`] recorded.
    ///
    /// # Errors
    /// When the store fails or the record is damaged.
    pub fn plan(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Option<Plan>> {
        self.read(&names::plan_path(stage, fingerprint))
    }

    /// Rolls up the entries of a complete stage into its manifest and puts it.
    ///
    /// # Errors
    /// When the stage was not begun, a task is not complete, its ranges do not chain from its beginning to its end, or
    /// the store fails.
    pub fn seal(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Manifest> {
        let plan = self.plan(stage, fingerprint)?;
        let plan = plan.ok_or_else(|| damaged(&plan_path(stage, fingerprint), "it is missing"))?;
        let manifest = roll_up(self, (stage, fingerprint), &plan, &mut |path, shard| {
            self.store.put_if_absent(path, shard).map(drop)
        })?;
        let path = sealed_path(stage, fingerprint);
        self.store.put_if_absent(&path, encode(&manifest, &path)?)?;
        Ok(manifest)
    }

    /// Reads a shard of a manifest.
    ///
    /// # Errors
    /// When the store fails, or the shard is missing or is not what the manifest says.
    pub fn shard(&self, summary: &ShardSummary) -> Result<Shard> {
        let bytes = self.store.get(&summary.path)?.ok_or_else(|| damaged(&summary.path, "it is missing"))?;
        if Digest::of(&bytes) != summary.digest {
            return Err(damaged(&summary.path, "its digest is not what the manifest says"));
        }
        decode(&bytes, &summary.path)
    }

    /// Reads the manifest of a stage, or `None` while it is not sealed.
    ///
    /// # Errors
    /// When the store fails or the manifest is damaged.
    pub fn manifest(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Option<Manifest>> {
        self.read(&sealed_path(stage, fingerprint))
    }

    /// Rolls up the entries of a stage, as its manifest does; `None` if not all of its tasks are in. Its shards
    /// are handed over; nothing is written.
    ///
    /// # Errors
    /// When its entries do not chain, or the store fails.
    pub(crate) fn rolled(
        &self,
        stage: &str,
        fingerprint: &Fingerprint,
        shards: &mut Shards<'_>,
    ) -> Result<Option<Manifest>> {
        let Some(plan) = self.plan(stage, fingerprint)? else {
            return Ok(None);
        };
        let progress = self.progress(stage, fingerprint)?;
        let is_in = |task: u32| progress.get(&task).is_some_and(|task| task.done);
        if progress.len() != plan.task_count as usize || !(0..plan.task_count).all(is_in) {
            return Ok(None);
        }
        roll_up(self, (stage, fingerprint), &plan, shards).map(Some)
    }

    /// Seals a stage again in the place of a manifest that is damaged or missing; only repairs do this.
    pub(crate) fn reseal(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Manifest> {
        for path in self.store.names(&folder(stage, fingerprint))? {
            if Name::parse(&path) == Some(Name::Seal) {
                self.store.delete(&path)?;
            }
        }
        self.seal(stage, fingerprint)
    }

    /// Takes an object away, if it is there.
    fn clear(&self, path: &str) -> Result<()> {
        match self.store.get(path) {
            Ok(None) => Ok(()),
            _ => self.store.delete(path),
        }
    }

    /// Returns whether a stage committed anything, with whatever settings.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_results(&self, stage: &str) -> Result<bool> {
        for fingerprint in self.fingerprints(stage)? {
            if !self.progress(stage, &fingerprint)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns all fingerprints that a stage was begun with, generations included.
    ///
    /// # Errors
    /// When the store fails.
    pub fn fingerprints(&self, stage: &str) -> Result<Vec<Fingerprint>> {
        self.store
            .folders(&format!("ledger/{stage}"))
            .map(|names| names.iter().filter_map(|n| Fingerprint::parse(n)).collect())
    }

    /// Returns the generation of a fingerprint that counts: the first one that is not superseded.
    ///
    /// # Errors
    /// When the store fails.
    pub fn current(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Fingerprint> {
        let mut current = fingerprint.clone();
        while self.is_superseded(stage, &current)? {
            current = current.next_generation();
        }
        Ok(current)
    }

    /// Returns true if and only if a stage is run again, so that this fingerprint's results do not count.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_superseded(&self, stage: &str, fingerprint: &Fingerprint) -> Result<bool> {
        Ok(self.store.get(&names::superseded_path(stage, fingerprint))?.is_some())
    }

    /// Gives up the results of a fingerprint: the stage is run again under the next generation. The old
    /// ones stay until they are collected as garbage.
    ///
    /// # Errors
    /// When the store fails.
    pub fn supersede(&self, stage: &str, fingerprint: &Fingerprint) -> Result<()> {
        let path = names::superseded_path(stage, fingerprint);
        self.store.put_if_absent(&path, bytes::Bytes::from_static(b"{}")).map(drop)
    }

    fn read<T: Versioned>(&self, path: &str) -> Result<Option<T>> {
        match self.store.get(path)? {
            Some(bytes) => decode(&bytes, path).map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the mark of a task's end, by its last entry.
pub(crate) fn end_of(last: &Entry) -> TaskEnd {
    TaskEnd { format: FORMAT, ranges: last.range + 1, position: last.position }
}

/// Splits off what is wrong with a file of the ledger.
///
/// # Errors
/// Every other error.
pub(crate) fn or_damage<T>(read: Result<Option<T>>) -> Result<(Option<T>, Option<String>)> {
    match read {
        Ok(value) => Ok((value, None)),
        Err(Error::Ledger { path, detail }) => Ok((None, Some(format!("{path}: {detail}")))),
        Err(error) => Err(error),
    }
}

pub(crate) fn encode<T: Serialize>(value: &T, path: &str) -> Result<bytes::Bytes> {
    serde_json::to_vec_pretty(value).map(Into::into).map_err(|error| damaged(path, error))
}

fn decode<T: Versioned>(bytes: &[u8], path: &str) -> Result<T> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| damaged(path, error))?;
    match refusal(head.format, T::SINCE) {
        Some(detail) => Err(damaged(path, detail)),
        None => serde_json::from_slice(bytes).map_err(|error| damaged(path, error)),
    }
}

impl Versioned for Entry {
    const SINCE: u32 = MIGRATED_SINCE;
}

impl Versioned for TaskEnd {
    const SINCE: u32 = MIGRATED_SINCE;
}

impl Versioned for Plan {
    const SINCE: u32 = FORMAT;
}

impl Versioned for Manifest {
    const SINCE: u32 = FORMAT;
}

impl Versioned for Shard {
    const SINCE: u32 = FORMAT;
}

fn damaged(path: &str, detail: impl std::fmt::Display) -> Error {
    Error::Ledger { path: path.to_owned(), detail: detail.to_string() }
}
