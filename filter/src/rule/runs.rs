//! Runs of tokens that occur more than once in a text.

use super::seen::Seen;
use crate::characters;
use crate::near::hashes::hash_of;

/// The multiplier of the polynomial over a run of tokens; odd.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
/// The length to begin with.
const LENGTH_MIN: usize = 2;

/// The runs of a text, to be asked for by growing length.
///
/// Prefix sums give hash and characters of any run at once. A run can only occur twice if the two
/// shorter ones within it do, so that each length has fewer places to look at than the one before.
pub(super) struct Runs {
    hashes: Vec<u64>,
    chars: Vec<u64>,
    /// Where runs begin that may occur more than once, in order.
    candidates: Vec<u32>,
    /// By place, the last length at which the run did occur more than once, or may.
    repeated_at: Vec<u8>,
    /// Characters between two tokens.
    gap: u64,
}

impl Runs {
    /// Hashes the tokens; `gap` characters are between two.
    pub(super) fn of(tokens: &[&str], gap: u64) -> Self {
        let (mut hashes, mut chars) =
            (Vec::with_capacity(tokens.len() + 1), Vec::with_capacity(tokens.len() + 1));
        let (mut hash, mut count) = (0_u64, 0_u64);
        hashes.push(hash);
        chars.push(count);
        for token in tokens {
            hash = hash.wrapping_mul(BASE).wrapping_add(hash_of(token.as_bytes()));
            count += characters::count(token) as u64;
            hashes.push(hash);
            chars.push(count);
        }
        let candidates = (0..(tokens.len() + 1).saturating_sub(LENGTH_MIN) as u32).collect();
        Self { hashes, chars, candidates, repeated_at: vec![0; tokens.len() + 1], gap }
    }

    /// Returns the characters in all occurrences of the most frequent run, those between its
    /// tokens included; of equally frequent ones it is the first.
    pub(super) fn top(&mut self, length: usize, seen: &mut Seen) -> u64 {
        seen.clear();
        let power = power(length);
        let (mut times, mut first) = (u32::from(self.hashes.len() > length), 0);
        for at in &self.candidates {
            let (new_times, place) = seen.add_at(self.hash(*at as usize, length, power), *at);
            if new_times > 1 {
                self.repeated_at[*at as usize] = length as u8;
                self.repeated_at[place as usize] = length as u8;
            }
            if new_times > times || new_times == times && place < first {
                (times, first) = (new_times, place);
            }
        }
        self.narrow(length);
        match times {
            0 => 0,
            _ => (self.chars_of(first as usize, length) + self.gap * (length as u64 - 1)) * u64::from(times),
        }
    }

    /// Returns the characters in runs that occurred before; a run that counts is not looked into again.
    pub(super) fn repeated(&mut self, length: usize, seen: &mut Seen) -> u64 {
        seen.clear();
        let power = power(length);
        let (mut from, mut chars) = (0, 0);
        for at in &self.candidates {
            let at = *at as usize;
            self.repeated_at[at] = length as u8;
            if at >= from && seen.add(self.hash(at, length, power)) > 1 {
                chars += self.chars_of(at, length);
                from = at + length;
            }
        }
        self.narrow(length);
        chars
    }

    fn hash(&self, at: usize, length: usize, power: u64) -> u64 {
        self.hashes[at + length].wrapping_sub(self.hashes[at].wrapping_mul(power))
    }

    fn chars_of(&self, at: usize, length: usize) -> u64 {
        self.chars[at + length] - self.chars[at]
    }

    /// Leaves the candidates of the next length.
    fn narrow(&mut self, length: usize) {
        let is_repeated = |at: usize| self.repeated_at[at] == length as u8;
        self.candidates.retain(|at| is_repeated(*at as usize) && is_repeated(*at as usize + 1));
    }
}

fn power(length: usize) -> u64 {
    (0..length).fold(1, |power, _| power.wrapping_mul(BASE))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    /// As published code has it, each length by itself.
    fn plain_top(tokens: &[&str], length: usize) -> u64 {
        let mut times = HashMap::new();
        tokens.windows(length).for_each(|run| *times.entry(run).or_insert(0_u64) += 1);
        let most = times.values().max().copied().unwrap_or_default();
        let first = tokens.windows(length).find(|run| times.get(run) == Some(&most));
        first.map_or(0, |run| run.join(" ").len() as u64 * most)
    }

    fn plain_repeated(tokens: &[&str], length: usize) -> u64 {
        let (mut seen, mut at, mut chars) = (HashSet::new(), 0, 0);
        while let Some(run) = tokens.get(at..at + length) {
            match seen.insert(run) {
                true => at += 1,
                false => {
                    chars += run.concat().len() as u64;
                    at += length;
                }
            }
        }
        chars
    }

    proptest! {
        #[test]
        fn values_are_those_of_each_length_by_itself(text in "([ab]|cc|dd ){0,60}") {
            let tokens: Vec<_> = text.split("").filter(|token| !token.trim().is_empty()).collect();
            let mut runs = Runs::of(&tokens, 1);
            Seen::with(tokens.len(), |seen| {
                for length in 2..5 {
                    prop_assert_eq!(runs.top(length, seen), plain_top(&tokens, length), "{}", length);
                }
                for length in 5..11 {
                    prop_assert_eq!(runs.repeated(length, seen), plain_repeated(&tokens, length), "{}", length);
                }
                Ok(())
            })?;
        }
    }
}
