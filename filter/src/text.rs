//! A text under judgement: what several rules need is computed once.

use std::cell::{Cell, OnceCell};

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::language::Code;
use crate::scripts::Script;
use crate::{tokens, words};

/// What a rule counts as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Text between white space, including punctuation, as in the papers; in scripts without spaces, the
    /// words found by a dictionary. Bounds that assume English or spaces apply to no other text.
    #[default]
    Spaces,
    /// Words and punctuation marks separately, as in datatrove: for equal tokens the decisions are the same
    /// in every script.
    Tokens,
}

/// A view of a text with its word count, computed when it is first asked for, and its language
/// once a rule has found it.
#[derive(Debug)]
pub struct Text<'t> {
    text: &'t str,
    word_count: OnceCell<u64>,
    tokens: OnceCell<Vec<&'t str>>,
    words: OnceCell<Vec<&'t str>>,
    script: OnceCell<Script>,
    language: Cell<Option<Code>>,
}

impl<'t> Text<'t> {
    /// Returns the view of a text.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            word_count: OnceCell::new(),
            tokens: OnceCell::new(),
            words: OnceCell::new(),
            script: OnceCell::new(),
            language: Cell::new(None),
        }
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

    /// Returns the words and the marks between them.
    pub fn tokens(&self) -> &[&'t str] {
        self.tokens.get_or_init(|| tokens::tokens(self.text))
    }

    /// Returns the words between white space, and of scripts without spaces those that a dictionary finds.
    pub fn words(&self) -> &[&'t str] {
        self.words.get_or_init(|| words::words(self.text))
    }

    /// Returns what a rule counts.
    pub(crate) fn counted(&self, counted: Counted) -> &[&'t str] {
        match counted {
            Counted::Spaces => self.words(),
            Counted::Tokens => self.tokens(),
        }
    }

    /// Returns how many there are of what a rule counts.
    pub(crate) fn count(&self, counted: Counted) -> usize {
        match counted {
            Counted::Spaces => self.words.get().map_or_else(|| words::count(self.text), Vec::len),
            Counted::Tokens => self.tokens.get().map_or_else(|| tokens::count(self.text), Vec::len),
        }
    }

    /// Returns the script of most letters.
    pub(crate) fn script(&self) -> Script {
        *self.script.get_or_init(|| Script::of(self.text))
    }

    /// Keeps the language that a rule has found.
    pub fn note_language(&self, code: Code) {
        self.language.set(Some(code));
    }

    /// Returns the language if a rule has found it.
    pub fn known_language(&self) -> Option<Code> {
        self.language.get()
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
}
