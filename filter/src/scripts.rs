//! Scripts, as far as rules differ by them: what is written without spaces, and what is not Latin.

use crate::bits::has_pair;

/// The script that most letters of a text are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Latin, and texts without letters.
    Latin,
    /// One that puts no spaces between words.
    Unspaced,
    /// Any other.
    Other,
}

impl Script {
    /// Returns the script of more than half of the letters; where there is none, `Other`.
    pub(crate) fn of(text: &str) -> Self {
        if !has_pair(text, is_beyond_latin) {
            return Self::Latin;
        }
        let (mut latin, mut unspaced, mut all) = (0_usize, 0_usize, 0_usize);
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            all += 1;
            latin += usize::from(is_latin(c));
            unspaced += usize::from(is_unspaced(c));
        }
        match all {
            _ if 2 * latin >= all => Self::Latin,
            _ if 2 * unspaced > all => Self::Unspaced,
            _ => Self::Other,
        }
    }
}

/// Returns true if and only if a letter's script puts no spaces between words: Thai, Lao,
/// Burmese, Khmer, kana and Han (Unicode blocks; Hangul is spaced).
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0x312F | 0x31A0..=0xA4CF
        | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Returns true if and only if a letter's script ends no sentence with a mark: Thai and Lao.
pub(crate) fn is_unmarked(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}')
}

/// Returns true if and only if a character of a script without spaces says as much as two Latin letters: Han and kana,
/// and the marks between them.
pub(crate) fn is_wide(c: char) -> bool {
    is_unspaced(c) && c >= '\u{2E80}'
}

/// Returns true if and only if a character is a letter of the Latin script.
pub(crate) fn is_latin(c: char) -> bool {
    c.is_alphabetic() && matches!(c, '\0'..'\u{250}' | '\u{1E00}'..='\u{1EFF}' | 'ﬀ'..='ﬆ')
}

/// Returns true if and only if a text has a character of a script without spaces.
pub(crate) fn has_unspaced(text: &str) -> bool {
    has_pair(text, may_be_unspaced) && text.chars().any(is_unspaced)
}

/// Letters from Greek on; of the punctuation and symbols from U+2000 to U+2BFF none.
fn is_beyond_latin(first: u8, second: u8) -> u8 {
    u8::from(first >= 0xCD) & (u8::from(first != 0xE2) | u8::from(second >= 0xB0))
}

fn may_be_unspaced(first: u8, second: u8) -> u8 {
    u8::from(first >= 0xE0) & (u8::from(first != 0xE2) | u8::from(second >= 0xBA))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_of_the_script_of_most_letters() {
        let cases = [
            ("", Script::Latin),
            ("12 “ok” – …😀", Script::Latin),
            ("Žluťoučký kůň, Việt", Script::Latin),
            ("一半 of it", Script::Latin),
            ("这座旧桥是 HTML", Script::Unspaced),
            ("สะพานเก่า", Script::Unspaced),
            ("かな、カナ。", Script::Unspaced),
            ("Съешь ещё", Script::Other),
            ("한국어 문장", Script::Other),
            ("ⵜⴰⵎⴰⵣⵉⵖⵜ", Script::Other),
            ("是 б", Script::Other),
        ];
        for (text, script) in cases {
            assert_eq!(Script::of(text), script, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_character_is_overlooked(c: char, before in "[a-zé’ ]{0,140}") {
            let text = format!("{before}{c}");
            prop_assert_eq!(has_unspaced(&text), is_unspaced(c));
            let is_such = c.is_alphabetic() && c >= '\u{370}' && !is_latin(c);
            prop_assert!(has_pair(&text, is_beyond_latin) || !is_such);
        }
    }
}
