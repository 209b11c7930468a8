//! The units of a text, with their places.

use crate::config;
use crate::near::hashes::{for_each_place, mixed};
use crate::sentences;

/// A line, sentence or word that holds a letter or a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Where it begins in the text, in bytes; it ends where the next one begins.
    pub start: usize,
    /// The hash of its words: case, punctuation, white space and compatibility forms do not count.
    pub hash: u64,
}

/// Returns the units of a text in order; with `any_digit`, digits do not differ.
pub fn units(text: &str, unit: config::Unit, any_digit: bool) -> Vec<Unit> {
    let mut units = Vec::new();
    match unit {
        config::Unit::Lines => lines(text).for_each(|(start, line)| {
            units.extend(hash(line, any_digit).map(|hash| Unit { start, hash }));
        }),
        config::Unit::Sentences => lines(text).for_each(|(start, line)| {
            sentences::for_each(line, |at, sentence| {
                units.extend(hash(sentence, any_digit).map(|hash| Unit { start: start + at, hash }));
            });
        }),
        config::Unit::Words => {
            for_each_place(text, any_digit, |start, hash| units.push(Unit { start, hash }));
        }
    }
    units
}

/// Returns the lines with the places where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    })
}

/// Hashes the words of a unit; `None` if it has none.
fn hash(text: &str, any_digit: bool) -> Option<u64> {
    let mut hash = None;
    for_each_place(text, any_digit, |_, word| hash = Some(mixed(hash.unwrap_or_default() ^ word)));
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Unit as Of;

    fn starts(text: &str, unit: Of) -> Vec<&str> {
        let starts: Vec<usize> = units(text, unit, false).iter().map(|unit| unit.start).collect();
        let ends = starts.iter().copied().skip(1).chain([text.len()]);
        starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
    }

    #[test]
    fn a_unit_reaches_to_the_next() {
        let text = "- One, two. Three!\n\n***\n(Four) five";
        assert_eq!(starts(text, Of::Lines), ["- One, two. Three!\n\n***\n", "(Four) five"]);
        assert_eq!(starts(text, Of::Sentences), ["- One, two. ", "Three!\n\n***\n", "(Four) five"]);
        assert_eq!(starts(text, Of::Words), ["One, ", "two. ", "Three!\n\n***\n(", "Four) ", "five"]);
        assert!(starts(" -- \n", Of::Lines).is_empty());
    }

    #[test]
    fn only_words_count_and_digits_if_they_are_to() {
        let hash = |text, any_digit| units(text, Of::Lines, any_digit)[0].hash;
        assert_eq!(hash("Posted: 3 May, 2011", false), hash("posted 3 MAY 2011 |", false));
        assert_ne!(hash("Posted 3 May", false), hash("Posted 4 May", false));
        assert_eq!(hash("Posted 13 May", true), hash("Posted 24 May", true));
        let words = |text| units(text, Of::Words, true).iter().map(|unit| unit.hash).collect::<Vec<_>>();
        assert_eq!(words("chapter 12"), words("Chapter 97"));
    }
}
