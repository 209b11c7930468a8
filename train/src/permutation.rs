//! A keyed permutation: an order of 0 to n - 1 in which every place can be asked for alone.
//!
//! A Feistel network over the smallest even number of bits that holds n, with cycle walking:
//! results outside the range are put in again until one is inside. The domain is less than
//! four times n, so fewer than four rounds of walking are needed on average. Nothing is
//! stored but the keys, whatever n is.

use corpus::random;

/// More than the four that a pseudo-random permutation needs, because small domains mix slowly.
const ROUND_COUNT: usize = 8;

/// An order of 0 to `len` - 1.
#[derive(Debug, Clone)]
pub struct Permutation {
    len: u64,
    half_bits: u32,
    keys: [u64; ROUND_COUNT],
}

impl Permutation {
    /// Returns the order that a seed, the name of a random stream and a key determine.
    pub fn new(seed: u64, stream: &str, key: &[u64], len: u64) -> Self {
        let bytes: Vec<u8> = key.iter().flat_map(|part| part.to_le_bytes()).collect();
        let key = random::hash(seed, stream, &bytes);
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self {
            len,
            half_bits: bits.div_ceil(2).max(1),
            keys: std::array::from_fn(|round| random::hash(key, "permutation", &round.to_le_bytes())),
        }
    }

    /// Returns what is at a place of the order; a place at or beyond the end is taken modulo
    /// the length, and an empty order has 0 everywhere.
    pub fn at(&self, place: u64) -> u64 {
        if self.len <= 1 {
            return 0;
        }
        let mut value = place % self.len;
        // Ends: a permutation's cycle through a place inside the range comes back inside.
        loop {
            value = self.encrypt(value);
            if value < self.len {
                return value;
            }
        }
    }

    fn encrypt(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// Returns well-mixed bits of a number: the finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_once(seed: u64, key: u64, len in 0..700_u64) {
            let order = Permutation::new(seed, "test", &[key], len);
            let visited: BTreeSet<u64> = (0..len).map(|place| order.at(place)).collect();
            prop_assert_eq!(visited, (0..len).collect::<BTreeSet<u64>>());
        }

        #[test]
        fn a_long_order_is_inside_its_range(seed: u64, place: u64, len in 1..=u64::MAX >> 2) {
            prop_assert!(Permutation::new(seed, "test", &[], len).at(place) < len);
        }
    }

    #[test]
    fn seeds_streams_and_keys_give_other_orders_and_the_same_ones_the_same() {
        let order = |seed, stream, key| -> Vec<u64> {
            let order = Permutation::new(seed, stream, &[key], 100);
            (0..100).map(|place| order.at(place)).collect()
        };
        assert_eq!(order(1, "rows", 1), order(1, "rows", 1));
        assert_ne!(order(1, "rows", 1), order(2, "rows", 1));
        assert_ne!(order(1, "rows", 1), order(1, "blocks", 1));
        assert_ne!(order(1, "rows", 1), order(1, "rows", 2));
    }

    #[test]
    fn all_places_of_a_short_order_are_reached_alike() {
        // 5 numbers, 5,000 orders: each number is first about 1,000 times (sigma 28).
        let mut firsts = [0_u32; 5];
        for key in 0..5_000 {
            let first = Permutation::new(7, "test", &[key], 5).at(0);
            firsts[first as usize] += 1;
        }
        assert!(firsts.iter().all(|count| (860..1_140).contains(count)), "{firsts:?}");
    }
}
