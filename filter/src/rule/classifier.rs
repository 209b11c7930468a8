//! Quality by a fastText classifier.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Finding;
use super::files::{Loaded, NamedFiles, open_model};
use crate::fasttext::Scratch;
use crate::text::Text;

/// Bytes of a text that a classifier sees.
pub const CLASSIFIER_BYTES_MAX: usize = 1 << 20;

/// A label that a fastText model must give with a probability at least; the reason is `classifier`.
///
/// KOSMOS-1 takes The Pile's text from MT-NLG's recipe, whose classifier of Common Crawl was trained
/// with OpenWebText2, Wikipedia and Books3 as good text (Smith et al. 2022).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// The model, `.bin` or `.ftz`.
    pub model: PathBuf,
    /// The label of texts to keep, including its prefix (`__label__good`).
    pub label: String,
    /// Minimum probability of the label, 0 to 1.
    pub probability_min: f64,
}

impl Classifier {
    /// Asks the model; the value is the label's probability, 0 where the model knows nothing of
    /// the text.
    pub fn judge(&self, text: &Text<'_>, loaded: &Loaded) -> Finding<'static> {
        let text = text.as_str();
        let text = text.get(..text.floor_char_boundary(CLASSIFIER_BYTES_MAX)).unwrap_or_default();
        let predictions = loaded
            .model()
            .map(|model| model.predict(text, usize::MAX, 0.0, &mut Scratch::default()))
            .unwrap_or_default();
        let found = predictions.iter().find(|prediction| prediction.label == self.label);
        let probability = found.map_or(0.0, |prediction| f64::from(prediction.probability).min(1.0));
        Finding::new("classifier", probability, probability >= self.probability_min)
    }

    pub(super) fn files(&self) -> Vec<NamedFiles> {
        vec![NamedFiles { key: "model", paths: vec![self.model.clone()] }]
    }

    /// Opens the model, and checks that it has the label.
    pub(super) fn load(&self) -> Result<Loaded, String> {
        let loaded = open_model("classifier.model", &self.model)?;
        let mut labels = loaded.model().into_iter().flat_map(|model| model.labels());
        if !labels.any(|label| label == self.label) {
            return Err(format!("classifier.label: {:?} is not among the labels of the model", self.label));
        }
        drop(labels);
        Ok(loaded)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.probability_min) {
            let probability_min = self.probability_min;
            return Err(format!("classifier.probability_min is {probability_min}, must be from 0 to 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(label: &str) -> Classifier {
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext");
        Classifier { model: golden.join("softmax.bin"), label: label.into(), probability_min: 0.5 }
    }

    #[test]
    fn a_text_passes_by_the_probability_of_its_label() {
        let (english, german) = (rule("__label__en"), rule("__label__de"));
        let text = Text::new("All human beings\nare born free and equal in dignity and rights");
        let judge = |rule: &Classifier| rule.judge(&text, &rule.load().unwrap());
        assert!(judge(&english).passed && judge(&english).value > 0.5);
        assert!(!judge(&german).passed && judge(&german).value < 0.5);
    }

    #[test]
    fn a_label_the_model_lacks_is_refused() {
        assert!(rule("good").load().unwrap_err().contains("\"good\""));
    }

    #[test]
    fn an_impossible_probability_is_refused() {
        let error = Classifier { probability_min: 2.0, ..rule("__label__en") }.validate().unwrap_err();
        assert!(error.contains("probability_min is 2"), "{error}");
    }
}
