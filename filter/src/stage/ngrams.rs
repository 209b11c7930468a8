//! The stage that collects the n-grams of evaluation sets: `text.ngrams`.

use corpus::record::{EVALUATION_NGRAMS, EvaluationItem, ITEMS};
use corpus::stage::Inputs;
use corpus::{Declared, Error, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::DecontaminateConfig;
use crate::decontaminate::{CollectedNgrams, NgramsError};

/// What is counted.
const UNIT: &str = ITEMS.name();
/// The reason of an item without an n-gram; the value is the number of its words.
const WORDS_MIN: &str = "words_min";

/// Collects n-grams, each once with the sets that it is of. One task, which holds all of them.
#[derive(Debug)]
pub struct Ngrams {
    /// The stage's name.
    pub name: String,
    /// The stage whose items it reads.
    pub items: String,
    /// What is an n-gram.
    pub config: DecontaminateConfig,
}

impl Stage for Ngrams {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.items.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"words": self.config.words, "words_min": self.config.words_min}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![EVALUATION_NGRAMS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(u64::MAX);
        let refused =
            |error: NgramsError| Error::Settings { stage: self.name.clone(), detail: error.to_string() };
        let mut collected = CollectedNgrams::new(&self.config);
        for row in task.inputs.get(&self.items)?.rows(ITEMS) {
            let EvaluationItem { id, set, text } = row?;
            task.cancel.check()?;
            out.read(UNIT);
            let words = collected.add(&set, &text).map_err(refused)?;
            if words >= self.config.words_min as usize {
                out.keep(UNIT);
            } else {
                let (key, value, preview) = (Some(set.as_str()), words.to_string(), text.as_str());
                out.drop(UNIT, Removal { id, key, url: None, reason: WORDS_MIN, value, preview })?;
            }
        }
        for ngram in collected.finish().map_err(refused)? {
            out.write(EVALUATION_NGRAMS, ngram)?;
        }
        out.advance(1)?;
        Ok(())
    }
}
