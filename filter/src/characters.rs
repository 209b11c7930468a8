//! Classes of characters that published rules name.

use crate::bits::{BLOCK_BYTES, bits};

/// Characters that end sentences: Unicode's property `Sentence_Terminal`, as ranges.
#[rustfmt::skip]
const SENTENCE_TERMINALS: [(char, char); 82] = [
    ('\u{21}', '\u{21}'), ('\u{2E}', '\u{2E}'), ('\u{3F}', '\u{3F}'), ('\u{589}', '\u{589}'),
    ('\u{61D}', '\u{61F}'), ('\u{6D4}', '\u{6D4}'), ('\u{700}', '\u{702}'), ('\u{7F9}', '\u{7F9}'),
    ('\u{837}', '\u{837}'), ('\u{839}', '\u{839}'), ('\u{83D}', '\u{83E}'), ('\u{964}', '\u{965}'),
    ('\u{104A}', '\u{104B}'), ('\u{1362}', '\u{1362}'), ('\u{1367}', '\u{1368}'), ('\u{166E}', '\u{166E}'),
    ('\u{1735}', '\u{1736}'), ('\u{17D4}', '\u{17D6}'), ('\u{17D9}', '\u{17DA}'), ('\u{1803}', '\u{1803}'),
    ('\u{1809}', '\u{1809}'), ('\u{1944}', '\u{1945}'), ('\u{1AA8}', '\u{1AAB}'), ('\u{1B5A}', '\u{1B5B}'),
    ('\u{1B5E}', '\u{1B5F}'), ('\u{1B7D}', '\u{1B7E}'), ('\u{1C3B}', '\u{1C3C}'), ('\u{1C7E}', '\u{1C7F}'),
    ('\u{203C}', '\u{203D}'), ('\u{2047}', '\u{2049}'), ('\u{2E2E}', '\u{2E2E}'), ('\u{2E3C}', '\u{2E3C}'),
    ('\u{2E53}', '\u{2E54}'), ('\u{3002}', '\u{3002}'), ('\u{A4FF}', '\u{A4FF}'), ('\u{A60E}', '\u{A60F}'),
    ('\u{A6F3}', '\u{A6F3}'), ('\u{A6F7}', '\u{A6F7}'), ('\u{A876}', '\u{A877}'), ('\u{A8CE}', '\u{A8CF}'),
    ('\u{A92F}', '\u{A92F}'), ('\u{A9C8}', '\u{A9C9}'), ('\u{AA5D}', '\u{AA5F}'), ('\u{AAF0}', '\u{AAF1}'),
    ('\u{ABEB}', '\u{ABEB}'), ('\u{FE52}', '\u{FE52}'), ('\u{FE56}', '\u{FE57}'), ('\u{FF01}', '\u{FF01}'),
    ('\u{FF0E}', '\u{FF0E}'), ('\u{FF1F}', '\u{FF1F}'), ('\u{FF61}', '\u{FF61}'), ('\u{10A56}', '\u{10A57}'),
    ('\u{10F55}', '\u{10F59}'), ('\u{10F86}', '\u{10F89}'), ('\u{11047}', '\u{11048}'), ('\u{110BE}', '\u{110C1}'),
    ('\u{11141}', '\u{11143}'), ('\u{111C5}', '\u{111C6}'), ('\u{111CD}', '\u{111CD}'), ('\u{111DE}', '\u{111DF}'),
    ('\u{11238}', '\u{11239}'), ('\u{1123B}', '\u{1123C}'), ('\u{112A9}', '\u{112A9}'), ('\u{1144B}', '\u{1144C}'),
    ('\u{115C2}', '\u{115C3}'), ('\u{115C9}', '\u{115D7}'), ('\u{11641}', '\u{11642}'), ('\u{1173C}', '\u{1173E}'),
    ('\u{11944}', '\u{11944}'), ('\u{11946}', '\u{11946}'), ('\u{11A42}', '\u{11A43}'), ('\u{11A9B}', '\u{11A9C}'),
    ('\u{11C41}', '\u{11C42}'), ('\u{11EF7}', '\u{11EF8}'), ('\u{11F43}', '\u{11F44}'), ('\u{16A6E}', '\u{16A6F}'),
    ('\u{16AF5}', '\u{16AF5}'), ('\u{16B37}', '\u{16B38}'), ('\u{16B44}', '\u{16B44}'), ('\u{16E98}', '\u{16E98}'),
    ('\u{1BC9F}', '\u{1BC9F}'), ('\u{1DA88}', '\u{1DA88}'),
];
/// Marks beyond ASCII that are no words, and end no sentences (CCNet's list, with its full-width 1).
const MARKS: &str = "—”：％１〈━、【「」，】；《„’«∶´–（～“〉》）►»…";

/// Returns true if and only if a character ends sentences.
pub(crate) fn is_sentence_terminal(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, '!' | '.' | '?');
    }
    let place = SENTENCE_TERMINALS.partition_point(|(_, last)| *last < c);
    SENTENCE_TERMINALS.get(place).is_some_and(|(first, _)| *first <= c)
}

/// Returns true if and only if a character makes no word: punctuation, marks, controls.
pub(crate) fn is_mark(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_punctuation() || c.is_ascii_control() && !matches!(c, '\t' | '\n'),
        false => is_sentence_terminal(c) || matches!(c, '\u{80}'..'\u{A0}') || MARKS.contains(c),
    }
}

/// Returns the number of characters; faster than the standard library's for short texts.
pub(crate) fn count(text: &str) -> usize {
    // Every byte but those that continue a character.
    text.bytes().filter(|byte| (*byte as i8) >= -0x40).count()
}

/// Splits at every line boundary of Unicode (UAX #14's mandatory breaks, and ASCII's separators), as
/// the tools do whose rules we follow; an end of the last line begins no other.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    Lines { text, begin: 0, block: 0, found: 0 }
}

/// The lines of a text: a bit for every byte tells where to look.
struct Lines<'t> {
    text: &'t str,
    /// Where the next line begins; beyond the text when there is none.
    begin: usize,
    /// The next block of bytes to look at.
    block: usize,
    /// Of the block before it, where a line may end.
    found: u64,
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        loop {
            while self.found == 0 {
                let Some(block) = bytes.get(self.block * BLOCK_BYTES..).filter(|block| !block.is_empty())
                else {
                    let last = self.text.get(self.begin..).filter(|last| !last.is_empty());
                    self.begin = bytes.len();
                    return last;
                };
                self.found = bits(&block[..block.len().min(BLOCK_BYTES)], may_end_line);
                self.block += 1;
            }
            let at = (self.block - 1) * BLOCK_BYTES + self.found.trailing_zeros() as usize;
            self.found &= self.found - 1;
            // A line feed after a carriage return is behind us.
            if at >= self.begin
                && let Some(length) = line_end(&bytes[at..])
            {
                let line = &self.text[self.begin..at];
                self.begin = at + length;
                return Some(line);
            }
        }
    }
}

/// Returns true if and only if a byte is a control character that ends lines, or one that U+0085,
/// U+2028 and U+2029 begin with.
fn may_end_line(byte: u8) -> bool {
    (byte.wrapping_sub(0x0A) < 4) | (byte.wrapping_sub(0x1C) < 3) | (byte == 0xC2) | (byte == 0xE2)
}

/// Returns the bytes of the boundary that a text begins with.
fn line_end(text: &[u8]) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] | [0xC2, 0x85, ..] => Some(2),
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Some(3),
        [0xC2 | 0xE2, ..] => None,
        _ => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_their_classes() {
        for c in ['.', '!', '？', '。', '۔', '\u{1DA88}'] {
            assert!(is_sentence_terminal(c) && is_mark(c), "{c}");
        }
        for c in ['a', 'é', '日', '0', ' ', '€', '\n'] {
            assert!(!is_sentence_terminal(c) && !is_mark(c), "{c}");
        }
        assert!(is_mark('#') && is_mark('“') && is_mark('\u{85}') && !is_sentence_terminal('"'));
        assert!(SENTENCE_TERMINALS.is_sorted());
    }

    #[test]
    fn characters_are_counted() {
        assert_eq!(["", "abc", "é日\u{1F600}a"].map(count), [0, 3, 4]);
    }

    #[test]
    fn lines_end_at_all_boundaries() {
        let split = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(split("a\r\nb\rc\n\nd\u{2028}é…\x0Cf\u{85}"), ["a", "b", "c", "", "d", "é…", "f"]);
        assert_eq!(split("\n"), [""]);
        let long = "x".repeat(62);
        let text = format!("{long}\n\r\n{long}\u{2029}");
        assert_eq!(lines(&text).collect::<Vec<_>>(), [long.as_str(), "", long.as_str()]);
        assert!(split("").is_empty());
    }
}
