//! The steps of filtering, each a stage: judge, find duplicates, drop them.

mod contamination;
mod decontaminated;
mod deduplicated;
mod exact;
mod groups;
pub mod looks;
mod merge;
pub mod near;
mod priority;
mod records;
pub mod repeats;
mod rules;

pub use contamination::{Counts, Matches};
pub use decontaminated::Decontaminated;
pub use deduplicated::{Deduplicated, SplitAssignment};
pub use exact::Exact;
pub use priority::SourcePriority;
pub use rules::Rules;

/// The stream of content keys, from rules to duplicate finding.
pub const FINGERPRINTS: &str = "fingerprints";
/// The stream of every rule's value for every record.
pub const VERDICTS: &str = "verdicts";
/// The stream of records that say nothing new.
pub const DUPLICATES: &str = "duplicates";

#[cfg(test)]
mod tests;
