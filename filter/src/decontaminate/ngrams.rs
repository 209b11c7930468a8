//! The n-grams of evaluation sets, collected item by item.

use corpus::record::EvaluationNgram;
use thiserror::Error;

use super::runs::{Runs, ngrams};
use crate::config::{DecontaminateConfig, key_of_set};

/// N-grams of all sets at most: up to 64 bytes each in memory while they are collected, about 34 while they are looked
/// for.
pub const NGRAMS_MAX: usize = 1 << 26;
/// N-grams that may be collected before equal ones are merged for the first time.
const MERGED_FROM: usize = 1 << 20;

/// Why evaluation sets cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NgramsError {
    /// There is nothing to look for.
    #[error("{key}: no item of {path} has {words_min} words or more{fields} (words_min)")]
    Empty {
        /// The set's key.
        key: String,
        /// The file or folder.
        path: String,
        /// The words of the shortest item that counts.
        words_min: u32,
        /// The fields that were looked into.
        fields: String,
    },
    /// There are more n-grams than memory is meant for.
    #[error("the evaluation sets have more than {NGRAMS_MAX} n-grams")]
    TooMany,
    /// Items are of a set that the configuration does not have.
    #[error("there is no evaluation set {0}")]
    Unknown(String),
}

/// The n-grams of the items so far.
#[derive(Debug)]
pub struct CollectedNgrams<'c> {
    config: &'c DecontaminateConfig,
    rows: Vec<EvaluationNgram>,
    /// The number of rows at which equal ones are merged.
    merged_at: usize,
    /// The sets with an n-gram, a bit each in the order of their names.
    sets: u64,
}

impl<'c> CollectedNgrams<'c> {
    /// Begins without any.
    pub fn new(config: &'c DecontaminateConfig) -> Self {
        Self { config, rows: Vec::new(), merged_at: MERGED_FROM, sets: 0 }
    }

    /// Adds those of an item; returns its words: with fewer than `words_min` it has none.
    ///
    /// # Errors
    /// When there are too many, or there is no such set.
    pub fn add(&mut self, set: &str, text: &str) -> Result<usize, NgramsError> {
        let place = self.config.place_of(set).ok_or_else(|| NgramsError::Unknown(set.to_owned()))?;
        let (runs, sets) = (Runs::of(text), 1_u64 << place);
        for (at, words) in ngrams(runs.count(), self.config) {
            let (ngram, start) = (runs.hash(at, words), runs.hash(at, self.config.words_min as usize));
            self.rows.push(EvaluationNgram { ngram, start, words: words as u32, sets });
            self.sets |= sets;
        }
        if self.rows.len() >= self.merged_at {
            self.merge()?;
        }
        Ok(runs.count())
    }

    /// Makes one row of all that are of one n-gram, in the order of their hashes.
    fn merge(&mut self) -> Result<(), NgramsError> {
        self.rows.sort_unstable_by_key(|row| row.ngram);
        self.rows.dedup_by(|row, first| {
            let is_same = row.ngram == first.ngram;
            first.sets |= if is_same { row.sets } else { 0 };
            is_same
        });
        // So a row is sorted a few times, however many there are.
        self.merged_at = MERGED_FROM.max(2 * self.rows.len());
        if self.rows.len() > NGRAMS_MAX { Err(NgramsError::TooMany) } else { Ok(()) }
    }

    /// Returns all of them, in the order of their hashes.
    ///
    /// # Errors
    /// When a set has none, which would let everything pass, or there are too many.
    pub fn finish(mut self) -> Result<Vec<EvaluationNgram>, NgramsError> {
        let mut sets = self.config.sets.iter().enumerate();
        if let Some((_, (name, set))) = sets.find(|(place, _)| self.sets >> place & 1 == 0) {
            let fields =
                if set.fields.is_empty() { String::new() } else { format!(" in {}", set.fields.join(", ")) };
            let (key, path, words_min) = (key_of_set(name), set.path.clone(), self.config.words_min);
            return Err(NgramsError::Empty { key, path, words_min, fields });
        }
        self.merge()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::EvaluationSetConfig;

    fn config(fields: &[&str]) -> DecontaminateConfig {
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        let set = |path: &str| EvaluationSetConfig { path: path.to_owned(), fields: fields.clone() };
        let sets = [("a".to_owned(), set("a.jsonl")), ("b".to_owned(), set("b.jsonl"))];
        DecontaminateConfig { sets: sets.into(), words: 4, words_min: 3, ..DecontaminateConfig::default() }
    }

    #[test]
    fn equal_ngrams_are_one_row_with_the_sets_that_have_them() {
        let config = config(&[]);
        let mut ngrams = CollectedNgrams::new(&config);
        let items = [
            ("a", "one two three four five"),
            ("b", "ONE, two\nthree four"),
            ("b", "six seven eight"),
            ("b", "six seven"),
        ];
        let words: Vec<usize> = items.iter().map(|(set, text)| ngrams.add(set, text).unwrap()).collect();
        assert_eq!(words, [5, 4, 3, 2]);
        let rows = ngrams.finish().unwrap();
        let mut found: Vec<_> = rows.iter().map(|row| (row.words, row.sets)).collect();
        found.sort_unstable();
        assert_eq!(found, [(3, 0b10), (4, 0b01), (4, 0b11)]);
        assert!(rows.is_sorted_by_key(|row| row.ngram));
        // What is as short as can be begins as a whole.
        assert!(rows.iter().all(|row| (row.start == row.ngram) == (row.words == 3)));
    }

    #[test]
    fn what_is_merged_on_the_way_is_what_is_merged_at_the_end() {
        let config = config(&[]);
        let (mut once, mut often) = (CollectedNgrams::new(&config), CollectedNgrams::new(&config));
        for n in 0..200 {
            let text = format!("a{} b{} c{} d{} e{}", n % 3, n % 2, n % 5, n % 2, n % 3);
            let set = ["a", "b"][n / 40 % 2];
            once.add(set, &text).unwrap();
            often.merged_at = 0;
            often.add(set, &text).unwrap();
        }
        assert!(often.rows.len() < once.rows.len());
        assert_eq!(often.finish().unwrap(), once.finish().unwrap());
    }

    #[test]
    fn a_set_without_long_items_is_refused() {
        let config = config(&["q", "c"]);
        let mut ngrams = CollectedNgrams::new(&config);
        ngrams.add("a", "one two three").unwrap();
        ngrams.add("b", "too short").unwrap();
        let error = ngrams.finish().unwrap_err().to_string();
        assert_eq!(
            error,
            "text.decontaminate.sets.b: no item of b.jsonl has 3 words or more in q, c (words_min)"
        );
        assert_eq!(CollectedNgrams::new(&config).add("c", "x"), Err(NgramsError::Unknown("c".to_owned())));
    }
}
