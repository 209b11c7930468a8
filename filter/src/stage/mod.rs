//! The steps of filtering, each a stage: judge, find duplicates, drop them.

mod contamination;
mod decontaminated;
mod deduplicated;
mod exact;
mod groups;
mod known;
pub mod looks;
mod merge;
pub mod near;
mod priority;
mod records;
pub mod repeats;
mod representatives;
mod rules;
mod sorted;

pub use contamination::{Counts, Matches};
pub use decontaminated::Decontaminated;
pub use deduplicated::{Deduplicated, SplitAssignment};
pub use exact::{ContentKeys, Exact};
pub use priority::SourcePriority;
pub use representatives::Representatives;
pub use rules::Rules;

/// The stream of content keys, from rules to duplicate finding.
pub const FINGERPRINTS: &str = "fingerprints";
/// The stream of every rule's value for every record.
pub const VERDICTS: &str = "verdicts";
/// The stream of records that say nothing new.
pub const DUPLICATES: &str = "duplicates";

/// The stream of the same, in the order of what stands for them.
const REPRESENTED: &str = "represented";

/// Bytes per group of parts. A stage that sorts runs one task per group, so that later stages merge few parts. The
/// size decides the number of tasks and the bytes they write: it is a constant, and part of those stages' settings.
const GROUP_BYTES: u64 = 256 << 20;
/// Smallest share of the memory that a task gets, whatever the number of workers: room for a few buffers per sorter.
const TASK_BYTES_MIN: usize = 1 << 20;

/// Returns the bytes that each of `workers` parallel tasks may hold: an equal share of `memory_mb` MiB, but at least
/// [`TASK_BYTES_MIN`]. The share decides when sorters spill to disk. It changes no result.
fn task_bytes(memory_mb: u32, workers: usize) -> usize {
    (((memory_mb as usize) << 20) / workers.max(1)).max(TASK_BYTES_MIN)
}

#[cfg(test)]
mod tests;
