//! Decontamination: what documents share with evaluation sets, and what is left without it.
//!
//! Words are those of near-duplicates: case, punctuation, white space and line ends do not matter.

mod cut;
mod index;
mod sets;

pub use cut::{Cut, cuts};
pub use index::{DecontaminateError, Found, Index, NGRAMS_MAX, SetSize};
pub use sets::EvaluationSets;
