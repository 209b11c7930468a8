//! JPEG, which most images are and most of the time goes into: libjpeg-turbo where the build has it
//! (cargo feature `libjpeg-turbo`), else encoders and decoders in Rust alone, chosen by the file's kind.

#[cfg(not(feature = "libjpeg-turbo"))]
#[path = "portable.rs"]
mod codec;
#[cfg(feature = "libjpeg-turbo")]
#[path = "turbo.rs"]
mod codec;

mod kind;
pub(super) mod odd;
mod outline;

pub(super) use codec::{CODEC, DECODES, decode, encode};
pub(super) use kind::Kind;
pub(super) use outline::Outline;

const RGB_BYTES: u64 = 3;
/// Bytes that a decoder holds whatever the size: tables, and the segments of the file.
const WINDOW_BYTES: u64 = 1 << 20;
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

/// Returns the bytes that [`decode`] holds for a result of this size.
pub(super) fn held_bytes(outline: &Outline<'_>, (width, height): (u32, u32)) -> u64 {
    outline.held_bytes() + RGB_BYTES * u64::from(width) * u64::from(height) + WINDOW_BYTES
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
}
