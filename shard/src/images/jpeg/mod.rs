//! JPEG, which most images are and most of the time goes into: libjpeg-turbo where the build has it
//! (cargo feature `libjpeg-turbo`), else encoders and decoders in Rust alone.

#[cfg(not(feature = "libjpeg-turbo"))]
#[path = "portable.rs"]
mod codec;
#[cfg(feature = "libjpeg-turbo")]
#[path = "turbo.rs"]
mod codec;

pub(super) use codec::{CODEC, decode, encode};

use memchr::memchr;

/// Decoded pixels to spare in each direction before resizing, when a fraction is decoded: with
/// half as many again the resize still averages.
const SPARE: f64 = 1.5;

/// Returns by what a JPEG of this size may be divided while it is decoded: a power of two up to 8
/// for which libjpeg-turbo has fast transforms, 1 if all pixels are needed.
pub(super) fn divisor((width, height): (u32, u32), (to_width, to_height): (u32, u32)) -> u32 {
    let is_enough = |divisor: &u32| {
        let spare = |from: u32, to: u32| f64::from(from.div_ceil(*divisor)) >= f64::from(to) * SPARE;
        spare(width, to_width) && spare(height, to_height)
    };
    [8, 4, 2].into_iter().find(is_enough).unwrap_or(1)
}

/// Returns true if and only if an end-of-image marker follows a scan (ITU T.81, annex B): decoders fill
/// up what is missing of a cut file with grey, and do not say so. Segments are passed over by their
/// lengths, so thumbnails within and whatever follows the image say nothing.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let (mut at, mut has_scan) = (0, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(0xFF, rest)) {
        at += found + 1;
        let Some(marker) = bytes.get(at) else { return false };
        match marker {
            // A stuffed byte, a restart, the image's beginning, or a byte that fills up.
            0x00 | 0x01 | 0xD0..=0xD8 => at += 1,
            0xFF => {}
            0xD9 => return has_scan,
            marker => {
                has_scan |= *marker == 0xDA;
                match bytes.get(at + 1..at + 3) {
                    Some(&[high, low]) => at += 1 + usize::from(u16::from_be_bytes([high, low])),
                    _ => return false,
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_decoded_only_if_enough_pixels_stay() {
        assert_eq!(divisor((800, 533), (256, 170)), 2);
        assert_eq!(divisor((760, 500), (256, 168)), 1);
        assert_eq!(divisor((4_000, 2_667), (384, 256)), 4);
        assert_eq!(divisor((10_000, 10_000), (256, 256)), 8);
        assert_eq!(divisor((100, 100), (100, 100)), 1);
    }

    #[test]
    fn an_end_counts_only_after_a_scan() {
        assert!(has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\0.\xFF\xD0.\xFF\xFF\xD9"));
        assert!(has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\xD9trailing \xFF\xDA\0\x02.."));
        // A thumbnail's end within a segment is not the image's.
        assert!(!has_end(b"\xFF\xD8\xFF\xE1\0\x0A\xFF\xDA\0\x02.\xFF\xD9.\xFF\xDA\0\x02.."));
        assert!(!has_end(b"\xFF\xD8\xFF\xDA\0\x02..\xFF\xDA\0\x02.."));
        assert!(!has_end(b"\xFF\xD8\xFF\xD9"));
        assert!(!has_end(b""));
    }
}
