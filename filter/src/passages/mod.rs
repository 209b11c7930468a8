//! Passages: runs of a document's lines, sentences or words, by which it is compared in parts.
//!
//! ```text
//! units   a text -> its units, each with its place and the hash of its words
//! cut     a text without some of its units
//! ```

mod cut;
mod units;

pub use cut::{Cut, cut};
pub use units::{Unit, units};

use crate::config::RepeatsConfig;
use crate::near::hashes::mixed;

/// The multiplier of the polynomial over units: 2^64 over the golden ratio, odd.
const ROLLING: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns the hash of every passage of a text, by its first unit; none where there are too few units.
///
/// Hashes are of 64 bits: of 10^10 different passages about three share one with another.
pub fn keys(text: &str, config: &RepeatsConfig) -> Vec<u64> {
    let units = units(text, config.unit, config.any_digit);
    let run = config.run() as usize;
    let Some((first, rest)) = units.split_at_checked(run) else { return Vec::new() };
    let add = |hash: u64, unit: &Unit| hash.wrapping_mul(ROLLING).wrapping_add(unit.hash);
    let leaving = ROLLING.wrapping_pow(config.run());
    let mut hash = first.iter().fold(0, add);
    let mut keys = vec![mixed(hash)];
    for (left, entering) in units.iter().zip(rest) {
        hash = add(hash, entering).wrapping_sub(left.hash.wrapping_mul(leaving));
        keys.push(mixed(hash));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Keep, Unit as Of};

    #[test]
    fn equal_runs_have_equal_keys_wherever_they_are() {
        let config = RepeatsConfig {
            unit: Of::Words,
            run: Some(3),
            keep: Keep::First,
            any_digit: false,
            words_left_min: 0,
            partitions: 1,
            memory_mb: 64,
        };
        let one = keys("a b c d e", &config);
        assert_eq!(one.len(), 3);
        assert_eq!(keys("x, y: B c\nD!", &config)[2], one[1]);
        assert_ne!(keys("c b d", &config)[0], one[1]);
        assert!(keys("a b", &config).is_empty());
    }
}
