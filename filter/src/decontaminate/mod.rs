//! Decontamination: what documents share with evaluation sets, and what is left without it.
//!
//! Words are those of near-duplicates: case, punctuation, white space and line ends do not matter.
//!
//! ```text
//! runs      Runs               hashes of runs of words
//! ngrams    CollectedNgrams    the n-grams of items
//! index     Index              the same, looked for in documents
//! shared    SharedIndex        the same, held once
//! cut       cuts               what of a document is left
//! ```

mod cut;
mod index;
mod ngrams;
mod runs;
mod shared;

pub use cut::{Cut, cuts};
pub use index::{Found, Index, SetSize};
pub use ngrams::{CollectedNgrams, NGRAMS_MAX, NgramsError};
pub use shared::SharedIndex;
