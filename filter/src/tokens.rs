//! A text's tokens: words, and the marks between them.
//!
//! Tokens are the segments between Unicode's word boundaries (UAX #29) of every run without
//! white space: "don't" and "3.14" are one, a full stop at an end is one of its own. Tools whose
//! rules we follow take those of a language's tokenizer, which differ: "don't" is two for them,
//! "and/or" one.

use unicode_segmentation::UnicodeSegmentation;

/// Returns the tokens in order.
pub fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::with_capacity(text.len() / 5);
    for run in text.split_whitespace() {
        match run.is_ascii() {
            true => push_ascii(run, &mut tokens),
            false => tokens.extend(run.split_word_bounds()),
        }
    }
    tokens
}

/// What a byte of ASCII is to the boundaries of words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Underscore,
    /// Joins letters: a colon.
    MidLetter,
    /// Joins digits: a comma or a semicolon.
    MidDigit,
    /// Joins either: a full stop or an apostrophe.
    Mid,
    Other,
}

const CLASSES: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Underscore,
            b':' => Class::MidLetter,
            b',' | b';' => Class::MidDigit,
            b'.' | b'\'' => Class::Mid,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

fn class(bytes: &[u8], at: usize) -> Class {
    bytes.get(at).and_then(|byte| CLASSES.get(*byte as usize)).copied().unwrap_or(Class::Other)
}

/// Finds the boundaries of a run of ASCII without white space.
fn push_ascii<'t>(run: &'t str, tokens: &mut Vec<&'t str>) {
    let bytes = run.as_bytes();
    let mut begin = 0;
    for at in 1..=bytes.len() {
        if at == bytes.len() || !is_joined(bytes, at) {
            tokens.extend(run.get(begin..at));
            begin = at;
        }
    }
}

/// Returns true if and only if there is no boundary before a byte.
fn is_joined(bytes: &[u8], at: usize) -> bool {
    use Class::{Digit, Letter, Mid, MidDigit, MidLetter, Underscore};
    let (before, after) = (class(bytes, at - 1), class(bytes, at));
    match (before, after) {
        (Letter | Digit | Underscore, Letter | Digit | Underscore) => true,
        (Letter, MidLetter | Mid) => class(bytes, at + 1) == Letter,
        (Digit, MidDigit | Mid) => class(bytes, at + 1) == Digit,
        (MidLetter | Mid, Letter) => at > 1 && class(bytes, at - 2) == Letter,
        (MidDigit | Mid, Digit) => at > 1 && class(bytes, at - 2) == Digit,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_marks_are_tokens() {
        let expected = ["“", "Don't", "”", ",", "he", "said", "-", "3.14", "a_b", "e.g", ".", "日", "本"];
        assert_eq!(tokens("“Don't”, he said - 3.14\n a_b e.g. 日本 "), expected);
    }

    proptest! {
        #[test]
        fn ascii_is_split_as_unicode_says(run in "[a-c0-2_.,:;'/#\"(!-]{1,12}") {
            let mut found = Vec::new();
            push_ascii(&run, &mut found);
            prop_assert_eq!(found, run.split_word_bounds().collect::<Vec<_>>());
        }
    }
}
