//! The number of words: too short says little, too long is no prose.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

/// Words a text has at least, by default.
pub const WORDS_MIN_DEFAULT: u64 = 20;
/// Words a text has at most, by default.
pub const WORDS_MAX_DEFAULT: u64 = 100_000;

/// Bounds on the number of Unicode words; the reasons are `words_min` and `words_max`.
///
/// The paper states no length for text or captions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Minimum number of words.
    pub words_min: u64,
    /// Maximum number of words.
    pub words_max: u64,
}

impl Default for Words {
    fn default() -> Self {
        Self { words_min: WORDS_MIN_DEFAULT, words_max: WORDS_MAX_DEFAULT }
    }
}

impl Words {
    /// Counts the words and compares them with both bounds.
    pub fn judge(&self, text: &Text<'_>) -> [Finding<'static>; 2] {
        let count = text.word_count();
        [
            Finding::new("words_min", count as f64, count >= self.words_min),
            Finding::new("words_max", count as f64, count <= self.words_max),
        ]
    }

    pub(super) fn validate(&self, key: &str) -> Result<(), String> {
        let Self { words_min, words_max } = self;
        if words_min > words_max {
            return Err(format!("{key}: words_min {words_min} is above words_max {words_max}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_are_inclusive() {
        let rule = Words { words_min: 2, words_max: 3 };
        let passed = |text| rule.judge(&Text::new(text)).map(|finding| finding.passed);
        assert_eq!(passed("one"), [false, true]);
        assert_eq!(passed("one two"), [true, true]);
        assert_eq!(passed("one two, three!"), [true, true]);
        assert_eq!(passed("one two three four"), [true, false]);
        assert_eq!(rule.judge(&Text::new("one"))[0].value, 1.0);
    }
}
