//! Near-duplicates by MinHash: texts of which most shingles are the same.
//!
//! ```text
//! words       text -> words that case, punctuation and forms do not change
//! hashes      text -> the hashes and places of its words
//! signature   hashes -> shingles -> minima (SIMD) -> one key per band
//! datatrove   the same with another tool's arithmetic, bit for bit
//! planted     edited copies that a run checks itself by
//! components  links -> clusters
//! ```

pub mod components;
mod datatrove;
pub mod hashes;
mod minima;
pub mod planted;
pub mod signature;
pub mod words;

pub use signature::{Scheme, Shape, Signer, Unit};
