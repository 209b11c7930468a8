//! Words as near-duplicates are judged by: what case, punctuation, white space, characters that are not seen and
//! compatibility forms do not change.
//!
//! A word is a maximal run of letters and digits (Unicode's `Alphabetic` and `N*`), in lower case.
//! Scripts that are written without spaces give one word per character, so that shingles of
//! five words mean something in them too. Text is compared in normal form KC.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::content::is_nfkc;
use crate::scripts::is_unspaced;

/// For every ASCII byte its lower case where it belongs to a word, else 0.
const LOWER: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Calls `character` with the characters of every word, and a space between two words.
pub fn for_each_character(text: &str, character: impl FnMut(char)) {
    feed(text, &mut Spaced { has_gap: false, begun: false, character });
}

/// Returns the words themselves, in order.
pub fn words(text: &str) -> Vec<String> {
    let mut sink = Collecting::default();
    feed(text, &mut sink);
    sink.words
}

/// What the characters of words are given to.
pub(super) trait Sink {
    fn character(&mut self, character: char);
    fn end(&mut self);
}

struct Spaced<F> {
    /// Whether a word ended before.
    has_gap: bool,
    begun: bool,
    character: F,
}

impl<F: FnMut(char)> Sink for Spaced<F> {
    fn character(&mut self, character: char) {
        if std::mem::take(&mut self.has_gap) {
            (self.character)(' ');
        }
        (self.character)(character);
        self.begun = true;
    }

    fn end(&mut self) {
        self.has_gap = self.begun;
    }
}

#[derive(Default)]
struct Collecting {
    word: String,
    words: Vec<String>,
}

impl Sink for Collecting {
    fn character(&mut self, character: char) {
        self.word.push(character);
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }
}

fn feed(text: &str, sink: &mut impl Sink) {
    if is_nfkc(text) {
        feed_characters(text.chars(), sink);
    } else {
        feed_characters(text.nfkc(), sink);
    }
    sink.end();
}

#[inline(always)]
pub(super) fn feed_characters(characters: impl Iterator<Item = char>, sink: &mut impl Sink) {
    characters.for_each(|character| feed_character(character, sink));
}

#[inline(always)]
pub(super) fn feed_character(character: char, sink: &mut impl Sink) {
    match LOWER.get(character as usize) {
        Some(0) => sink.end(),
        Some(lower) => sink.character(char::from(*lower)),
        None => feed_other(character, sink),
    }
}

fn feed_other(character: char, sink: &mut impl Sink) {
    match class(character) {
        Class::End => sink.end(),
        Class::Unseen => {}
        Class::Letter => sink.character(character),
        Class::Capital => character.to_lowercase().for_each(|lower| sink.character(lower)),
        Class::Alone => {
            sink.end();
            character.to_lowercase().for_each(|lower| sink.character(lower));
            sink.end();
        }
    }
}

/// What a character is to words.
#[derive(Clone, Copy)]
enum Class {
    /// It ends a word.
    End,
    /// It neither is a word nor ends one: a soft hyphen is in the middle of words.
    Unseen,
    /// It is its own lower case.
    Letter,
    /// It is not.
    Capital,
    /// It is a word by itself.
    Alone,
}

impl Class {
    fn of(character: char) -> Self {
        match () {
            () if is_invisible(character) => Self::Unseen,
            () if !character.is_alphanumeric() => Self::End,
            () if is_unspaced(character) => Self::Alone,
            () if character.to_lowercase().eq([character]) => Self::Letter,
            () => Self::Capital,
        }
    }
}

/// The classes of the first 65,536 characters: to look them up takes half of the time of scripts other than Latin.
static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let of = |code: u32| char::from_u32(code).map_or(Class::End, Class::of);
    (0..0x1_0000).map(of).collect()
});

fn class(character: char) -> Class {
    CLASSES.get(character as usize).copied().unwrap_or_else(|| Class::of(character))
}

/// Returns true if and only if a character only says how others are set: soft hyphens, joiners, spaces of no width,
/// marks of direction, selectors of variants (of Unicode's `Default_Ignorable_Code_Point`).
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_white_space_are_ignored() {
        assert_eq!(
            words("The  (quick)\nBROWN fox's 3rd leg."),
            ["the", "quick", "brown", "fox", "s", "3rd", "leg"]
        );
        assert_eq!(words("Ünïted, Nations!"), words("ünïted nations"));
        assert!(words(" -- \u{2014} ").is_empty());
    }

    #[test]
    fn compatibility_forms_and_composition_are_ignored() {
        assert_eq!(words("ﬁne cafe\u{301} ＡＢ１"), ["fine", "café", "ab1"]);
    }

    #[test]
    fn what_is_not_seen_is_ignored() {
        assert_eq!(words("peo\u{AD}ple, the\u{200B} ends \u{FEFF}❤\u{FE0F}."), ["people", "the", "ends"]);
    }

    #[test]
    fn scripts_without_spaces_give_characters() {
        assert_eq!(words("日本語の text"), ["日", "本", "語", "の", "text"]);
        assert_eq!(words("한국어 말"), ["한국어", "말"]);
    }

    #[test]
    fn characters_have_one_space_between_words() {
        let mut characters = String::new();
        for_each_character(" The (quick)  fox! ", |c| characters.push(c));
        assert_eq!(characters, "the quick fox");
    }
}
