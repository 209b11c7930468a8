//! Passages: runs of a document's lines, sentences or words, by which it is compared in parts.
//!
//! ```text
//! units    a text -> its units, each with its place and the hash of its words
//! anchors  of long passages, few places that equal ones share
//! cut      a text without some of its units
//! ```

mod anchors;
mod cut;
mod units;

pub use anchors::{anchored, anchors, has_anchors};
pub use cut::{Cut, cut};
pub use units::{Unit, units};

use crate::config::RepeatsConfig;
use crate::near::hashes::mixed;

/// The multiplier of the polynomial over units: 2^64 over the golden ratio, odd.
const ROLLING: u64 = 0x9E37_79B9_7F4A_7C15;

/// A passage, or an anchor of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// The first of its units, from 0.
    pub unit: u32,
    /// The hash of its words. Hashes are of 64 bits: of 10^10 different passages about three share one.
    pub key: u64,
}

/// Returns every passage of a text in order; none where there are too few units.
pub fn passages(text: &str, config: &RepeatsConfig) -> Vec<Passage> {
    let units = units(text, config.unit, config.any_digit);
    let keys = run_keys(&units, config.run() as usize);
    (0..).zip(keys).map(|(unit, key)| Passage { unit, key }).collect()
}

/// Hashes every run of so many units.
fn run_keys(units: &[Unit], run: usize) -> Vec<u64> {
    let Some((first, rest)) = units.split_at_checked(run) else { return Vec::new() };
    let add = |hash: u64, unit: &Unit| hash.wrapping_mul(ROLLING).wrapping_add(unit.hash);
    let leaving = (0..run).fold(1_u64, |power, _| power.wrapping_mul(ROLLING));
    let mut hash = first.iter().fold(0, add);
    let mut keys = Vec::with_capacity(rest.len() + 1);
    keys.push(mixed(hash));
    for (left, entering) in units.iter().zip(rest) {
        hash = add(hash, entering).wrapping_sub(left.hash.wrapping_mul(leaving));
        keys.push(mixed(hash));
    }
    keys
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::{Keep, Unit as Of};

    pub(crate) fn config(unit: Of) -> RepeatsConfig {
        RepeatsConfig {
            unit,
            run: None,
            keep: Keep::First,
            any_digit: false,
            words_left_min: 0,
            partitions: 3,
            memory_mb: 64,
        }
    }

    #[test]
    fn equal_runs_have_equal_keys_wherever_they_are() {
        let config = RepeatsConfig { run: Some(3), ..config(Of::Words) };
        let key = |text: &str, at: usize| passages(text, &config)[at].key;
        assert_eq!(passages("a b c d e", &config).len(), 3);
        assert_eq!(key("x, y: B c\nD!", 2), key("a b c d e", 1));
        assert_ne!(key("c b d", 0), key("a b c d e", 1));
        assert!(passages("a b", &config).is_empty());
    }
}
