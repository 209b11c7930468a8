//! The steps of filtering, each a stage: judge, find duplicates, drop them.

mod contamination;
mod decontaminated;
mod deduplicated;
mod exact;
pub mod image_hashes;
mod known;
pub mod near;
mod ngrams;
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
pub use ngrams::Ngrams;
pub use priority::SourcePriority;
pub use representatives::Representatives;
pub use rules::Rules;

#[cfg(test)]
mod tests;
