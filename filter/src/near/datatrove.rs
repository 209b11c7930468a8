//! The signatures of datatrove, bit for bit, so that its results can be reproduced.
//!
//! A shingle is XXH64 of its words joined by spaces; a permutation is `(a * h + b) mod (2^61 - 1)`
//! where the product and the sum wrap at 2^64 first, as its arrays do; `a` and `b` come from
//! NumPy's legacy generator (`RandomState(1)`: MT19937, masked rejection). Its defaults are
//! 14 bands of 8 rows and five-word shingles (`pipeline/dedup/minhash.py`, 0.10).

use twox_hash::XxHash64;

/// The Mersenne prime 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;
/// The seed of its parameters.
const SEED: u32 = 1;

/// Its permutations.
#[derive(Debug, Clone)]
pub(super) struct Permutations {
    multipliers: Vec<u64>,
    summands: Vec<u64>,
}

impl Permutations {
    /// Returns `count` permutations with its parameters.
    pub(super) fn new(count: usize) -> Self {
        let mut generator = Mersenne::new(SEED);
        let multipliers = (0..count).map(|_| 1 + generator.at_most(PRIME - 2)).collect();
        let summands = (0..count).map(|_| generator.at_most(PRIME - 1)).collect();
        Self { multipliers, summands }
    }

    /// Writes the minima over all shingles; nothing where a text has fewer words than a shingle.
    pub(super) fn compute<S: AsRef<str>>(&self, words: &[S], shingle_words: usize, minima: &mut Vec<u64>) {
        minima.clear();
        if words.len() < shingle_words {
            return;
        }
        minima.resize(self.multipliers.len(), u64::MAX);
        let mut joined = String::new();
        for window in words.windows(shingle_words) {
            joined.clear();
            for (index, word) in window.iter().enumerate() {
                joined.push_str(if index == 0 { "" } else { " " });
                joined.push_str(word.as_ref());
            }
            self.lower(XxHash64::oneshot(0, joined.as_bytes()), minima);
        }
    }

    fn lower(&self, shingle: u64, minima: &mut [u64]) {
        for ((minimum, a), b) in minima.iter_mut().zip(&self.multipliers).zip(&self.summands) {
            *minimum = (*minimum).min(shingle.wrapping_mul(*a).wrapping_add(*b) % PRIME);
        }
    }
}

/// Words of MT19937's state.
const STATE_WORDS: usize = 624;

/// MT19937 (Matsumoto and Nishimura, 1998).
struct Mersenne {
    state: [u32; STATE_WORDS],
    next: usize,
}

impl Mersenne {
    fn new(seed: u32) -> Self {
        let mut state = [seed; STATE_WORDS];
        for index in 1..STATE_WORDS {
            let previous = state[index - 1];
            state[index] =
                1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(index as u32);
        }
        Self { state, next: STATE_WORDS }
    }

    fn twist(&mut self) {
        for index in 0..STATE_WORDS {
            let joined =
                (self.state[index] & 0x8000_0000) | (self.state[(index + 1) % STATE_WORDS] & 0x7FFF_FFFF);
            let odd = if joined & 1 == 1 { 0x9908_B0DF } else { 0 };
            self.state[index] = self.state[(index + 397) % STATE_WORDS] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next == STATE_WORDS {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C_5680;
        word ^= (word << 15) & 0xEFC6_0000;
        word ^ (word >> 18)
    }

    /// Returns a number from 0 to `max`: words under a mask, until one is not above.
    fn at_most(&mut self, max: u64) -> u64 {
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let high = u64::from(self.word());
            let value = (high << 32 | u64::from(self.word())) & mask;
            if value <= max {
                return value;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        bands: usize,
        rows: usize,
        shingle_words: usize,
        words: Vec<String>,
        minima: Vec<String>,
    }

    #[test]
    fn signatures_are_those_of_datatrove_for_the_same_words() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../../tests/golden/minhash.json")).unwrap();
        assert!(cases.iter().any(|case| case.minima.len() == 112));
        for case in cases {
            let mut minima = Vec::new();
            let permutations = Permutations::new(case.bands * case.rows);
            permutations.compute(&case.words, case.shingle_words, &mut minima);
            let expected: Vec<u64> = case.minima.iter().map(|value| value.parse().unwrap()).collect();
            assert_eq!(minima, expected, "{:?}", case.words);
        }
    }
}
