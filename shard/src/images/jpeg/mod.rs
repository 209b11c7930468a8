//! JPEG, which most images are and most of the time goes into: libjpeg-turbo where the build has it
//! (cargo feature `libjpeg-turbo`), else encoders and decoders in Rust alone.

#[cfg(not(feature = "libjpeg-turbo"))]
#[path = "portable.rs"]
mod codec;
#[cfg(feature = "libjpeg-turbo")]
#[path = "turbo.rs"]
mod codec;

pub(super) use codec::{CODEC, decode, encode};

use memchr::memrchr_iter;

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

/// Returns true if and only if an end-of-image marker follows the last start of a scan: decoders
/// fill up what is missing of a cut file with grey, and do not say so. Compressed data cannot
/// hold either marker.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let markers = memrchr_iter(0xFF, bytes).filter_map(|at| bytes.get(at + 1));
    let last = markers.copied().find(|marker| matches!(marker, 0xDA | 0xD9));
    last == Some(0xD9) && memchr::memmem::find(bytes, &[0xFF, 0xDA]).is_some()
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
    fn an_end_counts_only_after_the_last_scan() {
        assert!(has_end(b"\xFF\xD8..\xFF\xDA..\xFF\xD9"));
        assert!(has_end(b"\xFF\xD8..\xFF\xDA..\xFF\xD9trailing"));
        assert!(!has_end(b"\xFF\xD8..\xFF\xDA..\xFF\xD9..\xFF\xDA.."));
        assert!(!has_end(b"\xFF\xD8\xFF\xD9"));
        assert!(!has_end(b""));
    }
}
