//! The language of a text.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

/// What the `dropped` stream shows where no language could be told (ISO 639-3, undetermined).
const UNDETERMINED: &str = "und";

/// The languages that stay, by `whatlang`, which needs no model file; the reason is `language`.
///
/// KOSMOS-1 keeps English alone (B.1.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Language {
    /// ISO 639-3 codes.
    pub allowed: Vec<String>,
    /// The detector's confidence at least, 0 to 1.
    pub confidence_min: f64,
}

impl Default for Language {
    fn default() -> Self {
        Self { allowed: vec!["eng".to_owned()], confidence_min: 0.0 }
    }
}

impl Language {
    /// Detects the language; the value is the detector's confidence, 0 where it has none.
    pub fn judge(&self, text: &Text<'_>) -> Finding {
        let detected = text.language();
        let confidence = detected.map_or(0.0, |d| d.confidence);
        let passed = detected.is_some_and(|d| self.allowed.iter().any(|code| code == d.code))
            && confidence >= self.confidence_min;
        Finding {
            detail: Some(detected.map_or(UNDETERMINED, |d| d.code)),
            ..Finding::new("language", confidence, passed)
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let unknown = |code: &&String| whatlang::Lang::from_code(code.as_str()).is_none();
        if let Some(code) = self.allowed.iter().find(unknown) {
            return Err(format!("language.allowed: {code:?} is not an ISO 639-3 code the detector knows"));
        }
        if self.allowed.is_empty() {
            return Err("language.allowed is empty: nothing would pass".to_owned());
        }
        if !(0.0..=1.0).contains(&self.confidence_min) {
            return Err(format!("language.confidence_min is {}, must be from 0 to 1", self.confidence_min));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str =
        "The small boat was pulled across the lake by a group of children who laughed all the way.";
    const GERMAN: &str =
        "Das kleine Boot wurde von einer Gruppe lachender Kinder über den ganzen See gezogen.";

    #[test]
    fn other_languages_are_dropped_by_their_code() {
        let rule = Language::default();
        let english = rule.judge(&Text::new(ENGLISH));
        assert!(english.passed && english.value > 0.0, "{english:?}");
        let german = rule.judge(&Text::new(GERMAN));
        assert_eq!((german.passed, german.shown()), (false, "deu".to_owned()));
        let japanese = rule.judge(&Text::new("小さな船が湖を渡りました。子供たちは笑っていました。"));
        assert_eq!((japanese.passed, japanese.shown()), (false, "jpn".to_owned()));
    }

    #[test]
    fn a_text_of_no_language_does_not_pass() {
        let finding = Language::default().judge(&Text::new("12 + 30 = 42"));
        assert_eq!((finding.passed, finding.value, finding.shown()), (false, 0.0, "und".to_owned()));
    }

    #[test]
    fn a_doubtful_language_does_not_pass_a_high_bound() {
        let rule = Language { confidence_min: 1.0, ..Language::default() };
        assert!(!rule.judge(&Text::new("a on in")).passed);
    }
}
