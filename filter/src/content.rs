//! What makes two records the same: a 128-bit hash of their normalised content.

use corpus::invisible::is_shown;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::Xxh3;

/// Bytes of normalised text that are hashed at once; NFKC can expand a text 18-fold, so it is
/// never held as a whole.
const CHUNK_BYTES: usize = 4 << 10;

/// White space beyond ASCII that is in normal form; the other spaces become the usual one in it.
const OTHER_SPACES: [char; 4] = ['\u{85}', '\u{1680}', '\u{2028}', '\u{2029}'];

/// The identity of a record's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// XXH3 of 128 bits, big-endian; among 10^10 texts two share a key with probability 10^-19.
    pub key: [u8; 16],
    /// Length in bytes of what was hashed.
    pub length: u64,
}

impl Content {
    /// Returns the identity of a document's text.
    ///
    /// Normalised means without characters that show nothing ([`is_shown`]), in Unicode's NFKC,
    /// white space collapsed to one space and removed at both ends: what extraction and
    /// re-wrapping change without changing what is said. Case stays, since a model learns from
    /// it; texts that differ in more are near-duplicates.
    pub fn of_text(text: &str, normalise: bool) -> Self {
        let mut hasher = TextHasher::default();
        hasher.text(text, normalise);
        hasher.finish()
    }

    /// Returns the identity of a pair: its URL as it is, and its caption as
    /// [`Self::of_text`] takes it. The same image with another caption is another pair.
    pub fn of_pair(url: &str, caption: &str, normalise: bool) -> Self {
        let mut hasher = TextHasher::default();
        hasher.bytes(url.as_bytes());
        // A URL holds no zero byte that a caption could continue.
        hasher.bytes(&[0]);
        hasher.text(caption, normalise);
        hasher.finish()
    }
}

/// Returns true only if a text is in normal form KC; ASCII between other characters cannot undo it.
pub(crate) fn is_nfkc(text: &str) -> bool {
    text.is_ascii()
        || is_nfkc_quick(text.chars().filter(|character| !character.is_ascii())) == IsNormalized::Yes
}

/// Returns true if and only if an ASCII character is Unicode's white space, which the standard library's
/// predicate for ASCII leaves a vertical tab out of.
fn is_ascii_space(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ')
}

/// Returns the characters of a line that show something.
fn shown(line: &str) -> impl Iterator<Item = char> {
    let mut before = None;
    line.chars().filter(move |character| is_shown(before.replace(*character), *character))
}

struct TextHasher {
    hasher: Xxh3,
    length: u64,
    /// Text that is not hashed yet.
    chunk: [u8; CHUNK_BYTES],
    filled: usize,
    /// Whether white space came last, or nothing: more of it does not count.
    gap: bool,
}

impl Default for TextHasher {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), length: 0, chunk: [0; CHUNK_BYTES], filled: 0, gap: true }
    }
}

impl TextHasher {
    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
    }

    fn text(&mut self, text: &str, normalise: bool) {
        if !normalise {
            return self.bytes(text.as_bytes());
        }
        if text.is_ascii() {
            return self.normal(text.as_bytes());
        }
        // A line break combines with nothing, and most lines of most texts are in normal form.
        for line in text.split_inclusive('\n') {
            let is_changed = |c: char| OTHER_SPACES.contains(&c) || !is_shown(None, c);
            match line.is_ascii() || is_nfkc(line) && !line.contains(is_changed) {
                true => self.normal(line.as_bytes()),
                false => self.characters(shown(line).nfkc()),
            }
        }
    }

    /// Takes text in normal form whose white space is ASCII.
    fn normal(&mut self, text: &[u8]) {
        for bytes in text.chunks(CHUNK_BYTES - 1) {
            if self.filled + bytes.len() > CHUNK_BYTES {
                self.flush();
            }
            let Self { chunk, filled, gap, .. } = self;
            let (mut at, mut was_space) = (*filled, *gap);
            for byte in bytes {
                let is_space = is_ascii_space(char::from(*byte));
                // What is not to stay is written over by what comes next.
                chunk[at] = if is_space { b' ' } else { *byte };
                at += usize::from(!(is_space & was_space));
                was_space = is_space;
            }
            (*filled, *gap) = (at, was_space);
        }
    }

    /// Takes text by its characters, as normalisation gives them.
    fn characters(&mut self, characters: impl Iterator<Item = char>) {
        for character in characters {
            if self.filled + 4 > CHUNK_BYTES {
                self.flush();
            }
            let is_space = character.is_whitespace();
            if !(is_space && self.gap) {
                let shown = if is_space { ' ' } else { character };
                self.filled += shown.encode_utf8(&mut self.chunk[self.filled..]).len();
            }
            self.gap = is_space;
        }
    }

    /// Hashes what was taken, but for white space at its end: text may follow, or not.
    fn flush(&mut self) {
        let held = usize::from(self.gap && self.filled > 0);
        let length = self.filled - held;
        self.hasher.update(&self.chunk[..length]);
        self.length += length as u64;
        self.chunk[0] = b' ';
        self.filled = held;
    }

    fn finish(mut self) -> Content {
        self.flush();
        Content { key: self.hasher.digest128().to_be_bytes(), length: self.length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain way: the whole normalised text in memory.
    fn reference(text: &str) -> String {
        let normalised: String = text.split_inclusive('\n').flat_map(|line| shown(line).nfkc()).collect();
        normalised.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn wrapping_and_compatibility_forms_do_not_matter_and_case_does() {
        let key = |text| Content::of_text(text, true).key;
        assert_eq!(key("a fine  day\n"), key(" a\r\nfine\u{a0}day"));
        assert_eq!(key("ﬁne café"), key("fine cafe\u{301}"));
        assert_ne!(key("a fine day"), key("A fine day"));
        assert_ne!(key("a fine day"), key("a fineday"));
        assert_ne!(Content::of_text("a ", false), Content::of_text("a", false));
        assert_eq!(Content::of_text("", true).length, 0);
    }

    #[test]
    fn characters_that_show_nothing_do_not_matter_and_joiners_of_scripts_do() {
        let key = |text| Content::of_text(text, true).key;
        assert_eq!(key("re\u{ad}con\u{200b}struction\u{feff} of it"), key("reconstruction of it"));
        assert_eq!(key("a \u{200b} day\u{200c}"), key("a day"));
        assert_eq!(key("cafe\u{ad}\u{301}"), key("café"));
        assert_ne!(key("می\u{200c}خواهم"), key("میخواهم"));
        assert_eq!(Content::of_text("\u{ad}", true).length, 0);
    }

    #[test]
    fn a_pair_is_its_url_and_its_caption() {
        let key = |url, caption| Content::of_pair(url, caption, true).key;
        assert_eq!(key("https://a.example/1", "a  bird"), key("https://a.example/1", "a bird"));
        assert_ne!(key("https://a.example/1", "a bird"), key("https://a.example/2", "a bird"));
        assert_ne!(key("https://a.example/1", "a bird"), key("https://a.example/1", "a cat"));
        assert_ne!(key("https://a.example/1", "1"), key("https://a.example/", "11"));
    }

    #[test]
    fn a_text_that_expands_is_hashed_in_pieces() {
        let text = "\u{FDFA} ".repeat(2_000);
        let normalised = reference(&text);
        let content = Content::of_text(&text, true);
        assert_eq!(content.length, normalised.len() as u64);
        assert_eq!(content.key, Content::of_text(&normalised, false).key);
    }

    proptest! {
        #[test]
        fn pieces_hash_as_the_whole(text in "(?s)[a-cA \n\t\u{a0}éﬁ\u{301}日\u{ad}\u{200d}]{0,40}", copies in 0_usize..400) {
            let text = text.repeat(copies);
            let normalised = reference(&text);
            prop_assert_eq!(Content::of_text(&text, true), Content::of_text(&normalised, false));
            prop_assert_eq!(Content::of_text(&normalised, true), Content::of_text(&normalised, false));
        }
    }
}
