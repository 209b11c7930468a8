//! Encodings of one byte a character that UTF-8 is taken for.

use std::sync::LazyLock;

use encoding_rs::Encoding;

/// MS-DOS' code page 437, which the web's standard does not have.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

/// What a sequence of UTF-8 consists of, one per character of mojibake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A byte above ASCII.
    Byte(u8),
    /// A plain space, which may have been the byte A0.
    Space,
    /// A question mark, which may stand for a byte that was lost.
    Question,
    /// U+FFFD, which stands for a byte that was lost.
    Lost,
    /// Any other character of ASCII.
    Ascii,
    /// A character that the encoding does not have.
    Foreign,
}

/// One encoding.
pub(super) struct Charset {
    /// The characters above ASCII and their bytes, sorted.
    bytes: Vec<(char, u8)>,
    /// Whether letters are where ISO 8859 has them, so that mojibake of some words can be told from text.
    pub(super) is_like_latin_1: bool,
}

/// All encodings, in the order in which they are tried: Windows-1252 mixed with Latin-1, then ftfy's.
pub(super) static CHARSETS: LazyLock<Vec<Charset>> = LazyLock::new(|| {
    let windows = [
        encoding_rs::WINDOWS_1252,
        encoding_rs::WINDOWS_1251,
        encoding_rs::WINDOWS_1250,
        encoding_rs::WINDOWS_1253,
        encoding_rs::WINDOWS_1254,
        encoding_rs::WINDOWS_1257,
        encoding_rs::ISO_8859_2,
    ];
    let latin_1 = || (0x80..=0xFF_u8).map(|byte| (char::from(byte), byte));
    let mixed = upper(encoding_rs::WINDOWS_1252).chain(latin_1());
    let mut charsets = vec![Charset::new(mixed, true), Charset::new(latin_1(), true)];
    charsets.extend(windows.map(|encoding| Charset::new(upper(encoding), true)));
    charsets.push(Charset::new(upper(encoding_rs::MACINTOSH), false));
    charsets.push(Charset::new(CODE_PAGE_437.chars().zip(0x80..=0xFF), false));
    charsets
});

/// Returns the characters of the bytes from 80 to FF, with the bytes.
fn upper(encoding: &'static Encoding) -> impl Iterator<Item = (char, u8)> {
    (0x80..=0xFF_u8).map(move |byte| (decoded(encoding, byte), byte))
}

impl Charset {
    fn new(bytes: impl Iterator<Item = (char, u8)>, is_like_latin_1: bool) -> Self {
        let mut bytes: Vec<_> = bytes.collect();
        bytes.sort_unstable();
        bytes.dedup();
        Self { bytes, is_like_latin_1 }
    }

    /// Returns what a character may be of a sequence.
    pub(super) fn unit(&self, c: char) -> Unit {
        match c {
            // In other encodings it may follow a dash.
            ' ' if self.is_like_latin_1 => Unit::Space,
            '?' => Unit::Question,
            char::REPLACEMENT_CHARACTER => Unit::Lost,
            _ if c.is_ascii() => Unit::Ascii,
            _ => match self.bytes.binary_search_by_key(&c, |(known, _)| *known) {
                Ok(place) => Unit::Byte(self.bytes[place].1),
                Err(_) => Unit::Foreign,
            },
        }
    }
}

/// Returns true if and only if a character may be one behind the first of a sequence, in any encoding like Latin-1.
pub(super) fn may_continue(c: char) -> bool {
    let mut like_latin_1 = CHARSETS.iter().filter(|charset| charset.is_like_latin_1);
    like_latin_1.any(|charset| matches!(charset.unit(c), Unit::Byte(0x80..=0xBF)))
}

/// Returns the character that Windows-1252 has for a C1 control: what browsers make of it.
pub(super) fn of_control(control: char) -> char {
    u8::try_from(control).map_or(control, |byte| decoded(encoding_rs::WINDOWS_1252, byte))
}

fn decoded(encoding: &'static Encoding, byte: u8) -> char {
    let bytes = [byte];
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    // Bytes without a character become the one of their number, as lenient decoders have it.
    text.chars().next().filter(|c| *c != char::REPLACEMENT_CHARACTER).unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_controls_have_their_bytes() {
        let western = &CHARSETS[0];
        for (c, byte) in [('é', 0xE9), ('€', 0x80), ('\u{80}', 0x80), ('\u{9D}', 0x9D), ('’', 0x92)] {
            assert_eq!(western.unit(c), Unit::Byte(byte), "{c:?}");
        }
        assert_eq!(
            [' ', '?', 'a', 'я'].map(|c| western.unit(c)),
            [Unit::Space, Unit::Question, Unit::Ascii, Unit::Foreign]
        );
        assert_eq!(CHARSETS.last().map(|charset| charset.unit('├')), Some(Unit::Byte(0xC3)));
        assert_eq!(['\u{93}', '\u{81}'].map(of_control), ['“', '\u{81}']);
    }
}
