//! Hashes of all runs of a text's words, and which of an item's are n-grams.

use crate::config::DecontaminateConfig;
use crate::near::hashes::{for_each_hash, mixed};

/// The multiplier of the polynomial over words; odd.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns where n-grams begin in an item of so many words, and their words.
pub(super) fn ngrams(count: usize, config: &DecontaminateConfig) -> impl Iterator<Item = (usize, usize)> {
    let (words, words_min) = (config.words as usize, config.words_min as usize);
    let length = words.min(count);
    let places = if count < words_min { 0 } else { count + 1 - length };
    (0..places).map(move |at| (at, length))
}

/// Hashes of all runs of a text's words, by prefix sums.
#[derive(Debug)]
pub(super) struct Runs {
    prefixes: Vec<u64>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { prefixes: vec![0] }
    }
}

impl Runs {
    pub(super) fn of(text: &str) -> Self {
        let mut runs = Self::default();
        for_each_hash(text, |hash| runs.push(hash));
        runs
    }

    pub(super) fn push(&mut self, word: u64) {
        let last = self.prefixes.last().copied().unwrap_or_default();
        self.prefixes.push(last.wrapping_mul(BASE).wrapping_add(word));
    }

    /// Returns the number of words.
    pub(super) fn count(&self) -> usize {
        self.prefixes.len() - 1
    }

    /// Returns the hash of so many words from one on.
    pub(super) fn hash(&self, at: usize, words: usize) -> u64 {
        let power = BASE.wrapping_pow(words as u32);
        let run = self.prefixes[at + words].wrapping_sub(self.prefixes[at].wrapping_mul(power));
        mixed(run.wrapping_add(words as u64))
    }
}
