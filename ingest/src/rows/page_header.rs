//! The header of a Parquet page, of which only the sizes are read: what the decoder behind is about to
//! allocate on a stranger's word.

use super::thrift::{INTEGERS, Input, STOP};

/// Field of the header: bytes of the page before compression.
const UNCOMPRESSED: i64 = 2;
/// Field of the header: bytes of the page in the file.
const COMPRESSED: i64 = 3;

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
