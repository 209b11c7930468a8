//! What happens to a text before it is segmented: characters by the map, spaces by the rules.
//!
//! The order of the rules is that of `src/normalizer.cc` of SentencePiece 0.2, including that
//! a literal U+2581 counts as a space at the end but not at the beginning.

use std::sync::Arc;

use crate::tokenizer::charsmap::CharacterMap;
use crate::tokenizer::file::NormalizerSpec;
use crate::tokenizer::segmenter::UserDefined;
use crate::tokenizer::{SPACE_SYMBOL, TokenizerError};

/// Turns text into the bytes that pieces are looked for in.
#[derive(Debug)]
pub(crate) struct Normalizer {
    map: CharacterMap,
    user_defined: Arc<UserDefined>,
    /// Bytes that stay as they are if an ASCII byte or nothing follows.
    plain: [bool; 256],
    space: &'static [u8],
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    whitespace_is_suffix: bool,
}

impl Normalizer {
    pub(crate) fn new(spec: &NormalizerSpec, user_defined: Arc<UserDefined>) -> Result<Self, TokenizerError> {
        let map = CharacterMap::parse(&spec.precompiled_charsmap)?;
        let mut plain = [false; 256];
        for (byte, plain) in (0..=u8::MAX).zip(plain.iter_mut()) {
            let is_kept = map.is_empty() || byte.is_ascii() && map.keeps_in_ascii(byte);
            *plain = byte != b' ' && is_kept && !user_defined.begins_with(byte);
        }
        Ok(Self {
            map,
            user_defined,
            plain,
            space: if spec.escape_whitespaces { SPACE_SYMBOL.as_bytes() } else { b" " },
            add_dummy_prefix: spec.add_dummy_prefix,
            remove_extra_whitespaces: spec.remove_extra_whitespaces,
            whitespace_is_suffix: spec.whitespace_is_suffix,
        })
    }

    /// Appends the normalised text.
    pub(crate) fn normalize(&self, text: &str, normalized: &mut Vec<u8>) {
        let mut rest = text.as_bytes();
        if self.remove_extra_whitespaces {
            while let (b" ", length) = self.prefix(rest) {
                rest = tail(rest, length);
            }
        }
        if rest.is_empty() {
            return;
        }
        normalized.reserve(rest.len() + rest.len() / 2);
        let start = normalized.len();
        if self.add_dummy_prefix && !self.whitespace_is_suffix {
            normalized.extend(self.space);
        }
        let mut after_space = self.remove_extra_whitespaces;
        while !rest.is_empty() {
            let plain_bytes = self.plain_bytes(rest);
            if plain_bytes > 0 {
                normalized.extend(rest.get(..plain_bytes).unwrap_or_default());
                after_space = false;
                rest = tail(rest, plain_bytes);
                continue;
            }
            let (replacement, length) = self.prefix(rest);
            self.append(replacement, &mut after_space, normalized);
            rest = tail(rest, length);
        }
        if self.remove_extra_whitespaces {
            while normalized.len() > start && normalized.ends_with(self.space) {
                normalized.truncate(normalized.len() - self.space.len());
            }
        }
        if self.add_dummy_prefix && self.whitespace_is_suffix {
            normalized.extend(self.space);
        }
    }

    fn append(&self, replacement: &[u8], after_space: &mut bool, normalized: &mut Vec<u8>) {
        let mut replacement = replacement;
        while let (true, [b' ', rest @ ..]) = (*after_space, replacement) {
            replacement = rest;
        }
        let Some(last) = replacement.last() else {
            return;
        };
        for &byte in replacement {
            if byte == b' ' {
                normalized.extend(self.space);
            } else {
                normalized.push(byte);
            }
        }
        *after_space = self.remove_extra_whitespaces && *last == b' ';
    }

    /// Returns how many bytes from the start stay as they are, without looking at the map.
    fn plain_bytes(&self, bytes: &[u8]) -> usize {
        let is_plain = |byte: &u8| self.plain.get(usize::from(*byte)).is_some_and(|plain| *plain);
        let length = bytes.iter().position(|byte| !is_plain(byte)).unwrap_or(bytes.len());
        // The last byte may begin a longer rule, such as a letter before a combining accent.
        match bytes.get(length) {
            Some(next) if !next.is_ascii() && !self.map.is_empty() => length.saturating_sub(1),
            _ => length,
        }
    }

    /// Returns what the beginning becomes, and how many bytes that stands for; (empty, 0) for none.
    fn prefix<'a>(&'a self, bytes: &'a [u8]) -> (&'a [u8], usize) {
        let as_it_is = |length| (bytes.get(..length).unwrap_or_default(), length);
        match self.user_defined.longest(bytes) {
            Some(length) => as_it_is(length),
            None => self.map.longest(bytes).unwrap_or_else(|| as_it_is(character_bytes(bytes))),
        }
    }
}

/// Returns the length of the first UTF-8 character by its first byte, within the slice.
pub(crate) fn character_bytes(bytes: &[u8]) -> usize {
    let length = match bytes.first() {
        None => 0,
        Some(0xF0..) => 4,
        Some(0xE0..) => 3,
        Some(0xC0..) => 2,
        Some(_) => 1,
    };
    length.min(bytes.len())
}

fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length..).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn normalized(text: &str, change: fn(&mut NormalizerSpec)) -> String {
        let mut spec = NormalizerSpec::default();
        change(&mut spec);
        let mut bytes = Vec::new();
        Normalizer::new(&spec, Arc::new(UserDefined::none())).unwrap().normalize(text, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn extra_spaces_go_and_words_begin_with_the_symbol() {
        assert_eq!(normalized("  two   words  ", |_| ()), "▁two▁words");
        assert_eq!(normalized("   ", |_| ()), "");
        assert_eq!(normalized("", |_| ()), "");
        assert_eq!(normalized("é  ü", |_| ()), "▁é▁ü");
    }

    #[test]
    fn a_literal_symbol_is_a_space_at_the_end_alone() {
        assert_eq!(normalized("▁", |_| ()), "");
        assert_eq!(normalized("▁a▁", |_| ()), "▁▁a");
    }

    #[test]
    fn the_rules_can_be_switched_off() {
        assert_eq!(normalized(" a  b ", |spec| spec.remove_extra_whitespaces = false), "▁▁a▁▁b▁");
        assert_eq!(normalized(" a  b ", |spec| spec.add_dummy_prefix = false), "a▁b");
        assert_eq!(normalized(" a  b ", |spec| spec.whitespace_is_suffix = true), "a▁b▁");
        assert_eq!(normalized(" a  b ", |spec| spec.escape_whitespaces = false), " a b");
    }
}
