//! What the run's configuration says of filtering.

mod decontaminate;
mod image_duplicates;
mod near;
mod repeats;

use serde::{Deserialize, Serialize};

pub use decontaminate::{Action, DecontaminateConfig, EvaluationSetConfig, SETS_MAX, key_of_set};
pub use image_duplicates::ImageDuplicatesConfig;
pub use near::{NearConfig, Preset};
pub use repeats::{Keep, RepeatsConfig, Unit};

use crate::rule::{PageRule, PairRule, TextRule};

/// Partitions of exact duplicate finding by default.
pub const PARTITIONS_DEFAULT: u32 = 4;
/// Partitions at most.
pub const PARTITIONS_MAX: u32 = 4_096;
/// Memory for finding duplicates by default, in MiB.
const MEMORY_MB_DEFAULT: u32 = 1_024;
/// And at least, so that sorting is not all seeking.
const MEMORY_MB_MIN: u32 = 64;
/// Share of the text that is held out by default.
pub const VALIDATION_SHARE_DEFAULT: f64 = 0.001;

/// `[text]`: rules, duplicates and the split of text documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// The rules, in order. The first one that a document fails is the reason for dropping it.
    pub rules: Vec<TextRule>,
    /// How exact duplicates are found.
    pub exact: ExactConfig,
    /// Near-duplicate detection; off if absent.
    pub near: Option<NearConfig>,
    /// Repeated passages to cut, one kind after the other.
    pub repeats: Vec<RepeatsConfig>,
    /// Text that documents must not contain. If absent, documents are not checked.
    pub decontaminate: Option<DecontaminateConfig>,
    /// Share of documents held out for validation, 0 to 1 (not stated in the paper).
    pub validation_share: f64,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            exact: ExactConfig::default(),
            near: None,
            repeats: Vec::new(),
            decontaminate: None,
            validation_share: VALIDATION_SHARE_DEFAULT,
        }
    }
}

impl TextConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        validate_rules(&self.rules, TextRule::validate)?;
        self.exact.validate()?;
        self.near.as_ref().map_or(Ok(()), NearConfig::validate)?;
        RepeatsConfig::validate_all(&self.repeats)?;
        self.decontaminate.as_ref().map_or(Ok(()), DecontaminateConfig::validate)?;
        if !(0.0..=1.0).contains(&self.validation_share) {
            return Err(format!("validation_share is {}, must be from 0 to 1", self.validation_share));
        }
        Ok(())
    }
}

/// `[pairs]`: rules and duplicates of image-caption pairs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairsConfig {
    /// The rules, in order. The first one that a pair fails is the reason for dropping it.
    pub rules: Vec<PairRule>,
    /// How exact duplicates (the same URL and caption) are found.
    pub exact: ExactConfig,
}

impl PairsConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        validate_rules(&self.rules, PairRule::validate)?;
        self.exact.validate()
    }
}

/// `[interleaved]`: the rules that select candidate pages before any image is fetched.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterleavedConfig {
    /// The rules, in order. The first one that a page fails is the reason for dropping it.
    pub rules: Vec<PageRule>,
    /// How pages with the same main text are found, of which one goes on (`{}` for the defaults). If missing, all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<ExactConfig>,
}

impl InterleavedConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        validate_rules(&self.rules, PageRule::validate)?;
        self.exact.as_ref().map_or(Ok(()), ExactConfig::validate)
    }
}

/// How exact duplicates are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExactConfig {
    /// Number of partitions of the key space, 1 to 4,096. Does not affect the result.
    pub partitions: u32,
    /// Memory in MiB for this step, shared by the parallel tasks of a process; each gets at least 1 MiB. Does
    /// not affect the result.
    pub memory_mb: u32,
    /// Treat texts as equal if they differ only in white space or Unicode compatibility forms.
    pub normalise: bool,
}

impl Default for ExactConfig {
    fn default() -> Self {
        Self { partitions: PARTITIONS_DEFAULT, memory_mb: MEMORY_MB_DEFAULT, normalise: true }
    }
}

impl ExactConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        validate_sort(self.partitions, self.memory_mb).map_err(|error| format!("exact.{error}"))
    }
}

/// Checks the bounds of what is found by sorting.
fn validate_sort(partitions: u32, memory_mb: u32) -> Result<(), String> {
    if !(1..=PARTITIONS_MAX).contains(&partitions) {
        return Err(format!("partitions is {partitions}, must be from 1 to {PARTITIONS_MAX}"));
    }
    if memory_mb < MEMORY_MB_MIN {
        return Err(format!("memory_mb is {memory_mb}, must be at least {MEMORY_MB_MIN}"));
    }
    Ok(())
}

fn validate_rules<R>(rules: &[R], validate: impl Fn(&R) -> Result<(), String>) -> Result<(), String> {
    for (index, rule) in rules.iter().enumerate() {
        validate(rule).map_err(|error| format!("rules[{index}].{error}"))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        rules = [
            { words = { words_min = 20, words_max = 100000 } },
            { symbols = { ratio_max = 0.1 } },
            { language = { allowed = ["eng"] } },
        ]
        exact = { partitions = 4, normalise = true }
        validation_share = 0.02
    "#;

    #[test]
    fn a_whole_section_is_read_and_written_back() {
        let config: TextConfig = toml::from_str(TEXT).unwrap();
        assert_eq!(config.rules.len(), 3);
        assert_eq!(config.validate(), Ok(()));
        let again: TextConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
        assert_eq!(toml::from_str::<TextConfig>("").unwrap(), TextConfig::default());
    }

    #[test]
    fn pairs_and_pages_have_rules_of_their_own() {
        let pairs: PairsConfig = toml::from_str(
            r#"rules = [
                { person_tag = { sources = ["cc3m", "cc12m"] } },
                { side_min = { sources = ["laion2b"], side_pixels_min = 200 } },
                { caption_words = { words_min = 1, words_max = 256 } },
            ]"#,
        )
        .unwrap();
        assert_eq!(pairs.validate(), Ok(()));
        let pages: InterleavedConfig =
            toml::from_str("rules = [{ images = { images_min = 1 } }, { words = { words_min = 5 } }]")
                .unwrap();
        assert_eq!(pages.validate(), Ok(()));
        let error = toml::from_str::<TextConfig>("rules = [{ side_min = { sources = [] } }]").unwrap_err();
        assert!(error.message().contains("unknown variant `side_min`"), "{error}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let error = toml::from_str::<TextConfig>("rules = [\n{ words = { word_min = 20 } },\n]").unwrap_err();
        assert!(error.message().contains("unknown field `word_min`"), "{error}");
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn impossible_values_are_refused_by_key() {
        let check = |section: &str, expected: &str| {
            let error = toml::from_str::<TextConfig>(section).unwrap().validate().unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("validation_share = 1.5", "validation_share is 1.5");
        check("exact = { partitions = 0 }", "exact.partitions is 0");
        check("rules = [{ words = { words_min = 3, words_max = 2 } }]", "rules[0].words");
        check("rules = [{ symbols = { ratio_max = -1.0 } }]", "rules[0].symbols.ratio_max");
        check("rules = [{ language = { allowed = [\"en\"] } }]", "\"en\"");
        check("rules = [{ language = { allowed = [\"en\"], model = \"lid.bin\" } }]", "\"en\"");
        check("rules = [{ url_lists = {} }]", "rules[0].url_lists names no list");
        let classifier = "{ model = \"m.bin\", label = \"__label__good\", probability_min = 7 }";
        check(&format!("rules = [{{ classifier = {classifier} }}]"), "classifier.probability_min is 7");
    }
}
