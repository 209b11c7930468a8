//! The steps of cutting repeated passages, each a stage: keys of every passage, those that occur
//! again, documents without them.
//!
//! Memory: a task takes at most a quarter of `memory_mb`, and what open parts take (about half
//! a megabyte for each task of the stage before it). All else is on disk: 24 bytes for every passage,
//! so for runs of words about four times the text.

mod cut;
mod found;
mod passages;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use cut::Cut;
pub use found::Repeats;
pub use passages::Passages;

use crate::config::RepeatsConfig;

const DOCUMENTS: &str = "documents";
/// The stream of keys, in their order.
const KEYS: &str = "keys";
/// The stream of passages that another one stands for, by document.
const REPEATS: &str = "repeats";
/// The stream of what was cut.
const CUTS: &str = "cuts";

/// Returns the bytes that a task may hold.
fn task_bytes(config: &RepeatsConfig) -> usize {
    (config.memory_mb as usize) << 20 >> 2
}
