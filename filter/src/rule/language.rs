//! The language of a text.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Finding;
use super::files::{Loaded, NamedFiles, open_model};
use crate::language::{Code, Detector};
use crate::text::Text;

/// The languages that stay, by `whatlang`, which needs no file, or by a fastText model; the reason
/// is `language`.
///
/// KOSMOS-1 keeps English alone (B.1.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Language {
    /// ISO 639-3 codes of the languages to keep.
    pub allowed: Vec<String>,
    /// Minimum confidence of the detector, 0 to 1.
    pub confidence_min: f64,
    /// A fastText model with languages as labels (`.bin` or `.ftz`), such as lid.176.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
}

impl Default for Language {
    fn default() -> Self {
        Self { allowed: vec!["eng".to_owned()], confidence_min: 0.0, model: None }
    }
}

impl Language {
    /// Detects the language; the value is the detector's confidence, 0 where it has none.
    pub fn judge(&self, text: &Text<'_>, loaded: &Loaded) -> Finding<'static> {
        let detector = loaded.model().map_or(Detector::Whatlang, Detector::FastText);
        let detected = detector.identify(text.as_str());
        if let Some(detected) = detected {
            text.note_language(detected.code);
        }
        let confidence = detected.map_or(0.0, |d| d.confidence);
        let passed = detected.is_some_and(|d| self.allowed.iter().any(|code| code == d.code.as_str()))
            && confidence >= self.confidence_min;
        Finding {
            detail: Some(detected.map_or(Code::UNDETERMINED, |d| d.code)),
            ..Finding::new("language", confidence, passed)
        }
    }

    pub(super) fn files(&self) -> Vec<NamedFiles> {
        let model = self.model.iter();
        model.map(|path| NamedFiles { key: "model", paths: vec![path.clone()] }).collect()
    }

    /// Opens the model, and checks that it knows the languages asked for.
    pub(super) fn load(&self) -> Result<Loaded, String> {
        let Some(path) = &self.model else {
            return Ok(Loaded::Nothing);
        };
        let loaded = open_model("language.model", path)?;
        let codes = loaded.model().into_iter().flat_map(|model| model.labels()).filter_map(Code::of_label);
        let codes: Vec<_> = codes.collect();
        match self.allowed.iter().find(|allowed| !codes.iter().any(|code| code.as_str() == *allowed)) {
            Some(code) => Err(format!("language.allowed: {code:?} is not among the labels of the model")),
            None => Ok(loaded),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let is_known = |code: &str| match self.model {
            Some(_) => Code::new(code).is_some(),
            None => whatlang::Lang::from_code(code).is_some(),
        };
        if let Some(code) = self.allowed.iter().find(|code| !is_known(code)) {
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ENGLISH: &str =
        "The small boat was pulled across the lake by a group of children who laughed all the way.";
    const GERMAN: &str =
        "Das kleine Boot wurde von einer Gruppe lachender Kinder über den ganzen See gezogen.";

    fn judge(rule: &Language, text: &str) -> Finding<'static> {
        rule.judge(&Text::new(text), &rule.load().unwrap())
    }

    fn with_model() -> Language {
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext");
        Language { model: Some(golden.join("hs-pruned.ftz")), ..Language::default() }
    }

    #[test]
    fn other_languages_are_dropped_by_their_code() {
        let rule = Language::default();
        let english = judge(&rule, ENGLISH);
        assert!(english.passed && english.value > 0.0, "{english:?}");
        let german = judge(&rule, GERMAN);
        assert_eq!((german.passed, german.shown()), (false, "deu".to_owned()));
        let japanese = judge(&rule, "小さな船が湖を渡りました。子供たちは笑っていました。");
        assert_eq!((japanese.passed, japanese.shown()), (false, "jpn".to_owned()));
    }

    #[test]
    fn a_model_takes_the_place_of_the_detector() {
        let rule = with_model();
        assert!(judge(&rule, "All human beings are born free and equal in rights").passed);
        let german = judge(&rule, "Alle Menschen sind frei und gleich an Würde und Rechten geboren");
        assert_eq!((german.passed, german.shown()), (false, "deu".to_owned()));
        assert!(german.value > 0.5, "{german:?}");
    }

    #[test]
    fn a_language_the_model_lacks_is_refused() {
        let rule = Language { allowed: vec!["eng".into(), "swe".into()], ..with_model() };
        assert!(rule.load().unwrap_err().contains("\"swe\""));
        assert_eq!(rule.validate(), Ok(()));
    }

    #[test]
    fn a_text_of_no_language_does_not_pass() {
        let finding = judge(&Language::default(), "12 + 30 = 42");
        assert_eq!((finding.passed, finding.value, finding.shown()), (false, 0.0, "und".to_owned()));
    }

    #[test]
    fn a_doubtful_language_does_not_pass_a_high_bound() {
        let rule = Language { confidence_min: 1.0, ..Language::default() };
        assert!(!judge(&rule, "a on in").passed);
    }
}
