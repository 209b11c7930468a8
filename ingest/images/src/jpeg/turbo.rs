//! JPEG by libjpeg-turbo.

use turbojpeg::{Colorspace, Compressor, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp};

use super::super::Pixels;
use super::super::encode::Encoded;

/// What made the bytes: part of the fingerprint, since another encoder makes others.
pub(in super::super) const CODEC: &str = "libjpeg-turbo";
/// Whether [`decode`] can return pixels.
pub(in super::super) const DECODES: bool = true;
const CHANNELS: usize = 3;
/// Scans of a progressive file at most: each costs a pass over all pixels.
const SCANS_MAX: u32 = 100;

/// Decodes a file of this size at a fraction of it. `None` for what this library does not turn into RGB (four
/// colours) or calls damaged: the image library decides then.
pub(in super::super) fn decode(bytes: &[u8], size: (u32, u32), divisor: u32) -> Option<Pixels> {
    let mut decompressor = Decompressor::new().ok()?;
    decompressor.set_scan_limit(SCANS_MAX).ok()?;
    let header = decompressor.read_header(bytes).ok()?;
    if matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK) {
        return None;
    }
    // The size that was held against the bound is the one that memory is taken for.
    if (header.width, header.height) != (size.0 as usize, size.1 as usize) {
        return None;
    }
    let factor = ScalingFactor::new(1, divisor as usize);
    decompressor.set_scaling_factor(factor).ok()?;
    let (width, height) = (factor.scale(header.width), factor.scale(header.height));
    let pitch = width * CHANNELS;
    let mut rgb = vec![0; pitch * height];
    let image = Image { pixels: rgb.as_mut_slice(), width, pitch, height, format: PixelFormat::RGB };
    decompressor.decompress(bytes, image).ok()?;
    Pixels::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?, rgb)
}

/// Encodes with colour at half the resolution.
pub(in super::super) fn encode(pixels: &Pixels, quality: u8) -> Encoded {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(quality.into())?;
    compressor.set_subsamp(Subsamp::Sub2x2)?;
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let pitch = width * CHANNELS;
    let image = Image { pixels: pixels.rgb(), width, pitch, height, format: PixelFormat::RGB };
    Ok(compressor.compress_to_vec(image)?)
}
