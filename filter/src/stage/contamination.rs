//! The stages that find what documents share with evaluation sets: `text.matches`, `text.contamination`.

use std::collections::HashMap;
use std::sync::Arc;

use corpus::record::{
    CONTAMINATION, Contamination, DOCUMENTS, DocumentText, ITEMS, MATCHES, Match, RARE_NGRAMS, RareNgram,
};
use corpus::stage::Inputs;
use corpus::{Declared, Id, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::{DecontaminateConfig, SETS_MAX};
use crate::decontaminate::SharedIndex;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// What is counted.
const TEXTS: &str = DOCUMENTS.name();
const NGRAMS: &str = RARE_NGRAMS.name();
/// The reason why an n-gram is ignored; the value is how often it occurs.
const COMMON: &str = "common";

/// Finds the n-grams of evaluation sets in documents, one task per part.
#[derive(Debug)]
pub struct Matches {
    /// The stage's name.
    pub name: String,
    /// The stage whose documents it reads.
    pub documents: String,
    /// What is looked for.
    pub index: Arc<SharedIndex>,
}

impl Stage for Matches {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.documents.clone(), self.index.ngrams.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"words_min": self.index.config.words_min}))
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.documents)?.part_count(DOCUMENTS)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![MATCHES.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let index = self.index.get(task.inputs)?;
        let documents = task.inputs.get(&self.documents)?;
        if let Some(part) = documents.part(DOCUMENTS, task.index)? {
            for row in documents.open_at::<DocumentText>(&part, out.position())? {
                let DocumentText { id, text } = row?;
                out.read(TEXTS);
                for found in index.find(&text) {
                    out.write(MATCHES, Match { id, ngram: found.ngram, sets: found.sets })?;
                }
                out.keep(TEXTS);
                out.advance(1)?;
            }
        }
        Ok(())
    }
}

/// Counts n-grams over all documents, ignores the common ones, and reports on each set. One task, which
/// holds the n-grams that were found: of the sets at most all.
#[derive(Debug)]
pub struct Counts {
    /// The stage's name.
    pub name: String,
    /// The stage whose matches it reads.
    pub matches: String,
    /// The stage that read the items.
    pub items: String,
    /// What was looked for.
    pub index: Arc<SharedIndex>,
}

/// The sets of an n-gram, and its occurrences.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    sets: u64,
    times: u64,
}

impl Counts {
    fn is_common(&self, count: &Count) -> bool {
        count.times >= self.index.config.common
    }

    /// Returns how many documents hold an n-gram of each set that is not common.
    fn documents(&self, task: &Task<'_>, counts: &HashMap<u64, Count>) -> Result<[u64; SETS_MAX]> {
        let mut documents = [0; SETS_MAX];
        let (mut current, mut seen) = (None, 0_u64);
        for row in task.inputs.get(&self.matches)?.rows(MATCHES) {
            let Match { id, ngram, sets } = row?;
            if current.replace(id) != Some(id) {
                seen = 0;
            }
            if counts.get(&ngram).is_some_and(|count| !self.is_common(count)) {
                let new = sets & !seen;
                documents.iter_mut().enumerate().for_each(|(place, count)| *count += new >> place & 1);
                seen |= sets;
            }
        }
        Ok(documents)
    }

    fn report(&self, task: &Task<'_>, counts: &HashMap<u64, Count>, out: &mut Output<'_>) -> Result<()> {
        let (index, config) = (self.index.get(task.inputs)?, &self.index.config);
        let is_rare = |ngram| counts.get(&ngram).is_some_and(|count| !self.is_common(count));
        let items = task.inputs.get(&self.items)?.rows(ITEMS);
        let sizes = index.sizes(config, items, is_rare)?;
        let documents = self.documents(task, counts)?;
        for (place, (set, size)) in config.sets.keys().zip(sizes).enumerate() {
            let of_set = |is_wanted: &dyn Fn(&Count) -> bool| {
                counts.values().filter(|count| count.sets >> place & 1 == 1 && is_wanted(count)).count()
                    as u64
            };
            let row = Contamination {
                set: set.clone(),
                items: size.items,
                items_found: size.items_found,
                ngrams: size.ngrams,
                ngrams_found: of_set(&|count| !self.is_common(count)),
                ngrams_common: of_set(&|count| self.is_common(count)),
                documents: documents[place],
            };
            out.write(CONTAMINATION, row)?;
        }
        Ok(())
    }
}

impl Stage for Counts {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.matches.clone(), self.items.clone(), self.index.ngrams.clone()]
    }

    fn settings(&self) -> Result<Value> {
        let DecontaminateConfig { words, words_min, common, .. } = self.index.config;
        Ok(json!({"words": words, "words_min": words_min, "common": common}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![RARE_NGRAMS.into(), CONTAMINATION.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(u64::MAX);
        let mut counts: HashMap<u64, Count> = HashMap::new();
        for row in task.inputs.get(&self.matches)?.rows(MATCHES) {
            let Match { ngram, sets, .. } = row?;
            task.cancel.check()?;
            let count = counts.entry(ngram).or_default();
            (count.sets, count.times) = (sets, count.times + 1);
        }
        self.report(task, &counts, out)?;
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort_unstable_by_key(|(ngram, _)| **ngram);
        for (ngram, count) in sorted {
            out.read(NGRAMS);
            if self.is_common(count) {
                let (id, value) = (Id::from_bits(*ngram), count.times.to_string());
                out.drop(NGRAMS, Removal { id, key: None, url: None, reason: COMMON, value, preview: "" })?;
            } else {
                out.write(RARE_NGRAMS, RareNgram { ngram: *ngram, sets: count.sets, count: count.times })?;
                out.keep(NGRAMS);
            }
        }
        out.advance(1)?;
        Ok(())
    }
}
