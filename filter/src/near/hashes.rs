//! Hashes of words, with their places: what texts are compared by.

use unicode_normalization::UnicodeNormalization;

use super::words::{Sink, feed_character, feed_characters};
use crate::bits::{BLOCK_BYTES, bits, number};
use crate::content::is_nfkc;

/// Where the hash of a word begins.
const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
/// What eight bytes of a word are multiplied by, and the hash of a run before its next item: 2^64 over the golden ratio, odd.
pub(super) const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// What makes eight ASCII letters small, and leaves digits as they are.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// Calls `word` with a 64-bit hash of every word, in order.
pub fn for_each_hash(text: &str, mut word: impl FnMut(u64)) {
    for_each_place(text, false, |_, hash| word(hash));
}

/// Calls `word` with where every word begins, in bytes, and its hash, in order; with `any_digit` as if all
/// digits were 0. Words that compatibility forms make of one begin where it does.
pub fn for_each_place(text: &str, any_digit: bool, word: impl FnMut(usize, u64)) {
    let mut sink = Placing { any_digit, at: 0, start: 0, bytes: Vec::new(), word };
    if text.is_ascii() {
        return sink.ascii(0, text);
    }
    // No word goes across a line, and most lines of most texts are ASCII.
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.is_ascii() {
            sink.ascii(start, line);
        } else if is_nfkc(line) {
            sink.normal(start, line);
        } else {
            sink.other(start, line);
        }
        start += line.len();
    }
}

/// Returns the hash of some bytes: quick for few of them.
#[inline]
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    match bytes.len() {
        1..=8 => mixed(folded(BASIS, number(bytes))),
        _ => hash(bytes, 0..bytes.len(), WordBytes::Plain),
    }
}

/// Calls `run` with the hash of every run of `n` items: a polynomial of their hashes that rolls from run to
/// run. Without items in a run there is none.
#[inline]
pub(crate) fn for_each_run<T>(items: &[T], n: usize, hash_of: impl Fn(&T) -> u64, mut run: impl FnMut(u64)) {
    let Some((first, rest)) = items.split_at_checked(n).filter(|(first, _)| !first.is_empty()) else {
        return;
    };
    let leaving = (0..n).fold(1_u64, |power, _| power.wrapping_mul(MULTIPLIER));
    let add = |hash: u64, item: &T| hash.wrapping_mul(MULTIPLIER).wrapping_add(hash_of(item));
    let mut hash = first.iter().fold(0, add);
    run(mixed(hash));
    for (left, entering) in items.iter().zip(rest) {
        hash = add(hash, entering).wrapping_sub(hash_of(left).wrapping_mul(leaving));
        run(mixed(hash));
    }
}

/// Spreads a hash over all 64 bits: MurmurHash3's finalizer, a bijection.
#[inline(always)]
pub(crate) const fn mixed(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

struct Placing<F> {
    any_digit: bool,
    /// Where the next character is.
    at: usize,
    /// Where the word began.
    start: usize,
    /// The word so far, in small letters.
    bytes: Vec<u8>,
    word: F,
}

impl<F: FnMut(usize, u64)> Placing<F> {
    fn ascii(&mut self, start: usize, text: &str) {
        let kind = if self.any_digit { WordBytes::AnyDigit } else { WordBytes::Ascii };
        for_each_ascii_word(text.as_bytes(), kind, |at, hash| (self.word)(start + at, hash));
    }

    /// Takes text in normal form.
    fn normal(&mut self, start: usize, text: &str) {
        for (at, character) in text.char_indices() {
            self.at = start + at;
            feed_character(character, self);
        }
        self.end();
    }

    /// Takes text of which some is not in normal form: white space does not combine with what is around it.
    fn other(&mut self, mut start: usize, text: &str) {
        for piece in text.split_inclusive(char::is_whitespace) {
            if is_nfkc(piece) {
                self.normal(start, piece);
            } else {
                self.at = start;
                feed_characters(piece.nfkc(), self);
                self.end();
            }
            start += piece.len();
        }
    }
}

impl<F: FnMut(usize, u64)> Sink for Placing<F> {
    fn character(&mut self, character: char) {
        let character = if self.any_digit && character.is_numeric() { '0' } else { character };
        if self.bytes.is_empty() {
            self.start = self.at;
        }
        self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn end(&mut self) {
        if !self.bytes.is_empty() {
            (self.word)(self.start, hash_of(&self.bytes));
            self.bytes.clear();
        }
    }
}

/// Calls `word` with the places and hashes of ASCII words: maximal runs of letters and digits, found by a
/// bit for every byte and the edges between bits that differ.
fn for_each_ascii_word(text: &[u8], kind: WordBytes, mut word: impl FnMut(usize, u64)) {
    let (mut begin, mut carry) = (0, 0);
    for (index, block) in text.chunks(BLOCK_BYTES).enumerate() {
        let bits = bits(block, is_alphanumeric);
        let mut edges = bits ^ (bits << 1 | carry);
        while edges != 0 {
            let at = index * BLOCK_BYTES + edges.trailing_zeros() as usize;
            match carry {
                0 => begin = at,
                _ => word(begin, hash(text, begin..at, kind)),
            }
            carry ^= 1;
            edges &= edges - 1;
        }
    }
    if carry == 1 {
        word(begin, hash(text, begin..text.len(), kind));
    }
}

/// Returns true if and only if a byte is a letter or a digit of ASCII.
fn is_alphanumeric(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10)
}

/// What the bytes of a word are.
#[derive(Clone, Copy)]
enum WordBytes {
    /// Small letters, and all else as it counts.
    Plain,
    /// Letters and digits of ASCII.
    Ascii,
    /// The same, with digits that do not differ.
    AnyDigit,
}

impl WordBytes {
    /// Returns eight bytes as they count; zeros, which no word holds, stay zeros.
    #[inline(always)]
    fn counted(self, bytes: u64, mask: u64) -> u64 {
        match self {
            Self::Plain => bytes,
            Self::Ascii => bytes | SMALL & mask,
            // Of ASCII's letters and digits only letters have this bit, and a digit's lower half is its value.
            Self::AnyDigit => {
                let letters = (bytes >> 6 & 0x0101_0101_0101_0101).wrapping_mul(0xFF);
                (bytes & letters | bytes & !letters & 0xF0F0_F0F0_F0F0_F0F0) | SMALL & mask
            }
        }
    }
}

/// Hashes a word of a text, eight bytes at a time.
fn hash(text: &[u8], word: std::ops::Range<usize>, kind: WordBytes) -> u64 {
    let (mut hash, mut at) = (BASIS, word.start);
    while at < word.end {
        let length = (word.end - at).min(8);
        let mask = u64::MAX >> (64 - 8 * length);
        // Beyond the word where the text goes on: one load in place of several.
        hash = folded(hash, kind.counted(number(&text[at..]) & mask, mask));
        at += length;
    }
    mixed(hash)
}

/// Takes eight bytes into a hash.
#[inline(always)]
const fn folded(hash: u64, bytes: u64) -> u64 {
    (hash ^ bytes).wrapping_mul(MULTIPLIER).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;
    use proptest::prelude::*;

    fn places(text: &str, any_digit: bool) -> Vec<(usize, u64)> {
        let mut places = Vec::new();
        for_each_place(text, any_digit, |start, hash| places.push((start, hash)));
        places
    }

    fn hashes(text: &str) -> Vec<u64> {
        places(text, false).into_iter().map(|(_, hash)| hash).collect()
    }

    #[test]
    fn case_marks_forms_and_what_is_around_do_not_matter() {
        assert_eq!(hashes("Ünïted, Nations!"), hashes("ünïted nations"));
        assert_eq!(hashes("cafe\u{301}"), hashes("café"));
        assert_eq!(hashes("The UNCHARACTERISTICALLY long"), hashes("the\u{2003}uncharacteristically – long"));
        assert_ne!(hashes("abcdefgh"), hashes("abcdefghi"));
    }

    #[test]
    fn a_word_has_a_place() {
        let text = "Été 12,日本 ﬁne½x e\u{301}t";
        let starts: Vec<_> = places(text, false).into_iter().map(|(start, _)| start).collect();
        assert_eq!(starts, [0, 6, 9, 12, 16, 16, 25]);
        assert_eq!(places("a1 b22", true), places("a7 b05", true));
        assert_ne!(places("a1 b22", false), places("a7 b05", false));
    }

    proptest! {
        #[test]
        fn every_word_has_one_hash_and_equal_words_equal_ones(text in "(?s).{0,200}") {
            let words = words(&text);
            let hashes = hashes(&text);
            prop_assert_eq!(hashes.len(), words.len());
            let again: Vec<u64> = words.iter().flat_map(|word| self::hashes(word)).collect();
            // Lower case can need another round of normalisation (İ): such words are not compared.
            if words.iter().all(|word| super::super::words::words(word) == [word.as_str()]) {
                prop_assert_eq!(again, hashes);
            }
        }

        #[test]
        fn ascii_words_are_found_as_all_others_are(text in "[ -~\n]{0,300}", any_digit: bool) {
            let mut one_by_one = Vec::new();
            let word = |start, hash| one_by_one.push((start, hash));
            Placing { any_digit, at: 0, start: 0, bytes: Vec::new(), word }.normal(0, &text);
            prop_assert_eq!(places(&text, any_digit), one_by_one);
        }
    }
}
