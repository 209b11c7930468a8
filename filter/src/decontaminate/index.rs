//! The n-grams of evaluation sets, and where a text has one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::path::PathBuf;

use thiserror::Error;
use unicode_segmentation::UnicodeSegmentation;

use crate::config::DecontaminateConfig;
use crate::near::hashes::{for_each_hash, mixed};
use crate::rows::{RowsError, for_each_text};

/// N-grams of all sets at most: about 32 bytes each in memory.
pub const NGRAMS_MAX: usize = 1 << 26;
/// The multiplier of the polynomial over words; odd.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
/// Bits of the filter before the table, for each n-gram.
const FILTER_BITS: usize = 16;

/// Why evaluation sets cannot be used.
#[derive(Debug, Error)]
pub enum DecontaminateError {
    /// A file cannot be read: half a set would clean half of the corpus.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// There is nothing to look for.
    #[error("{path}: no item has enough words{fields}")]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// The fields that were looked into.
        fields: String,
    },
    /// There are more n-grams than memory is meant for.
    #[error("the evaluation sets have more than {max} n-grams")]
    TooMany {
        /// The bound.
        max: usize,
    },
}

/// An n-gram of a set within a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The n-gram's hash.
    pub ngram: u64,
    /// The sets that it is of, a bit each in the order of their names.
    pub sets: u64,
    /// The first of its words.
    pub word: usize,
    /// The number of its words.
    pub words: usize,
}

/// How much an evaluation set holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetSize {
    /// Items that are long enough.
    pub items: u64,
    /// Of these, those with an n-gram that was found.
    pub items_found: u64,
    /// Different n-grams.
    pub ngrams: u64,
}

/// The n-grams of evaluation sets.
#[derive(Debug)]
pub struct Index {
    /// The set's names; a set is known by its place.
    names: Vec<String>,
    /// Sets by n-gram.
    sets: HashMap<u64, u64, BuildHasherDefault<Hashed>>,
    /// Words of n-grams, ascending.
    lengths: Vec<usize>,
    /// What n-grams begin with, a bit each by hash: most words of a text end here.
    filter: Vec<u64>,
}

/// Passes on what is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = mixed(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Index {
    /// Reads the sets.
    ///
    /// # Errors
    /// When a file cannot be read, a set has no item that is long enough, or there are too many.
    pub fn read(config: &DecontaminateConfig) -> Result<Self, DecontaminateError> {
        let mut sets: HashMap<u64, u64, _> = HashMap::default();
        let (mut lengths, mut beginnings) = (vec![false; config.words as usize + 1], Vec::new());
        for (place, set) in config.sets.values().enumerate() {
            let mut count = 0_usize;
            for_each_text(&set.path, &set.fields, |item| {
                let runs = Runs::of(item);
                for (at, length) in ngrams(runs.count(), config) {
                    lengths[length] = true;
                    beginnings.push(runs.hash(at, config.words_min as usize));
                    *sets.entry(runs.hash(at, length)).or_default() |= 1_u64 << place;
                    count += 1;
                }
            })?;
            if count == 0 {
                let fields = if set.fields.is_empty() {
                    String::new()
                } else {
                    format!(" in {}", set.fields.join(", "))
                };
                return Err(DecontaminateError::Empty { path: set.path.clone(), fields });
            }
            if sets.len() > NGRAMS_MAX {
                return Err(DecontaminateError::TooMany { max: NGRAMS_MAX });
            }
        }
        let mut filter = vec![0_u64; (beginnings.len() * FILTER_BITS / 64 + 1).next_power_of_two()];
        for hash in beginnings {
            let (word, bit) = place(&filter, hash);
            filter[word] |= bit;
        }
        let mut all = vec![config.words_min as usize];
        all.extend((all[0] + 1..lengths.len()).filter(|length| lengths[*length]));
        Ok(Self { names: config.sets.keys().cloned().collect(), sets, lengths: all, filter })
    }

    /// Returns the names of sets, by bits.
    pub fn names(&self, sets: u64) -> impl Iterator<Item = &str> {
        let is_in = move |place: &usize| sets >> place & 1 == 1;
        (0..self.names.len()).filter(is_in).map(|place| self.names[place].as_str())
    }

    /// Counts the items and the n-grams of each set, and what of them is `found`; reads the sets again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn sizes(
        &self,
        config: &DecontaminateConfig,
        is_found: impl Fn(u64) -> bool,
    ) -> Result<Vec<SetSize>, DecontaminateError> {
        let mut sizes = vec![SetSize::default(); self.names.len()];
        for sets in self.sets.values() {
            sizes.iter_mut().enumerate().for_each(|(place, size)| size.ngrams += sets >> place & 1);
        }
        for (set, size) in config.sets.values().zip(&mut sizes) {
            for_each_text(&set.path, &set.fields, |item| {
                let runs = Runs::of(item);
                let mut ngrams = ngrams(runs.count(), config).peekable();
                size.items += u64::from(ngrams.peek().is_some());
                size.items_found += u64::from(ngrams.any(|(at, length)| is_found(runs.hash(at, length))));
            })?;
        }
        Ok(sizes)
    }

    /// Finds every occurrence of an n-gram, of several at the same word the longest.
    pub fn find(&self, text: &str) -> Vec<Found> {
        self.find_in(&Runs::of(text))
    }

    /// Finds every occurrence, with its place in the text in bytes.
    ///
    /// Places are those of the segments between Unicode's word boundaries, so that compatibility
    /// forms which become several words have one place.
    pub fn locate(&self, text: &str) -> Vec<(Found, Range<usize>)> {
        let (mut runs, mut spans) = (Runs::default(), Vec::new());
        for (at, segment) in text.split_word_bound_indices() {
            for_each_hash(segment, |hash| {
                runs.push(hash);
                spans.push(at..at + segment.len());
            });
        }
        let span = |found: &Found| spans[found.word].start..spans[found.word + found.words - 1].end;
        self.find_in(&runs).into_iter().map(|found| (found, span(&found))).collect()
    }

    fn find_in(&self, runs: &Runs) -> Vec<Found> {
        let mut found = Vec::new();
        let Some(shortest) = self.lengths.first() else { return found };
        for word in 0..(runs.count() + 1).saturating_sub(*shortest) {
            let (block, bit) = place(&self.filter, runs.hash(word, *shortest));
            if self.filter[block] & bit == 0 {
                continue;
            }
            let lengths = self.lengths.iter().rev().filter(|length| word + **length <= runs.count());
            let longest = lengths.copied().find_map(|words| {
                let ngram = runs.hash(word, words);
                self.sets.get(&ngram).map(|sets| Found { ngram, sets: *sets, word, words })
            });
            found.extend(longest);
        }
        found
    }
}

/// Returns the word and the bit of a filter that a hash has.
fn place(filter: &[u64], hash: u64) -> (usize, u64) {
    ((hash >> 32) as usize & (filter.len() - 1), 1 << (hash & 63))
}

/// Returns where n-grams begin in an item of so many words, and their words.
fn ngrams(count: usize, config: &DecontaminateConfig) -> impl Iterator<Item = (usize, usize)> {
    let (words, words_min) = (config.words as usize, config.words_min as usize);
    let length = words.min(count);
    let places = if count < words_min { 0 } else { count + 1 - length };
    (0..places).map(move |at| (at, length))
}

/// Hashes of all runs of a text's words, by prefix sums.
#[derive(Debug)]
struct Runs {
    prefixes: Vec<u64>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { prefixes: vec![0] }
    }
}

impl Runs {
    fn of(text: &str) -> Self {
        let mut runs = Self::default();
        for_each_hash(text, |hash| runs.push(hash));
        runs
    }

    fn push(&mut self, word: u64) {
        let last = self.prefixes.last().copied().unwrap_or_default();
        self.prefixes.push(last.wrapping_mul(BASE).wrapping_add(word));
    }

    fn count(&self) -> usize {
        self.prefixes.len() - 1
    }

    fn hash(&self, at: usize, words: usize) -> u64 {
        let power = BASE.wrapping_pow(words as u32);
        let run = self.prefixes[at + words].wrapping_sub(self.prefixes[at].wrapping_mul(power));
        mixed(run.wrapping_add(words as u64))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::EvaluationSetConfig;

    const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    const SHORT: &str = "alpha beta gamma delta epsilon zeta eta theta iota";

    fn config(folder: &std::path::Path) -> DecontaminateConfig {
        let mut sets = BTreeMap::new();
        for (name, texts) in [("a", vec![LONG, "too short"]), ("b", vec![SHORT, LONG])] {
            let path = folder.join(format!("{name}.jsonl"));
            let rows: String =
                texts.iter().map(|text| format!("{}\n", serde_json::json!({"text": text}))).collect();
            std::fs::write(&path, rows).unwrap();
            sets.insert(name.to_owned(), EvaluationSetConfig { path, fields: vec!["text".into()] });
        }
        DecontaminateConfig { sets, ..DecontaminateConfig::default() }
    }

    #[test]
    fn ngrams_are_found_whatever_case_marks_and_line_ends() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::read(&config(folder.path())).unwrap();
        let find =
            |text: &str| index.find(text).iter().map(|f| (f.word, f.words, f.sets)).collect::<Vec<_>>();
        assert_eq!(find(&format!("See: {LONG}")), [(1, 13, 0b11), (2, 13, 0b11)]);
        assert_eq!(find(&LONG.to_uppercase().replace(' ', ",\r\n > ")), [(0, 13, 0b11), (1, 13, 0b11)]);
        assert_eq!(find(&format!("x \"{SHORT}\" y")), [(1, 9, 0b10)]);
        assert_eq!(find(&LONG.replace("seven", "7")), []);
        assert_eq!(find(&SHORT.replace(" iota", "")), []);
        assert_eq!(find(""), []);
    }

    #[test]
    fn places_are_those_of_the_words() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::read(&config(folder.path())).unwrap();
        let text = format!("Ｆｕｌｌ ½ cafe\u{301}, {SHORT}.");
        let located = index.locate(&text);
        assert_eq!(located.len(), 1);
        assert_eq!(&text[located[0].1.clone()], SHORT);
        assert_eq!(index.find(&text), [located[0].0]);
    }

    #[test]
    fn sizes_tell_what_was_found() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let index = Index::read(&config).unwrap();
        let short = index.find(SHORT)[0].ngram;
        let sizes = index.sizes(&config, |ngram| ngram == short).unwrap();
        assert_eq!(sizes[0], SetSize { items: 1, items_found: 0, ngrams: 2 });
        assert_eq!(sizes[1], SetSize { items: 2, items_found: 1, ngrams: 3 });
        assert_eq!(index.names(0b10).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_set_without_long_items_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.sets.values_mut().for_each(|set| set.fields = vec!["question".into()]);
        let error = Index::read(&config).unwrap_err().to_string();
        assert!(error.ends_with("a.jsonl: no item has enough words in question"), "{error}");
    }
}
