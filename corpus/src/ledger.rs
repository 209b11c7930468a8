//! The ledger: what exists. A part exists once an entry names it; a stage is finished once
//! its manifest is there.
//!
//! ```text
//! ledger/<stage>/<fingerprint>/00000012-000003.json      task 12 committed its range 3
//! ledger/<stage>/<fingerprint>/00000012-000004-end.json  ... and its last one
//! ledger/<stage>/<fingerprint>/sealed.json               all tasks are in: the manifest
//! ```
//!
//! Every object is put with create-if-absent, so of several attempts at one range exactly one
//! counts, on a folder and on a bucket alike. Names alone tell the progress: no entry has to
//! be read for that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fingerprint::content_digest;
use crate::{Error, Fingerprint, Report, Result, Store};

/// Version of entries and manifests; others are refused.
pub const LEDGER_FORMAT: u32 = 1;

/// Entries that are read to find out how fast a stage was.
const PACE_ENTRIES_MAX: usize = 64;

/// One immutable file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The output it belongs to: `documents`, `dropped`, ...
    pub stream: String,
    /// Path within the store.
    pub path: String,
    /// Record type and version, such as `document/2`; the media type for other files.
    pub table: String,
    /// Rows; 0 for files that are not tables.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub digest: Digest,
}

/// A source's file as it was when it was listed: compared later to notice that it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// The path or URL, as the listing has it.
    pub url: String,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Modification time of a local file, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_unix_nanos: Option<u64>,
    /// Entity tag of a file fetched over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Hash of a local file's content, 32 hexadecimal digits: at equal size it decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What varies from run to run, and therefore stays out of the parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Seconds since 1970 at which the range was begun.
    pub started_unix_secs: u64,
    /// Wall time of the range.
    pub elapsed_secs: f64,
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub process: u32,
    /// Version of the program.
    pub version: String,
    /// The files of a source, in the entries of its listing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileState>,
}

/// One committed range of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`LEDGER_FORMAT`].
    pub format: u32,
    /// The stage's name.
    pub stage: String,
    /// The stage's fingerprint.
    pub fingerprint: Fingerprint,
    /// The task's index.
    pub task: u32,
    /// The range's index within the task.
    pub range: u32,
    /// Whether the task is complete with this range.
    pub last: bool,
    /// Input records consumed by the task up to the end of this range: where a rerun goes on.
    pub position: u64,
    /// The files of this range.
    pub parts: Vec<Part>,
    /// The counts of this range.
    pub report: Report,
    /// When, where and how long.
    pub circumstances: Circumstances,
}

/// A sealed stage: all entries rolled up. Holds nothing that varies from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`LEDGER_FORMAT`].
    pub format: u32,
    /// The stage's name.
    pub stage: String,
    /// The stage's fingerprint.
    pub fingerprint: Fingerprint,
    /// Digest over the parts' digests: what later fingerprints are made of.
    pub content: Digest,
    /// Number of tasks.
    pub task_count: u32,
    /// Number of ranges, by task.
    pub range_counts: Vec<u32>,
    /// All counts.
    pub report: Report,
    /// All files, by task, range and stream.
    pub parts: Vec<Part>,
}

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
        let end = if entry.last { "-end" } else { "" };
        let name = format!("{:08}-{:06}{end}.json", entry.task, entry.range);
        let path = format!("{}/{name}", folder(&entry.stage, &entry.fingerprint));
        self.store.put_if_absent(&path, encode(entry, &path)?)
    }

    /// Returns the progress of every task that has committed something.
    ///
    /// # Errors
    /// When the store fails.
    pub fn progress(&self, stage: &str, fingerprint: &Fingerprint) -> Result<BTreeMap<u32, TaskProgress>> {
        let mut tasks: BTreeMap<u32, TaskProgress> = BTreeMap::new();
        for (path, _) in self.store.list(&folder(stage, fingerprint))? {
            if let Some((task, _, last)) = parse_entry_name(&path) {
                let progress = tasks.entry(task).or_default();
                progress.ranges += 1;
                progress.done |= last;
            }
        }
        Ok(tasks)
    }

    /// Reads the entries of one task, by range.
    ///
    /// # Errors
    /// When the store fails, an entry is damaged, or one between others is missing.
    pub fn entries(&self, stage: &str, fingerprint: &Fingerprint, task: u32) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        loop {
            let stem = format!("{}/{task:08}-{:06}", folder(stage, fingerprint), entries.len());
            let found = match self.store.get(&format!("{stem}.json"))? {
                Some(bytes) => Some((bytes, false)),
                None => self.store.get(&format!("{stem}-end.json"))?.map(|bytes| (bytes, true)),
            };
            let Some((bytes, last)) = found else {
                return Ok(entries);
            };
            entries.push(decode::<Entry>(&bytes, &stem)?);
            if last {
                return Ok(entries);
            }
        }
    }

    /// Returns how many input records a second one task went through, in the mean over at most 64
    /// entries spread over all; `None` where there are none. A damaged entry tells nothing here: that is
    /// what verifying is for.
    ///
    /// # Errors
    /// When the store cannot list.
    pub fn pace(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Option<f64>> {
        let listed = self.store.list(&folder(stage, fingerprint))?;
        let entries: Vec<_> =
            listed.into_iter().filter(|(path, _)| parse_entry_name(path).is_some()).collect();
        let step = entries.len().div_ceil(PACE_ENTRIES_MAX).max(1);
        let (mut records, mut secs) = (0, 0.0);
        for (path, _) in entries.iter().step_by(step) {
            if let Ok(Some(entry)) = self.read::<Entry>(path) {
                let read = entry.report.units.values().map(|counts| counts.read).max();
                records += read.unwrap_or_default();
                secs += entry.circumstances.elapsed_secs;
            }
        }
        Ok((secs > 0.0).then(|| records as f64 / secs))
    }

    /// Rolls up the entries of a complete stage into its manifest and puts it.
    ///
    /// # Errors
    /// When a task is not complete, or the store fails.
    pub fn seal(&self, stage: &str, fingerprint: &Fingerprint, task_count: u32) -> Result<Manifest> {
        let (mut report, mut parts, mut range_counts) = (Report::default(), Vec::new(), Vec::new());
        for task in 0..task_count {
            let entries = self.entries(stage, fingerprint, task)?;
            if !entries.last().is_some_and(|entry| entry.last) {
                return Err(Error::Ledger {
                    path: folder(stage, fingerprint),
                    detail: format!("task {task} is not complete"),
                });
            }
            range_counts.push(entries.len() as u32);
            for entry in entries {
                report += &entry.report;
                parts.extend(entry.parts);
            }
        }
        let manifest = Manifest {
            format: LEDGER_FORMAT,
            stage: stage.to_owned(),
            fingerprint: fingerprint.clone(),
            content: content_digest(parts.iter()),
            task_count,
            range_counts,
            report,
            parts,
        };
        let path = sealed_path(stage, fingerprint);
        self.store.put_if_absent(&path, encode(&manifest, &path)?)?;
        Ok(manifest)
    }

    /// Reads the manifest of a stage, or `None` while it is not sealed.
    ///
    /// # Errors
    /// When the store fails or the manifest is damaged.
    pub fn manifest(&self, stage: &str, fingerprint: &Fingerprint) -> Result<Option<Manifest>> {
        self.read(&sealed_path(stage, fingerprint))
    }

    /// Returns all fingerprints a stage has entries for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn fingerprints(&self, stage: &str) -> Result<Vec<Fingerprint>> {
        self.store
            .folders(&format!("ledger/{stage}"))
            .map(|names| names.iter().filter_map(|n| Fingerprint::parse(n)).collect())
    }

    fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        match self.store.get(path)? {
            Some(bytes) => decode(&bytes, path).map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the folder of a stage's entries.
pub fn folder(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("ledger/{stage}/{fingerprint}")
}

/// Returns the path of a stage's manifest.
pub fn sealed_path(stage: &str, fingerprint: &Fingerprint) -> String {
    format!("{}/sealed.json", folder(stage, fingerprint))
}

/// Returns (task, range, last) of an entry's path.
pub(crate) fn parse_entry_name(path: &str) -> Option<(u32, u32, bool)> {
    let name = path.rsplit('/').next()?.strip_suffix(".json")?;
    let (name, last) = match name.strip_suffix("-end") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (task, range) = name.split_once('-')?;
    Some((task.parse().ok()?, range.parse().ok()?, last))
}

fn encode<T: Serialize>(value: &T, path: &str) -> Result<bytes::Bytes> {
    serde_json::to_vec_pretty(value).map(Into::into).map_err(|error| damaged(path, error))
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8], path: &str) -> Result<T> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let head: Versioned = serde_json::from_slice(bytes).map_err(|error| damaged(path, error))?;
    if head.format != LEDGER_FORMAT {
        let detail = format!("format {} where {LEDGER_FORMAT} is understood", head.format);
        return Err(damaged(path, detail));
    }
    serde_json::from_slice(bytes).map_err(|error| damaged(path, error))
}

fn damaged(path: &str, detail: impl std::fmt::Display) -> Error {
    Error::Ledger { path: path.to_owned(), detail: detail.to_string() }
}
