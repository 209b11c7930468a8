//! A kind of sequence: text, pairs or interleaved documents. Each step takes its share of each.

use serde::{Deserialize, Serialize};

/// What a sequence was packed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text alone, many documents to a sequence.
    Text,
    /// One image and its caption.
    Pairs,
    /// A document of texts and images.
    Interleaved,
}

impl Kind {
    /// All kinds, in the order in which a step visits them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Pairs, Self::Interleaved];

    /// Returns the name used in configs, logs and scores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Pairs => "pairs",
            Self::Interleaved => "interleaved",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
