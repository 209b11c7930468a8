//! The language of a text: by `whatlang`, which needs no file, or by a fastText model.
//!
//! ```text
//! code             Code       an ISO 639-3 code, whichever detector named the language
//! function_words              "the", "und", "les": what decides where trigrams are unsure
//! short            remembered what was said of texts of a few letters
//! mod              Detector   a text -> its language, and how sure that is
//! ```

mod code;
mod function_words;
mod short;

use std::borrow::Cow;

pub use code::Code;

use crate::fasttext::{Model, Scratch};

/// Bytes of a text that its language is judged by; more cost time and change nothing.
pub const LANGUAGE_BYTES_MAX: usize = 16 << 10;

/// A language as it was detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// The language.
    pub code: Code,
    /// The detector's confidence, 0 to 1.
    pub confidence: f64,
}

/// What tells languages.
#[derive(Debug, Clone, Copy)]
pub enum Detector<'m> {
    /// Trigrams of 70 languages and function words of some, within the binary.
    Whatlang,
    /// A fastText model whose labels are languages, such as lid.176.
    FastText(&'m Model),
}

impl Detector<'_> {
    /// Returns the language of the first [`LANGUAGE_BYTES_MAX`] bytes, or `None` where there is
    /// nothing to tell it by.
    pub fn identify(&self, text: &str) -> Option<Detected> {
        let text = text.get(..text.floor_char_boundary(LANGUAGE_BYTES_MAX))?;
        match self {
            Self::Whatlang => short::remembered(text, by_trigrams),
            Self::FastText(model) => {
                let text = without_capitals(text);
                let best = model.predict(&text, 1, 0.0, &mut Scratch::default()).into_iter().next()?;
                let confidence = f64::from(best.probability).min(1.0);
                Some(Detected { code: Code::of_label(best.label)?, confidence })
            }
        }
    }
}

/// Returns a text in small letters if most of its letters are capitals. Models are trained on running text, and take
/// words in capitals for names, or for another language; trigrams and function words know no case.
fn without_capitals(text: &str) -> Cow<'_, str> {
    let (mut capitals, mut small) = (0_usize, 0_usize);
    for letter in text.chars() {
        capitals += usize::from(letter.is_uppercase());
        small += usize::from(letter.is_lowercase());
    }
    if capitals > small { text.to_lowercase().into() } else { text.into() }
}

/// Returns the language by `whatlang`, or by function words where it is unsure: with texts of about
/// 100 bytes that is where most of its errors are. One function word is enough if the text has letters that are
/// not of the language of its trigrams.
fn by_trigrams(text: &str) -> Option<Detected> {
    let info = whatlang::detect(text)?;
    let detected = Detected { code: Code::new(info.lang().code())?, confidence: info.confidence() };
    if info.is_reliable() || info.script() != whatlang::Script::Latin {
        return Some(detected);
    }
    let words = function_words::Words::of(text);
    let found = words.identify().or_else(|| words.instead_of(info.lang().code()));
    Some(found.unwrap_or(detected))
}

/// Returns the language of a text by the detector that needs no file.
pub fn identify(text: &str) -> Option<Detected> {
    Detector::Whatlang.identify(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_text_without_letters_has_no_language() {
        assert_eq!(identify("123 456"), None);
        assert_eq!(identify(""), None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        // One byte first, so that the bound falls within a two-byte letter.
        let text = format!("x{}", "ж".repeat(LANGUAGE_BYTES_MAX));
        assert!(!text.is_char_boundary(LANGUAGE_BYTES_MAX));
        assert!(identify(&text).is_some());
    }

    #[test]
    fn capitals_change_no_language() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext/hs-pruned.ftz");
        let model = Model::open(&path).unwrap();
        for (text, code) in [
            ("All human beings are born free and equal in dignity and rights.", "eng"),
            ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "deu"),
        ] {
            for detector in [Detector::Whatlang, Detector::FastText(&model)] {
                let (plain, capitals) =
                    (detector.identify(&text.to_lowercase()), detector.identify(&text.to_uppercase()));
                assert_eq!(capitals.unwrap().code.as_str(), code, "{detector:?}");
                assert_eq!(plain, capitals, "{detector:?}");
            }
        }
        assert_eq!(without_capitals("THE Sea"), "the sea");
        assert_eq!(without_capitals("The Sea"), "The Sea");
        assert_eq!(without_capitals("12 海"), "12 海");
    }

    #[test]
    fn short_texts_are_in_no_language_whose_letters_they_do_not_have() {
        for text in ["DANCING FOR FUN", "dancing for fun", "Dancing For Fun", "MY FRIEND IS A BIRD"] {
            assert_eq!(identify(text).unwrap().code.as_str(), "eng", "{text}");
        }
        let thanks = identify("tak for mad").unwrap();
        assert_ne!(thanks.code.as_str(), "eng", "nothing in it speaks against what trigrams say");
    }

    #[test]
    fn both_detectors_name_a_language_alike() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/fasttext/hs-pruned.ftz");
        let model = Model::open(&path).unwrap();
        for (text, code) in [
            ("All human beings are born free and equal in dignity and rights.", "eng"),
            ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "deu"),
            ("人人生而自由， 在尊严和权利上一律平等。", "cmn"),
        ] {
            for detector in [Detector::Whatlang, Detector::FastText(&model)] {
                let detected = detector.identify(text).unwrap();
                assert_eq!(detected.code.as_str(), code, "{detector:?}");
                assert!((0.0..=1.0).contains(&detected.confidence));
            }
        }
    }
}
