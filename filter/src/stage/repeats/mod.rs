//! The steps of cutting repeated passages, each a stage: keys of every passage, those that occur
//! again, documents without them. Long passages are looked for by their anchors first.
//!
//! Memory: tasks share `memory_mb`; on top comes what open parts take (about half a megabyte for each task of the
//! stage before it). All else is on disk: 24 bytes for every passage or
//! anchor, so for runs of 50 words about a third of the text, and what occurs again.

mod by_document;
mod cut;
mod found;
mod passages;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use cut::Cut;
pub use found::Repeats;
pub use passages::Passages;

/// What keys are of, and what of them is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Anchors of passages: all that are not alone.
    Anchors,
    /// Passages: those that do not stay.
    Passages,
}
