//! The steps of finding records of equal content, each a stage: their keys in order, and which of them
//! another record stands for.
//!
//! Memory: tasks share `memory_mb`; on top comes what open parts take (about half a megabyte for each task of the
//! stage of keys). All else is on disk: 34 bytes a record.

mod found;
mod keys;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use found::Exact;
pub use keys::ContentKeys;

/// A content key as numbers, in the order of its bytes.
fn halves(key: [u8; 16]) -> [u64; 2] {
    let key = u128::from_be_bytes(key);
    [(key >> 64) as u64, key as u64]
}

/// Returns the content key of [`halves`].
fn whole(high: u64, low: u64) -> [u8; 16] {
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}
