//! JPEG in Rust alone. Decoding is the image library's (zune-jpeg).

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::super::Pixels;
use super::super::encode::Encoded;

/// What made the bytes: part of the fingerprint, since another encoder makes others.
pub(in super::super) const CODEC: &str = "portable";
/// Whether [`decode`] can return pixels.
pub(in super::super) const DECODES: bool = false;

/// Returns nothing: there is no faster decoder than the image library's.
pub(in super::super) fn decode(_bytes: &[u8], _size: (u32, u32), _divisor: u32) -> Option<Pixels> {
    None
}

/// Encodes with colour at half the resolution.
pub(in super::super) fn encode(pixels: &Pixels, quality: u8) -> Encoded {
    let (width, height) = (u16::try_from(pixels.width())?, u16::try_from(pixels.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(pixels.rgb(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}
