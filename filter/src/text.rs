//! A text under judgement: what several rules need is computed once.

use std::cell::OnceCell;

use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a text that its language is judged by; more cost time and change nothing.
pub const LANGUAGE_BYTES_MAX: usize = 16 << 10;

/// A language as it was detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detected {
    /// ISO 639-3 code.
    pub code: &'static str,
    /// The detector's confidence, 0 to 1.
    pub confidence: f64,
}

/// A view of a text with its word count and language, each computed when it is first asked for.
#[derive(Debug)]
pub struct Text<'t> {
    text: &'t str,
    word_count: OnceCell<u64>,
    language: OnceCell<Option<Detected>>,
}

impl<'t> Text<'t> {
    /// Returns the view of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, word_count: OnceCell::new(), language: OnceCell::new() }
    }

    /// Returns the text itself.
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// Returns the number of words by Unicode's word boundaries (UAX #29): segments with a
    /// letter or a digit.
    pub fn word_count(&self) -> u64 {
        *self.word_count.get_or_init(|| self.text.unicode_words().count() as u64)
    }

    /// Returns the language of the first [`LANGUAGE_BYTES_MAX`] bytes by `whatlang`, or `None`
    /// where there is nothing to tell it by.
    pub fn language(&self) -> Option<Detected> {
        *self.language.get_or_init(|| {
            let end = self.text.floor_char_boundary(LANGUAGE_BYTES_MAX);
            let info = whatlang::detect(self.text.get(..end)?)?;
            Some(Detected { code: info.lang().code(), confidence: info.confidence() })
        })
    }

    /// Returns the language's code if a rule has asked for it.
    pub fn known_language(&self) -> Option<&'static str> {
        self.language.get().copied().flatten().map(|detected| detected.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_unicode() {
        let count = |text| Text::new(text).word_count();
        assert_eq!(count("The quick (\"brown\") fox can't jump 32.3 feet, right?"), 9);
        assert_eq!(count(" \n -- !"), 0);
        assert_eq!(count("日本語"), 3);
    }

    #[test]
    fn the_language_is_known_only_once_a_rule_asked() {
        let text =
            Text::new("The old man walked slowly along the river and looked at the birds in the trees.");
        assert_eq!(text.known_language(), None);
        assert_eq!(text.language().map(|detected| detected.code), Some("eng"));
        assert_eq!(text.known_language(), Some("eng"));
        assert_eq!(Text::new("123 456").language(), None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        // One byte first, so that the bound falls within a two-byte letter.
        let text = format!("x{}", "ж".repeat(LANGUAGE_BYTES_MAX));
        assert!(!text.is_char_boundary(LANGUAGE_BYTES_MAX));
        assert!(Text::new(&text).language().is_some());
    }
}
