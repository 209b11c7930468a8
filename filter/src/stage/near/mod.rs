//! The steps of finding near-duplicates, each a stage: keys of every document, links between
//! those that share one, and clusters of linked ones.
//!
//! Memory: tasks share `memory_mb`; on top comes what open parts take (about half a megabyte for every task of the
//! stage of keys, while links are found). All else is on disk.

mod clusters;
mod keys;
mod links;
mod verified;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use clusters::Clusters;
pub use keys::Keys;
pub use links::Links;
pub use verified::Verified;
