//! A text's tokens: words, and the marks between them.
//!
//! Tokens are the segments between Unicode's word boundaries (UAX #29) of every run without
//! white space, where the same mark several times over is one: "don't", "3.14" and "..." are one
//! each, a full stop at an end is one of its own. Tools whose rules we follow take those of a
//! language's tokenizer, which differ: "don't" is two for them, "and/or" one.

use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a text for each token that there is room for at first.
const TOKEN_BYTES: usize = 5;

/// Returns the tokens in order.
pub fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::with_capacity(text.len() / TOKEN_BYTES);
    split(text, |token| tokens.push(token));
    tokens
}

/// Returns the number of tokens.
pub fn count(text: &str) -> usize {
    let mut count = 0;
    split(text, |_| count += 1);
    count
}

fn split<'t>(text: &'t str, mut push: impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let space_from =
        |at: usize| bytes[at..].iter().position(|byte| is_space(*byte)).map_or(text.len(), |n| at + n);
    let mut begin = 0;
    while begin < text.len() {
        // A stretch of ASCII up to a run that is not, and that run.
        let beyond = begin + ascii_length(&bytes[begin..]);
        let is_last = beyond == text.len();
        let space = bytes[begin..beyond].iter().rposition(|byte| is_space(*byte));
        let run = if is_last { beyond } else { space.map_or(begin, |at| begin + at) };
        split_ascii(&text[begin..run], &mut push);
        begin = space_from(beyond);
        text[run..begin].split_whitespace().for_each(|run| split_unicode(run, &mut push));
    }
}

/// Returns how many bytes of ASCII there are at the beginning.
fn ascii_length(bytes: &[u8]) -> usize {
    let blocks = bytes.chunks(64).take_while(|block| block.is_ascii()).count() * 64;
    let rest = bytes.get(blocks..).unwrap_or_default();
    rest.iter().position(|byte| !byte.is_ascii()).map_or(bytes.len(), |at| blocks + at)
}

/// Returns true if and only if a byte is white space of ASCII.
fn is_space(byte: u8) -> bool {
    CLASSES[byte as usize] == Class::Space
}

/// Finds the boundaries of a run without white space.
fn split_unicode<'t>(run: &'t str, push: &mut impl FnMut(&'t str)) {
    let mut begin = 0;
    let mut segments = run.split_word_bound_indices().peekable();
    while let Some((at, segment)) = segments.next() {
        let is_mark = !segment.chars().any(char::is_alphanumeric);
        if !(is_mark && segments.peek().is_some_and(|(_, next)| *next == segment)) {
            push(&run[begin..at + segment.len()]);
            begin = at + segment.len();
        }
    }
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
    Space,
}

impl Class {
    const COUNT: usize = 8;

    const fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Self::Letter,
            b'0'..=b'9' => Self::Digit,
            b'_' => Self::Underscore,
            b':' => Self::MidLetter,
            b',' | b';' => Self::MidDigit,
            b'.' | b'\'' => Self::Mid,
            b'\t'..=b'\r' | b' ' => Self::Space,
            _ => Self::Other,
        }
    }
}

/// What two classes say of the boundary between their bytes.
#[derive(Clone, Copy)]
struct Between {
    is_boundary: bool,
    /// Whether there may be none after all: other bytes tell, or whether the two are the same.
    is_open: bool,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = Class::of(byte as u8);
        byte += 1;
    }
    classes
};

/// By the class of the byte before and that of the byte after.
const BETWEEN: [[Between; Class::COUNT]; Class::COUNT] = {
    use Class::{Digit, Letter, Mid, MidDigit, MidLetter, Other, Space, Underscore};
    const ALL: [Class; Class::COUNT] = [Letter, Digit, Underscore, MidLetter, MidDigit, Mid, Other, Space];
    let mut between = [[Between { is_boundary: true, is_open: false }; Class::COUNT]; Class::COUNT];
    let mut at = 0;
    while at < Class::COUNT * Class::COUNT {
        let (before, after) = (ALL[at / Class::COUNT], ALL[at % Class::COUNT]);
        between[before as usize][after as usize] = Between {
            is_boundary: !matches!(
                (before, after),
                (Letter | Digit | Underscore, Letter | Digit | Underscore) | (Space, Space)
            ),
            is_open: matches!(
                (before, after),
                (Letter, MidLetter | Mid)
                    | (MidLetter | Mid, Letter)
                    | (Digit, MidDigit | Mid)
                    | (MidDigit | Mid, Digit)
                    | (MidLetter, MidLetter)
                    | (MidDigit, MidDigit)
                    | (Mid, Mid)
                    | (Other, Other)
            ),
        };
        at += 1;
    }
    between
};

fn class(bytes: &[u8], at: usize) -> Class {
    bytes.get(at).map_or(Class::Space, |byte| CLASSES[*byte as usize])
}

/// Bytes whose boundaries are found at a time.
const BLOCK: usize = 1024;

/// Finds the tokens of ASCII text.
///
/// Boundaries are written down without a branch on whether there is one: no processor foresees
/// how long words are.
fn split_ascii<'t>(text: &'t str, push: &mut impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let (mut boundaries, mut begin) = ([0_u32; BLOCK + 1], 0);
    let mut before = Class::Space;
    for (block, block_bytes) in bytes.chunks(BLOCK).enumerate() {
        let start = block * BLOCK;
        let mut count = 0;
        for (at, byte) in block_bytes.iter().enumerate() {
            let after = CLASSES[*byte as usize];
            let between = BETWEEN[before as usize][after as usize];
            boundaries[count] = at as u32;
            count += usize::from(between.is_boundary);
            if between.is_open && is_joined(bytes, start + at) {
                count -= 1;
            }
            before = after;
        }
        for boundary in &boundaries[..count] {
            let end = start + *boundary as usize;
            if !is_space(bytes[begin]) && begin < end {
                push(&text[begin..end]);
            }
            begin = end;
        }
    }
    if bytes.get(begin).is_some_and(|byte| !is_space(*byte)) {
        push(&text[begin..]);
    }
}

/// Returns true if and only if there is no boundary between two bytes whose classes leave it open.
fn is_joined(bytes: &[u8], at: usize) -> bool {
    use Class::{Digit, Letter, Mid, MidDigit, MidLetter};
    let Some(before) = at.checked_sub(1) else { return false };
    let class_beyond = || before.checked_sub(1).map_or(Class::Space, |at| class(bytes, at));
    match (class(bytes, before), class(bytes, at)) {
        (Letter, MidLetter | Mid) => class(bytes, at + 1) == Letter,
        (Digit, MidDigit | Mid) => class(bytes, at + 1) == Digit,
        (MidLetter | Mid, Letter) => class_beyond() == Letter,
        (MidDigit | Mid, Digit) => class_beyond() == Digit,
        _ => bytes[before] == bytes[at],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_marks_are_tokens() {
        let expected = [
            "“", "Don't", "”", ",", "he", "said", "--", "3.14", "a_b", "e.g", "...", "日", "本", "。。", "x",
        ];
        assert_eq!(tokens("“Don't”, he said --\u{A0}3.14\n a_b e.g... 日本。。\u{3000}x "), expected);
    }

    proptest! {
        #[test]
        fn ascii_is_split_as_unicode_says(text in "([a-c0-2_.,:;'/#\"(! \n-]{1,12}(é|“|\u{A0}|x{1022})?){0,4}") {
            let mut expected = Vec::new();
            text.split_whitespace().for_each(|run| split_unicode(run, &mut |token| expected.push(token)));
            prop_assert_eq!(count(&text), expected.len());
            prop_assert_eq!(tokens(&text), expected);
        }
    }
}
