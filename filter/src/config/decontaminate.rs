//! What of evaluation sets documents must not hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Evaluation sets at most: a match tells of them by a bit each.
pub const SETS_MAX: usize = 64;
/// Words of an n-gram at most.
const WORDS_MAX: u32 = 64;

/// `[text.decontaminate]`: what is found of evaluation sets is cut out of documents, or drops them.
///
/// The defaults are those of `filter_ngrams.py` in Megatron-LM's `tools/openwebtext`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecontaminateConfig {
    /// The evaluation sets by name.
    pub sets: BTreeMap<String, EvaluationSetConfig>,
    /// What happens to a document with an n-gram of a set.
    pub action: Action,
    /// Words of an n-gram. Each one that is found takes more than itself out of a document, with `action = "cut"`:
    /// `margin_chars` on either side, and then all up to where a sentence ends.
    pub words: u32,
    /// Words of the shortest item that counts; those with fewer than `words` are whole an n-gram.
    pub words_min: u32,
    /// Occurrences in all documents from which an n-gram is common, and ignored.
    pub common: u64,
    /// Characters that are cut on either side of an n-gram, then all up to where a sentence ends (`.`, `!`,
    /// `?`). Default: 200. A question of 27 words can so take two thirds of a document; the unit `bytes` of
    /// the stage counts what was taken. With 0 only the sentences around the n-gram go.
    pub margin_chars: u32,
    /// Characters that a piece between two cuts must exceed to stay.
    pub piece_chars: u32,
    /// Pieces of a document at most; one that is cut into more is dropped.
    pub pieces_max: u32,
}

/// An evaluation set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSetConfig {
    /// JSON lines, one JSON list, CSV or TSV with a header (each plain or compressed), or Parquet: a file, a folder of
    /// them, a path with wildcards, or a URL.
    pub path: String,
    /// The fields whose texts are its items; without one, every text in a row is.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// Returns the key of a set, for messages.
pub fn key_of_set(name: &str) -> String {
    format!("text.decontaminate.sets.{name}")
}

/// What happens to a document that holds an n-gram of an evaluation set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The n-gram is cut out with what is around it.
    #[default]
    Cut,
    /// The document is dropped.
    Drop,
}

impl Default for DecontaminateConfig {
    fn default() -> Self {
        Self {
            sets: BTreeMap::new(),
            action: Action::default(),
            words: 13,
            words_min: 8,
            common: 10,
            margin_chars: 200,
            piece_chars: 200,
            pieces_max: 10,
        }
    }
}

impl DecontaminateConfig {
    /// Returns the place of a set in the order of their names: its bit.
    pub(crate) fn place_of(&self, set: &str) -> Option<usize> {
        self.sets.keys().position(|name| name == set)
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        let Self { words, words_min, .. } = self;
        if self.sets.is_empty() || self.sets.len() > SETS_MAX {
            return Err(format!("decontaminate.sets are {}, must be 1 to {SETS_MAX}", self.sets.len()));
        }
        if let Some((name, _)) = self.sets.iter().find(|(_, set)| set.path.trim().is_empty()) {
            return Err(format!("decontaminate.sets.{name}.path is empty, must name a file or a folder"));
        }
        if *words_min == 0 || words_min > words || *words > WORDS_MAX {
            return Err(format!(
                "decontaminate.words is {words} and words_min {words_min}: both must be from 1 to {WORDS_MAX}, \
                 and words_min not above words"
            ));
        }
        if self.common == 0 || self.pieces_max == 0 {
            return Err("decontaminate: common and pieces_max must be at least 1".to_owned());
        }
        Ok(())
    }
}
