//! Where a text has an n-gram of evaluation sets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use corpus::Result;
use corpus::record::{EvaluationItem, EvaluationNgram};
use unicode_segmentation::UnicodeSegmentation;

use super::runs::{Runs, ngrams};
use crate::config::DecontaminateConfig;
use crate::near::hashes::{for_each_hash, mixed};

/// Bits of the filter before the table, for each n-gram.
const FILTER_BITS: usize = 16;

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

/// The n-grams of evaluation sets, to be looked for.
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

impl Index {
    /// Takes n-grams, so many in all.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn new(
        config: &DecontaminateConfig,
        count: usize,
        rows: impl Iterator<Item = Result<EvaluationNgram>>,
    ) -> Result<Self> {
        let mut sets = HashMap::with_capacity_and_hasher(count, Default::default());
        let mut filter = vec![0_u64; (count * FILTER_BITS / 64 + 1).next_power_of_two()];
        // The filter is asked for the first words of all of them.
        let mut lengths = vec![config.words_min as usize];
        for row in rows {
            let EvaluationNgram { ngram, start, words, sets: of } = row?;
            sets.insert(ngram, of);
            let (word, bit) = place(&filter, start);
            filter[word] |= bit;
            if let Err(at) = lengths.binary_search(&(words as usize)) {
                lengths.insert(at, words as usize);
            }
        }
        Ok(Self { names: config.sets.keys().cloned().collect(), sets, lengths, filter })
    }

    /// Returns the names of sets, by bits.
    pub fn names(&self, sets: u64) -> impl Iterator<Item = &str> {
        let is_in = move |place: &usize| sets >> place & 1 == 1;
        (0..self.names.len()).filter(is_in).map(|place| self.names[place].as_str())
    }

    /// Counts the items and the n-grams of each set, and what of them is `found`.
    ///
    /// # Errors
    /// When items cannot be read.
    pub fn sizes(
        &self,
        config: &DecontaminateConfig,
        items: impl Iterator<Item = Result<EvaluationItem>>,
        is_found: impl Fn(u64) -> bool,
    ) -> Result<Vec<SetSize>> {
        let mut sizes = vec![SetSize::default(); self.names.len()];
        for sets in self.sets.values() {
            sizes.iter_mut().enumerate().for_each(|(place, size)| size.ngrams += sets >> place & 1);
        }
        for item in items {
            let EvaluationItem { set, text, .. } = item?;
            let Some(size) = config.place_of(&set).and_then(|place| sizes.get_mut(place)) else { continue };
            let runs = Runs::of(&text);
            let mut ngrams = ngrams(runs.count(), config).peekable();
            size.items += u64::from(ngrams.peek().is_some());
            size.items_found += u64::from(ngrams.any(|(at, length)| is_found(runs.hash(at, length))));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::{Id, SourceCode};

    use super::*;
    use crate::config::EvaluationSetConfig;
    use crate::decontaminate::CollectedNgrams;

    const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    const SHORT: &str = "alpha beta gamma delta epsilon zeta eta theta iota";
    const ITEMS: [(&str, &str); 4] = [("a", LONG), ("a", "too short"), ("b", SHORT), ("b", LONG)];

    fn config() -> DecontaminateConfig {
        let set =
            |name: &str| (name.to_owned(), EvaluationSetConfig { path: String::new(), fields: Vec::new() });
        DecontaminateConfig { sets: [set("a"), set("b")].into(), ..DecontaminateConfig::default() }
    }

    fn index() -> Index {
        let config = config();
        let mut ngrams = CollectedNgrams::new(&config);
        for (set, text) in ITEMS {
            ngrams.add(set, text).unwrap();
        }
        let rows = ngrams.finish().unwrap();
        Index::new(&config, rows.len(), rows.into_iter().map(Ok)).unwrap()
    }

    #[test]
    fn ngrams_are_found_whatever_case_marks_and_line_ends() {
        let index = index();
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
        let index = index();
        let text = format!("Ｆｕｌｌ ½ cafe\u{301}, {SHORT}.");
        let located = index.locate(&text);
        assert_eq!(located.len(), 1);
        assert_eq!(&text[located[0].1.clone()], SHORT);
        assert_eq!(index.find(&text), [located[0].0]);
    }

    #[test]
    fn sizes_tell_what_was_found() {
        let index = index();
        let short = index.find(SHORT)[0].ngram;
        let id = Id::new(SourceCode(254), 0, 0).unwrap();
        let item = |(set, text): (&str, &str)| EvaluationItem { id, set: set.into(), text: text.into() };
        let items = ITEMS.into_iter().map(|of| Ok(item(of)));
        let sizes = index.sizes(&config(), items, |ngram| ngram == short).unwrap();
        assert_eq!(sizes[0], SetSize { items: 1, items_found: 0, ngrams: 2 });
        assert_eq!(sizes[1], SetSize { items: 2, items_found: 1, ngrams: 3 });
        assert_eq!(index.names(0b10).collect::<Vec<_>>(), ["b"]);
    }
}
