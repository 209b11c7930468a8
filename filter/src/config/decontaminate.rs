//! What of evaluation sets documents must not hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Evaluation sets at most: a match tells of them by a bit each.
pub const SETS_MAX: usize = 64;
/// Words of an n-gram at most.
const WORDS_MAX: u32 = 64;

/// `[text.decontaminate]`: text shared with evaluation sets is cut out of documents, or the documents are
/// dropped.
///
/// The defaults are those of `filter_ngrams.py` in Megatron-LM's `tools/openwebtext`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecontaminateConfig {
    /// The evaluation sets by name.
    pub sets: BTreeMap<String, EvaluationSetConfig>,
    /// What to do with a document that contains an n-gram of a set.
    pub action: Action,
    /// Words per n-gram. With `action = "cut"`, each match also removes `margin_chars` on either side and the
    /// rest of the sentences there.
    pub words: u32,
    /// Words in the shortest item that counts. An item with fewer than `words` words is matched as a whole.
    pub words_min: u32,
    /// An n-gram that occurs at least this often in all documents is common, and ignored.
    pub common: u64,
    /// Characters to cut on either side of an n-gram; the cut then extends to the end of a sentence (`.`,
    /// `!`, `?`). With 200, a question of 27 words can remove two thirds of a document; the stage's unit
    /// `bytes` counts what was cut. With 0, only the sentences around the n-gram are cut.
    pub margin_chars: u32,
    /// A piece between two cuts is kept only if it has more characters than this.
    pub piece_chars: u32,
    /// Maximum number of pieces per document. A document cut into more is dropped.
    pub pieces_max: u32,
}

/// An evaluation set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSetConfig {
    /// JSON lines, one JSON list, CSV or TSV with a header (each plain or compressed), or Parquet: a file, a folder of
    /// them, a path with wildcards, or a URL.
    pub path: String,
    /// The fields whose texts are items; if empty, every text in a row is one.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// Returns the key of a set, for messages.
pub fn key_of_set(name: &str) -> String {
    format!("text.decontaminate.sets.{name}")
}

/// What to do with a document that contains an n-gram of an evaluation set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Cut out the n-gram and its surroundings.
    #[default]
    Cut,
    /// Drop the document.
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
