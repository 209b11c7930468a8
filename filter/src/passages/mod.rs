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
use crate::near::hashes::for_each_run;

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
    passages_of(&units(text, config.unit, config.any_digit), config)
}

fn passages_of(units: &[Unit], config: &RepeatsConfig) -> Vec<Passage> {
    let keys = run_keys(units, config.run() as usize);
    (0..).zip(keys).map(|(unit, key)| Passage { unit, key }).collect()
}

/// Hashes every run of so many units.
fn run_keys(units: &[Unit], run: usize) -> Vec<u64> {
    let mut keys = Vec::with_capacity(units.len());
    for_each_run(units, run, |unit| unit.hash, |key| keys.push(key));
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
