//! What the ledger holds of tasks: entries, their ends, the plan.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::stream::Declared;
use crate::{Fingerprint, Report};

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

impl Part {
    /// Returns the task that made it, as its name tells.
    pub fn task(&self) -> Option<u32> {
        self.path.rsplit('/').next()?.split('-').next()?.parse().ok()
    }
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
pub struct RunContext {
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
    /// [`FORMAT`](crate::format::FORMAT).
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
    /// Input records consumed by the task before this range: where the range before it ended.
    pub start: u64,
    /// Input records consumed by the task up to the end of this range: where a rerun continues.
    pub position: u64,
    /// What the task depends on, if that is less than all inputs of its stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Digest>,
    /// The files of this range.
    pub parts: Vec<Part>,
    /// The counts of this range.
    pub report: Report,
    /// When, where and how long; its name in the file is that of format 3.
    #[serde(rename = "circumstances")]
    pub context: RunContext,
}

/// A complete task. Its entry tells the same; this object's name tells it without a read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    /// [`FORMAT`](crate::format::FORMAT).
    pub format: u32,
    /// Number of ranges.
    pub ranges: u32,
    /// Input records of all ranges.
    pub position: u64,
}

/// A stage that was begun: written before its first task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`](crate::format::FORMAT).
    pub format: u32,
    /// Number of tasks.
    pub task_count: u32,
    /// The streams that its tasks may write, sorted.
    pub streams: Vec<Declared>,
}
