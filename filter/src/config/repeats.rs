//! How passages that occur again are found.

use serde::{Deserialize, Serialize};

use super::{MEMORY_MB_DEFAULT, validate_sort};

/// An element of `text.repeats`: passages that occurred earlier in the corpus are cut out of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatsConfig {
    /// What passages consist of.
    pub unit: Unit,
    /// Units per passage. Default: 1 line, 3 sentences or 50 words.
    #[serde(default)]
    pub run: Option<u32>,
    /// Which occurrence to keep.
    #[serde(default)]
    pub keep: Keep,
    /// Treat all digits as equal, as CCNet does for lines.
    #[serde(default)]
    pub any_digit: bool,
    /// A document with fewer words left after a cut is dropped; an empty one always is.
    #[serde(default = "words_left_min")]
    pub words_left_min: u32,
    /// Number of partitions of the key space, 1 to 4,096. Does not affect
    /// the result.
    #[serde(default = "partitions")]
    pub partitions: u32,
    /// Memory in MiB for this step, shared by the parallel tasks of a process; each gets at least 1 MiB. Does
    /// not affect the result.
    #[serde(default = "memory_mb")]
    pub memory_mb: u32,
}

/// What passages are runs of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Lines, which are a document's paragraphs (CCNet, arXiv 1911.00359, section 3.1).
    Lines,
    /// Sentences (C4, arXiv 1910.10683, section 2.2: spans of three).
    Sentences,
    /// Words (`ExactSubstr`, arXiv 2107.06499, section 4.1: 50 tokens).
    Words,
}

/// Which occurrence of a passage to keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The first in the order of ids, which is that of the source with the smallest code.
    #[default]
    First,
    /// None: a passage that is everywhere (menus, notices) has no value anywhere.
    None,
}

/// Units of a passage at most.
const RUN_MAX: u32 = 1_024;

fn words_left_min() -> u32 {
    50
}

fn partitions() -> u32 {
    16
}

fn memory_mb() -> u32 {
    MEMORY_MB_DEFAULT
}

impl Unit {
    /// Returns the word that names it in stages and configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Sentences => "sentences",
            Self::Words => "words",
        }
    }
}

impl RepeatsConfig {
    /// Returns the units of a passage.
    pub fn run(&self) -> u32 {
        self.run.unwrap_or(match self.unit {
            Unit::Lines => 1,
            Unit::Sentences => 3,
            Unit::Words => 50,
        })
    }

    /// Checks the bounds of a list, in which every unit is once at most: its stages are named after it.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate_all(list: &[Self]) -> Result<(), String> {
        for (index, config) in list.iter().enumerate() {
            config.validate().map_err(|error| format!("repeats[{index}].{error}"))?;
            if list[..index].iter().any(|earlier| earlier.unit == config.unit) {
                return Err(format!("repeats[{index}].unit is {:?} again", config.unit.name()));
            }
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        if !(1..=RUN_MAX).contains(&self.run()) {
            return Err(format!("run is {}, must be from 1 to {RUN_MAX}", self.run()));
        }
        validate_sort(self.partitions, self.memory_mb)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::TextConfig;

    #[test]
    fn passages_have_defaults_by_their_unit_and_each_unit_is_once() {
        let read = |list: &str| toml::from_str::<TextConfig>(&format!("repeats = [{list}]")).unwrap();
        let all = read("{ unit = \"lines\" }, { unit = \"sentences\" }, { unit = \"words\", run = 64 }");
        assert_eq!(all.validate(), Ok(()));
        assert_eq!(all.repeats.iter().map(super::RepeatsConfig::run).collect::<Vec<_>>(), [1, 3, 64]);
        let refused = |list: &str| read(list).validate().unwrap_err();
        assert!(refused("{ unit = \"words\", run = 0 }").contains("repeats[0].run is 0"));
        assert!(refused("{ unit = \"lines\", memory_mb = 1 }").contains("repeats[0].memory_mb is 1"));
        assert!(
            refused("{ unit = \"lines\" }, { unit = \"lines\" }").contains("repeats[1].unit is \"lines\"")
        );
    }
}
