//! Manifests: a sealed stage in one small object, its parts in shards of it.
//!
//! The manifest holds what readers of a stage ask first: counts, streams, and where the parts of a stream are listed.
//! Parts are listed in shards, one stream's after one another, [`SHARD_PARTS`] in each: a task opens the shards that
//! concern it, whatever the size of the run.

use serde::{Deserialize, Serialize};

use super::{Part, Plan};
use crate::digest::Digest;
use crate::format::FORMAT;
use crate::stream::Declared;
use crate::{Fingerprint, Report};

/// Parts that one shard lists: some 600 kB.
pub(crate) const SHARD_PARTS: usize = 2_048;

/// A sealed stage. Holds nothing that varies from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`](crate::format::FORMAT).
    pub format: u32,
    /// The stage's name.
    pub stage: String,
    /// The stage's fingerprint.
    pub fingerprint: Fingerprint,
    /// Digest over the parts' digests, by task, range and stream: what later fingerprints are made of.
    pub content: Digest,
    /// Number of tasks.
    pub task_count: u32,
    /// Number of ranges of all tasks.
    pub range_count: u64,
    /// All counts.
    pub report: Report,
    /// What the stage wrote, sorted by name, empty streams included.
    pub streams: Vec<StreamSummary>,
}

/// One stream of a sealed stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSummary {
    /// The name.
    pub stream: String,
    /// Record type and version; the media type for other files.
    pub table: String,
    /// Number of parts.
    pub part_count: u64,
    /// Rows of all parts.
    pub rows: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Where the parts are listed, in their order.
    pub shards: Vec<ShardSummary>,
}

/// Where some parts of a stream are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSummary {
    /// Path of the list within the store.
    pub path: String,
    /// SHA-256 of the list.
    pub digest: Digest,
    /// Number of parts.
    pub part_count: u64,
    /// The task of the first part.
    pub first_task: u32,
    /// The task of the last part.
    pub last_task: u32,
}

/// Some parts of a stream, by task and range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// [`FORMAT`](crate::format::FORMAT).
    pub format: u32,
    /// The parts.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Returns a stream by its name, `None` where the stage has none of this name.
    pub fn stream(&self, name: &str) -> Option<&StreamSummary> {
        self.streams.iter().find(|summary| summary.stream == name)
    }

    /// Returns what was recorded when the stage was begun.
    pub(crate) fn plan(&self) -> Plan {
        let declared = |of: &StreamSummary| Declared { stream: of.stream.clone(), table: of.table.clone() };
        let streams = self.streams.iter().map(declared).collect();
        Plan { format: FORMAT, task_count: self.task_count, streams }
    }

    /// Returns the number of parts of all streams.
    pub fn part_count(&self) -> u64 {
        self.streams.iter().map(|stream| stream.part_count).sum()
    }

    /// Returns the bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().map(|stream| stream.bytes).sum()
    }
}
