//! SentencePiece's precompiled character map: a Darts-clone double array over UTF-8 bytes
//! whose values point into a blob of NUL-terminated replacements.
//!
//! ```text
//! u32 LE  bytes of the double array
//! u32 LE  ... its units
//! bytes   replacements, each up to a NUL
//! ```

use crate::tokenizer::TokenizerError;

/// Units of a double array come in so many.
const UNITS: usize = 256;
/// Bytes of a replacement at most; the longest of `nmt_nfkc` has 33.
const REPLACEMENT_BYTES_MAX: usize = 1 << 10;
/// Rules that one text may begin with; SentencePiece looks at no more.
const NESTED_MAX: u32 = 32;

/// Rules for characters and sequences of them; the longest rule that fits wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct CharacterMap {
    units: Vec<u32>,
    replacements: Vec<u8>,
}

impl CharacterMap {
    /// Reads a map; empty bytes are a map without rules.
    pub(crate) fn parse(blob: &[u8]) -> Result<Self, TokenizerError> {
        if blob.is_empty() {
            return Ok(Self::default());
        }
        let damaged = |detail| TokenizerError::CharacterMap { detail };
        let (length, rest) = blob.split_first_chunk().ok_or(damaged("it has no length"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (units, replacements) =
            rest.split_at_checked(length).ok_or(damaged("its length is too large"))?;
        let (units, remainder) = units.as_chunks();
        if !remainder.is_empty() || units.is_empty() || !units.len().is_multiple_of(UNITS) {
            return Err(damaged("its units are not whole"));
        }
        let units = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        let map = Self { units, replacements: replacements.to_vec() };
        map.check().map_err(damaged)?;
        Ok(map)
    }

    /// Checks what SentencePiece checks when it loads a map, and that replacements are texts within their bound.
    fn check(&self) -> Result<(), &'static str> {
        let longest = self.replacements.split(|byte| *byte == 0).map(<[u8]>::len).max();
        if self.replacements.last() != Some(&0) || longest > Some(REPLACEMENT_BYTES_MAX) {
            return Err("a replacement does not end, or is too long");
        }
        for (node, &unit) in (0_u32..).zip(&self.units) {
            if unit >> 31 == 1 {
                let text = self
                    .replacements
                    .get((unit & !(1 << 31)) as usize..)
                    .ok_or("a rule has no replacement")?;
                let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
                std::str::from_utf8(text).map_err(|_| "a replacement is not UTF-8")?;
                continue;
            }
            let child = node ^ offset(unit);
            let is_root_wrong = node == 0 && (unit & 0xFF != 0 || has_leaf(unit) || offset(unit) == 0);
            if is_root_wrong || (child | 0xFF) as usize >= self.units.len() {
                return Err("a unit has no place for its children");
            }
            if has_leaf(unit) && self.unit(child).is_none_or(|leaf| leaf >> 31 == 0) {
                return Err("a rule has no end");
            }
        }
        Ok(())
    }

    /// Returns true if and only if there are no rules.
    pub(crate) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns the replacement of the longest rule that the bytes begin with, and the bytes it
    /// stands for.
    pub(crate) fn longest(&self, bytes: &[u8]) -> Option<(&[u8], usize)> {
        let (mut found, mut nested) = (None, 0);
        let mut node = offset(*self.units.first()?);
        for (index, &byte) in bytes.iter().enumerate() {
            node ^= u32::from(byte);
            let Some(unit) = self.unit(node).filter(|unit| label(*unit) == u32::from(byte)) else {
                break;
            };
            node ^= offset(unit);
            if has_leaf(unit) {
                found = self.unit(node).map(|leaf| (leaf & !(1 << 31), index + 1));
                nested += 1;
                if nested == NESTED_MAX {
                    break;
                }
            }
        }
        let (start, length) = found?;
        let replacement = self.replacements.get(start as usize..)?;
        let end = replacement.iter().position(|byte| *byte == 0).unwrap_or(replacement.len());
        Some((replacement.get(..end)?, length))
    }

    /// Returns true if and only if no rule begins with this ASCII byte alone or with it and
    /// another ASCII byte: between ASCII bytes it then stays as it is.
    pub(crate) fn keeps_in_ascii(&self, byte: u8) -> bool {
        let begins = |second: u8| {
            let mut node = offset(self.units.first().copied().unwrap_or(0));
            [byte, second].into_iter().all(|byte| {
                node ^= u32::from(byte);
                match self.unit(node).filter(|unit| label(*unit) == u32::from(byte)) {
                    Some(unit) => {
                        node ^= offset(unit);
                        true
                    }
                    None => false,
                }
            })
        };
        self.longest(&[byte]).is_none() && !(0..0x80).any(begins)
    }

    fn unit(&self, node: u32) -> Option<u32> {
        self.units.get(node as usize).copied()
    }
}

/// Label of a unit; a leaf's top bit makes it equal to no byte.
fn label(unit: u32) -> u32 {
    unit & (1 << 31 | 0xFF)
}

fn has_leaf(unit: u32) -> bool {
    unit >> 8 & 1 == 1
}

/// Distance to the children, by exclusive or; far ones are stored in units of 256.
fn offset(unit: u32) -> u32 {
    (unit >> 10) << ((unit & 1 << 9) >> 6)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_make_a_map_or_an_error(units: Vec<u32>, replacements: Vec<u8>, text: Vec<u8>) {
            let mut blob = (units.len() as u32 * 4).to_le_bytes().to_vec();
            blob.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            blob.extend(&replacements);
            if let Ok(map) = CharacterMap::parse(&blob)
                && let Some((replacement, length)) = map.longest(&text)
            {
                prop_assert!(length <= text.len() && replacement.len() <= replacements.len());
            }
            prop_assert!(CharacterMap::parse(&blob[..3]).is_err());
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let error = CharacterMap::parse(&[9, 0, 0, 0, 1, 2, 3, 4]).unwrap_err();
        assert_eq!(error, TokenizerError::CharacterMap { detail: "its length is too large" });
        let error = CharacterMap::parse(&[3, 0, 0, 0, 1, 2, 3, 4]).unwrap_err();
        assert_eq!(error, TokenizerError::CharacterMap { detail: "its units are not whole" });
    }
}
