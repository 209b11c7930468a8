//! Rolling up: the entries of a complete stage become its manifest, in memory that does not grow with the stage.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::manifest::{Manifest, SHARD_PARTS, Shard, ShardSummary, StreamSummary};
use super::{Entry, Ledger, Part, Plan, encode, fault, folder, names};
use crate::digest::Digest;
use crate::fingerprint::ContentHasher;
use crate::format::FORMAT;
use crate::{Error, Fingerprint, Report, Result};

/// Tasks whose entries are held at a time: a task may have hundreds of ranges.
const WINDOW_TASKS: u32 = 128;
/// Threads that read entries: they wait for the store, more than they work.
const READERS: u32 = 16;

/// Takes the shards of a manifest one by one: path and content.
pub(crate) type Shards<'a> = dyn FnMut(&str, Bytes) -> Result<()> + 'a;

/// Rolls up the entries of a stage; each shard is handed over as soon as it is full.
///
/// # Errors
/// When a task is not complete, its ranges do not chain from its beginning to its end, a part is of a stream that the
/// plan does not have, or the store fails.
pub(crate) fn roll_up(
    ledger: &Ledger,
    (stage, fingerprint): (&str, &Fingerprint),
    plan: &Plan,
    shards: &mut Shards<'_>,
) -> Result<Manifest> {
    let mut roll = Rollup::begin(folder(stage, fingerprint), plan);
    for first in (0..plan.task_count).step_by(WINDOW_TASKS as usize) {
        let tasks = first..plan.task_count.min(first + WINDOW_TASKS);
        for (task, entries) in tasks.clone().zip(read(ledger, (stage, fingerprint), tasks)) {
            roll.task(task, entries?, shards)?;
        }
    }
    roll.finish(stage, fingerprint, plan.task_count, shards)
}

/// Reads the entries of tasks, several at a time, in order.
fn read(
    ledger: &Ledger,
    (stage, fingerprint): (&str, &Fingerprint),
    tasks: std::ops::Range<u32>,
) -> Vec<Result<Vec<Entry>>> {
    let share = (tasks.end - tasks.start).div_ceil(READERS).max(1);
    std::thread::scope(|scope| {
        let begin = |first: u32| {
            let share = first..tasks.end.min(first + share);
            scope.spawn(move || -> Vec<_> {
                share.map(|task| ledger.entries(stage, fingerprint, task)).collect()
            })
        };
        let readers: Vec<_> = tasks.clone().step_by(share as usize).map(begin).collect();
        let joined = readers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.flat_map(|read| read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// What was rolled up so far.
pub(crate) struct Rollup {
    folder: String,
    report: Report,
    content: ContentHasher,
    range_count: u64,
    streams: BTreeMap<String, Open>,
}

/// A stream with the parts that are not in a shard yet.
struct Open {
    summary: StreamSummary,
    parts: Vec<Part>,
}

impl Rollup {
    /// Begins in a stage's folder.
    pub(crate) fn begin(folder: String, plan: &Plan) -> Self {
        let open = |declared: &crate::stream::Declared| {
            let (stream, table) = (declared.stream.clone(), declared.table.clone());
            let summary =
                StreamSummary { stream, table, part_count: 0, rows: 0, bytes: 0, shards: Vec::new() };
            (declared.stream.clone(), Open { summary, parts: Vec::new() })
        };
        let streams = plan.streams.iter().map(open).collect();
        Self { folder, report: Report::default(), content: ContentHasher::default(), range_count: 0, streams }
    }

    /// Adds the entries of the next task.
    ///
    /// # Errors
    /// As [`roll_up`].
    pub(crate) fn task(&mut self, task: u32, entries: Vec<Entry>, shards: &mut Shards<'_>) -> Result<()> {
        if let Some(detail) = fault(&entries) {
            return Err(self.damaged(format!("task {task} is not complete: {detail}")));
        }
        self.range_count += entries.len() as u64;
        for entry in entries {
            self.report += &entry.report;
            entry.parts.into_iter().try_for_each(|part| self.part(part, shards))?;
        }
        Ok(())
    }

    fn part(&mut self, part: Part, shards: &mut Shards<'_>) -> Result<()> {
        self.content.update(&part);
        let Some(open) = self.streams.get_mut(&part.stream).filter(|open| open.summary.table == part.table)
        else {
            let Part { path, stream, table, .. } = part;
            return Err(
                self.damaged(format!("{path} is of stream {stream} of {table}, which was not planned"))
            );
        };
        open.summary.part_count += 1;
        open.summary.rows += part.rows;
        open.summary.bytes += part.bytes;
        open.parts.push(part);
        if open.parts.len() == SHARD_PARTS { open.close(&self.folder, shards) } else { Ok(()) }
    }

    /// Returns the manifest of all tasks.
    ///
    /// # Errors
    /// Those of `shards`.
    pub(crate) fn finish(
        mut self,
        stage: &str,
        fingerprint: &Fingerprint,
        task_count: u32,
        shards: &mut Shards<'_>,
    ) -> Result<Manifest> {
        self.streams.values_mut().try_for_each(|open| open.close(&self.folder, shards))?;
        Ok(Manifest {
            format: FORMAT,
            stage: stage.to_owned(),
            fingerprint: fingerprint.clone(),
            content: self.content.finish(),
            task_count,
            range_count: self.range_count,
            report: self.report,
            streams: self.streams.into_values().map(|open| open.summary).collect(),
        })
    }

    fn damaged(&self, detail: String) -> Error {
        Error::Ledger { path: self.folder.clone(), detail }
    }
}

impl Open {
    /// Hands over the parts that are in no shard yet as the next one.
    fn close(&mut self, folder: &str, shards: &mut Shards<'_>) -> Result<()> {
        let tasks = |part: Option<&Part>| part.and_then(Part::task);
        let (Some(first_task), Some(last_task)) = (tasks(self.parts.first()), tasks(self.parts.last()))
        else {
            return Ok(());
        };
        let path = names::shard_path(folder, &self.summary.stream, self.summary.shards.len());
        let part_count = self.parts.len() as u64;
        let shard = Shard { format: FORMAT, parts: std::mem::take(&mut self.parts) };
        let bytes = encode(&shard, &path)?;
        let digest = Digest::of(&bytes);
        shards(&path, bytes)?;
        self.summary.shards.push(ShardSummary { path, digest, part_count, first_task, last_task });
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::record::{DOCUMENTS, DROPPED};
    use crate::{Dataset, Store};

    const RANGES: u32 = 2;

    fn entry(stage: &str, fingerprint: &Fingerprint, task: u32, range: u32) -> Entry {
        let digest = Digest::of(format!("{task} {range}").as_bytes());
        let path =
            format!("data/{stage}/{fingerprint}/documents/{task:05}-{range}-{}.parquet", digest.short());
        let (stream, table) = ("documents".to_owned(), "document/2".to_owned());
        Entry {
            format: FORMAT,
            stage: stage.to_owned(),
            fingerprint: fingerprint.clone(),
            task,
            range,
            last: range + 1 == RANGES,
            start: range.into(),
            position: u64::from(range) + 1,
            identity: None,
            parts: vec![Part { stream, path, table, rows: 3, bytes: 10, digest }],
            report: Report::default(),
            context: Default::default(),
        }
    }

    #[test]
    fn parts_are_listed_in_shards_of_which_a_task_reads_one() {
        const TASKS: u32 = 2_500;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        let fingerprint = Fingerprint::parse("0123456789abcdef").unwrap();
        let plan =
            Plan { format: FORMAT, task_count: TASKS, streams: vec![DOCUMENTS.into(), DROPPED.into()] };
        let mut roll = Rollup::begin(super::folder("many", &fingerprint), &plan);
        let mut put = |path: &str, shard| store.put_if_absent(path, shard).map(drop);
        for task in 0..TASKS {
            let entries = (0..RANGES).map(|range| entry("many", &fingerprint, task, range)).collect();
            roll.task(task, entries, &mut put).unwrap();
        }
        let manifest = roll.finish("many", &fingerprint, TASKS, &mut put).unwrap();
        assert_eq!((manifest.range_count, manifest.part_count(), manifest.bytes()), (5_000, 5_000, 50_000));
        let counts: Vec<u64> = manifest.streams[0].shards.iter().map(|shard| shard.part_count).collect();
        assert_eq!(counts, [2_048, 2_048, 904]);
        assert!(serde_json::to_vec(&manifest).unwrap().len() < 2_000, "it does not grow with the parts");

        let dataset = Dataset::new(store.clone(), manifest);
        assert_eq!(dataset.parts(DOCUMENTS).count(), 5_000);
        let place =
            |index| dataset.part(DOCUMENTS, index).unwrap().map(|part| (part.task().unwrap(), part.rows));
        assert_eq!(
            [0, 2_047, 2_048, 4_999, 5_000].map(place),
            [Some((0, 3)), Some((1_023, 3)), Some((1_024, 3)), Some((2_499, 3)), None]
        );
        let of_task = dataset.parts_of_task(DOCUMENTS, 1_024).unwrap();
        assert_eq!(of_task.iter().map(Part::task).collect::<Vec<_>>(), [Some(1_024), Some(1_024)]);
        assert_eq!(dataset.parts(DROPPED).count(), 0);
    }

    #[test]
    fn a_task_with_a_gap_is_not_rolled_up() {
        let fingerprint = Fingerprint::parse("0123456789abcdef").unwrap();
        let plan = Plan { format: FORMAT, task_count: 1, streams: vec![DOCUMENTS.into()] };
        let mut roll = Rollup::begin(super::folder("many", &fingerprint), &plan);
        let entries = vec![entry("many", &fingerprint, 0, 1)];
        let error = roll.task(0, entries, &mut |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("task 0 is not complete"), "{error}");
    }
}
