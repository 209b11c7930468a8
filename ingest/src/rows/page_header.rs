//! The header of a Parquet page, of which only the sizes are read: what the decoder behind is about to
//! allocate on a stranger's word.
//!
//! Thrift's compact protocol, as in the specification's `parquet.thrift`: a struct is a sequence of fields, each
//! with a type and the difference to the number of the field before; a type of 0 ends it.

/// Nested structs and lists that are gone into; a header has three.
const DEPTH_MAX: u32 = 8;
/// Elements of a list in a header; it has none that matter.
const LIST_ITEMS_MAX: u64 = 1 << 16;
/// Field of the header: bytes of the page before compression.
const UNCOMPRESSED: i64 = 2;
/// Field of the header: bytes of the page in the file.
const COMPRESSED: i64 = 3;
/// Types of fields.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INTEGERS: std::ops::RangeInclusive<u8> = 4..=6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LISTS: std::ops::RangeInclusive<u8> = 9..=10;
const STRUCT: u8 = 12;

/// The sizes that a page's header claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PageSizes {
    /// Bytes of the page once it is decompressed.
    pub(super) uncompressed: u64,
    /// Bytes of the page in the file.
    pub(super) compressed: u64,
}

impl PageSizes {
    /// Reads the header at the beginning of these bytes; of a size that is there twice the larger counts. None
    /// where that is no header, or its end is not in the bytes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut sizes = Self::default();
        let mut input = Input { bytes };
        let mut number = 0_i64;
        loop {
            let (kind, field) = input.field(number)?;
            if kind == STOP {
                return Some(sizes);
            }
            number = field;
            match field {
                UNCOMPRESSED | COMPRESSED if INTEGERS.contains(&kind) => {
                    // A negative size is none.
                    let size = u64::try_from(input.integer()?).ok()?;
                    let place =
                        if field == UNCOMPRESSED { &mut sizes.uncompressed } else { &mut sizes.compressed };
                    *place = size.max(*place);
                }
                _ => input.skip(kind, 0)?,
            }
        }
    }
}

struct Input<'b> {
    bytes: &'b [u8],
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Returns the type and number of the next field.
    fn field(&mut self, before: i64) -> Option<(u8, i64)> {
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
    fn integer(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn take(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// Passes over a value.
    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
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
                // In lists a truth value takes a byte.
                let kind = if [TRUE, FALSE].contains(&kind) { BYTE } else { kind };
                if count > LIST_ITEMS_MAX {
                    return None;
                }
                (0..count).try_for_each(|_| self.skip(kind, depth + 1))
            }
            // Headers have no maps.
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A data page: type 0, 300 bytes of which 130 are in the file, 7 values, plain.
    const HEADER: [u8; 19] = [
        0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x84, 0x02, 0x2c, 0x15, 0x0e, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06,
        0x00, 0x00,
    ];

    #[test]
    fn the_sizes_are_found_whatever_stands_around_them() {
        let sizes = PageSizes { uncompressed: 300, compressed: 130 };
        assert_eq!(PageSizes::read(&HEADER), Some(sizes));
        assert_eq!(PageSizes::read(&[&HEADER[..], b"page"].concat()), Some(sizes));
        // A second size, of the longer form: the larger counts.
        let twice = [&HEADER[..18], &[0x05, 0x04, 0xd0, 0x0f, 0x00]].concat();
        assert_eq!(PageSizes::read(&twice), Some(PageSizes { uncompressed: 1_000, ..sizes }));
    }

    #[test]
    fn what_is_no_header_has_no_sizes() {
        assert_eq!(PageSizes::read(&HEADER[..18]), None, "without its end");
        assert_eq!(PageSizes::read(&[0x25, 0x01, 0x00]), None, "a negative size");
        assert_eq!(PageSizes::read(&[0x1c; 100]), None, "too deep");
        assert_eq!(PageSizes::read(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f]), None, "longer than the bytes");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = PageSizes::read(&bytes);
        }
    }
}
