//! The `[evaluate]` section: how many, how long, and which words are compared.

use std::collections::BTreeMap;

use model::GenerateConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most pairs or sequences that a config may ask for.
const ROWS_MAX: u32 = 1 << 20;
/// Bytes of the prompt at most.
const PROMPT_BYTES_MAX: usize = 1_024;
/// Most words of a group that a config may ask for.
const WORDS_MAX: usize = 1 << 10;

/// Options of the evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateConfig {
    /// Maximum number of held-out pairs to caption, drawn from all of them.
    pub pairs_max: u32,
    /// Maximum number of held-out sequences of each kind to measure the loss on, drawn from all of them.
    pub sequences_max: u32,
    /// Words that the model continues behind the image; the paper has "An image of" (section 4). Default: none.
    pub prompt: String,
    /// How captions are generated. The default is greedy, with up to 64 tokens.
    pub generate: GenerateConfig,
    /// Groups of words, by name, such as `colour = ["red", "blue"]`. Evaluation measures how often the
    /// model's caption and the pair's own caption name the same word of a group.
    ///
    /// A text names the first of its words that is in the group or is one of the group with an
    /// "s" at its end; case does not matter, and words end where letters and digits do.
    pub words: BTreeMap<String, Vec<String>>,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self {
            pairs_max: 1_000,
            sequences_max: 1_000,
            prompt: String::new(),
            generate: GenerateConfig::default(),
            words: BTreeMap::new(),
        }
    }
}

impl EvaluateConfig {
    /// Checks every bound; the error names the key.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn validate(&self) -> Result<()> {
        let ensure = |key, holds: bool, reason: &str| match holds {
            true => Ok(()),
            false => Err(Error::Config { section: "evaluate", key, reason: reason.to_owned() }),
        };
        for (key, value) in [("pairs_max", self.pairs_max), ("sequences_max", self.sequences_max)] {
            let bounds = format!("is {value}, must be from 1 to {ROWS_MAX}");
            ensure(key, (1..=ROWS_MAX).contains(&value), &bounds)?;
        }
        ensure("prompt", self.prompt.len() <= PROMPT_BYTES_MAX, "must not be longer than 1024 bytes")?;
        for group in self.words.values() {
            let count = (1..=WORDS_MAX).contains(&group.len());
            ensure("words", count, "a group must have between 1 and 1024 words")?;
            let words = group.iter().all(|word| {
                !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase())
            });
            ensure("words", words, "must be lower-case letters and digits")?;
        }
        self.generate.validate().map_err(Error::of_section("evaluate"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_what_cannot_be_a_word_is_refused() {
        EvaluateConfig::default().validate().unwrap();
        let with = |word: &str| EvaluateConfig {
            words: BTreeMap::from([("colour".to_owned(), vec![word.to_owned()])]),
            ..EvaluateConfig::default()
        };
        with("red").validate().unwrap();
        for word in ["", "light blue", "Red", "red."] {
            assert!(with(word).validate().is_err(), "{word:?}");
        }
        let none = EvaluateConfig { pairs_max: 0, ..EvaluateConfig::default() };
        assert!(none.validate().unwrap_err().to_string().contains("evaluate.pairs_max is 0, must be from 1"));
        let sequences =
            |sequences_max| EvaluateConfig { sequences_max, ..EvaluateConfig::default() }.validate();
        assert_eq!([1, 1 << 20].map(|count| sequences(count).is_ok()), [true, true]);
        assert_eq!([0, (1 << 20) + 1].map(|count| sequences(count).is_ok()), [false, false]);
        let group = |count| {
            let words = vec!["red".to_owned(); count];
            let words = BTreeMap::from([("colour".to_owned(), words)]);
            EvaluateConfig { words, ..EvaluateConfig::default() }.validate().is_ok()
        };
        assert_eq!([0, 1, 1_024, 1_025].map(group), [false, true, true, false]);
        let defaults: EvaluateConfig = serde_json::from_str("{}").unwrap();
        assert_eq!((defaults.pairs_max, defaults.sequences_max), (1_000, 1_000));
        assert!(defaults.words.is_empty());
    }
}
