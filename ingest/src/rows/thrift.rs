//! Thrift's compact protocol, as far as a stranger's claims are checked: what Parquet's footers and page headers are
//! written in, as the specification's `parquet.thrift` says.
//!
//! A struct is a sequence of fields, each with a type and the difference to the number of the field before; a type of 0
//! ends it.

/// Nested structs and lists that are gone into; a footer has ten.
const DEPTH_MAX: u32 = 24;
/// Types of fields.
pub(super) const STOP: u8 = 0;
pub(super) const STRUCT: u8 = 12;
pub(super) const INTEGERS: std::ops::RangeInclusive<u8> = 4..=6;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LISTS: std::ops::RangeInclusive<u8> = 9..=10;

/// Bytes that are not read yet.
pub(super) struct Input<'b> {
    pub(super) bytes: &'b [u8],
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Returns the type and number of the next field.
    pub(super) fn field(&mut self, before: i64) -> Option<(u8, i64)> {
        let byte = self.byte()?;
        let (kind, difference) = (byte & 0x0f, byte >> 4);
        match (kind, difference) {
            (STOP, _) => Some((STOP, 0)),
            (kind, 0) => Some((kind, self.integer()?)),
            (kind, difference) => Some((kind, before.checked_add(difference.into())?)),
        }
    }

    /// Reads a number of variable length, low bits first.
    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Reads a number whose sign is its lowest bit.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn take(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.take(1),
            DOUBLE => self.take(8),
            BINARY => {
                let length = self.unsigned()?;
                self.take(length)
            }
            STRUCT => {
                let mut number = 0;
                loop {
                    let (kind, field) = self.field(number)?;
                    if kind == STOP {
                        return Some(());
                    }
                    number = field;
                    self.skip(kind, depth + 1)?;
                }
            }
            kind if INTEGERS.contains(&kind) => self.unsigned().map(|_| ()),
            kind if LISTS.contains(&kind) => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
                let kind = head & 0x0f;
                // Each element takes a byte at least. Of truth values the library takes none, and counts to any number;
                // neither footers nor page headers have them.
                if count > self.bytes.len() as u64 || count > 0 && [TRUE, FALSE].contains(&kind) {
                    return None;
                }
                (0..count).try_for_each(|_| self.skip(kind, depth + 1))
            }
            // Neither has maps.
            _ => None,
        }
    }
}

/// Returns true if the bytes begin with a struct.
pub(super) fn is_struct(bytes: &[u8]) -> bool {
    Input { bytes }.skip(STRUCT, 0).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_has_no_more_elements_than_bytes_and_no_truth_values() {
        // Field 1, a list of two integers; of 2^32 - 1; of no truth values; of 2^32 - 1 of them.
        assert!(is_struct(&[0x19, 0x25, 2, 4, 0]));
        assert!(!is_struct(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f, 2, 4, 0]));
        assert!(is_struct(&[0x19, 0x01, 0]));
        assert!(!is_struct(&[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]));
        assert!(!is_struct(&[0x1c; 100]), "too deep");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = is_struct(&bytes);
        }
    }
}
