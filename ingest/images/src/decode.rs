//! Decoding: bytes from outside to upright RGB pixels.
//!
//! The format is told by the first bytes, never by a name or a header of HTTP. The size, and what decoding
//! holds in memory, are checked before anything is decoded, and the memory is leased from the process's
//! budget. Of an animation the first frame is taken; transparency is put on white; the EXIF orientation is
//! applied; colour profiles are not.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use self::source::Source;
use super::budget::{self, Lease};
use super::footprint::{self, pixels};
use super::jpeg::{self as codec, Outline};
use super::{Config, Fault, Pixels};

mod bitmap;
mod format;
mod gif;
mod icon;
mod jpeg;
mod png;
mod samples;
mod source;
mod tiff;

/// Pixels of a JPEG times its scans: 20 scans of 100 million pixels. Encoders write about ten.
const SCAN_PIXELS_MAX: u64 = 2_000_000_000;

/// Decodes images up to a number of pixels and of bytes in memory.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    pixels_max: u64,
    decoded_bytes_max: u64,
    memory_bytes: u64,
}

/// A decoded image and the format it came in.
#[derive(Debug)]
pub struct Decoded {
    /// The pixels, upright; fewer than the file has where only a fraction was asked for.
    pub pixels: Pixels,
    /// Width of the file's image in pixels, upright.
    pub width: u32,
    /// Height of the file's image in pixels, upright.
    pub height: u32,
    /// File name extension of the format the bytes are in.
    pub extension: &'static str,
    /// The memory that was leased for decoding and for what is done with the pixels.
    pub lease: Lease<'static>,
}

/// What an image becomes: its upright size, how the pixels are turned, and what is held behind decoding.
struct Plan<'a> {
    size: (u32, u32),
    orientation: Orientation,
    extension: &'static str,
    /// Bytes held once pixels of a size are decoded.
    after: &'a dyn Fn((u32, u32)) -> Result<u64, Fault>,
}

impl Decoder {
    /// Returns a decoder that refuses images of more than `pixels_max` pixels, and takes as much memory as the
    /// default settings say.
    pub fn new(pixels_max: u64) -> Self {
        Self::of(&Config { pixels_max, ..Config::default() })
    }

    /// Returns a decoder with the bounds of the settings.
    pub(super) fn of(config: &Config) -> Self {
        let Config { pixels_max, decoded_bytes_max, decode_memory_mb, .. } = *config;
        Self { pixels_max, decoded_bytes_max, memory_bytes: megabytes(decode_memory_mb) }
    }

    /// Decodes JPEG, PNG, GIF, WebP, BMP, TIFF, ICO, PBM, PGM, PPM or PAM.
    ///
    /// # Errors
    /// A [`Fault`] for bytes that are not such an image, are damaged, or too large.
    pub fn decode(&self, bytes: &[u8]) -> Result<Decoded, Fault> {
        self.decode_towards(bytes, |width, height| (width, height))
    }

    /// Decodes an image that will be resized to what `target` makes of its upright width and height: of
    /// a JPEG much larger than that only a fraction, if the build can.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_towards(
        &self,
        bytes: &[u8],
        target: impl Fn(u32, u32) -> (u32, u32),
    ) -> Result<Decoded, Fault> {
        self.decode_for(bytes, target, |_, decoded| Ok(samples::RGB_BYTES as u64 * pixels(decoded)))
    }

    /// As [`Self::decode_towards`], with a lease that is also large enough for `after`: the bytes held when
    /// an image of an upright size is worked on at a decoded size.
    ///
    /// # Errors
    /// As [`Self::decode`], and what `after` says.
    pub(super) fn decode_for(
        &self,
        bytes: &[u8],
        target: impl Fn(u32, u32) -> (u32, u32),
        after: impl Fn((u32, u32), (u32, u32)) -> Result<u64, Fault>,
    ) -> Result<Decoded, Fault> {
        let (format, extension) = format::sniff(bytes)?;
        let check = |(width, height)| match pixels((width, height)) <= self.pixels_max {
            true => Ok(()),
            false => Err(Fault::too_many(width, height)),
        };
        let mut source = Source::open(bytes, format, extension, check)?;
        let (stored, orientation) = (source.size(), source.orientation());
        let size = if is_turned(orientation) { (stored.1, stored.0) } else { stored };
        let after = |decoded| after(size, decoded);
        let plan = Plan { size, orientation, extension, after: &after };
        if let Source::Jpeg(jpeg) = &source {
            check_scans(&jpeg.outline, size)?;
            let divisor = match jpeg.outline.is_lossless() {
                true => 1,
                false => codec::divisor(size, target(size.0, size.1)),
            };
            if let Some(decoded) = self.decode_jpeg(bytes, stored, divisor, &jpeg.outline, &plan)? {
                return Ok(decoded);
            }
        }
        let lease = self.lease(&plan, stored, source.held_bytes()?)?;
        plan.finish(source.decode()?, lease)
    }

    /// Decodes a JPEG at a fraction of its size. `None` where the image library is to decide: this thread's
    /// lease has ended before it asks for that one's.
    fn decode_jpeg(
        &self,
        bytes: &[u8],
        size: (u32, u32),
        divisor: u32,
        outline: &Outline<'_>,
        plan: &Plan<'_>,
    ) -> Result<Option<Decoded>, Fault> {
        if !codec::DECODES {
            return Ok(None);
        }
        let decoded = (size.0.div_ceil(divisor), size.1.div_ceil(divisor));
        let lease = self.lease(plan, decoded, codec::held_bytes(outline, decoded))?;
        codec::decode(bytes, size, divisor).map(|pixels| plan.finish(pixels, lease)).transpose()
    }

    /// Leases what is held while an image is decoded at a size, turned upright and worked on.
    fn lease(&self, plan: &Plan<'_>, decoded: (u32, u32), held: u64) -> Result<Lease<'static>, Fault> {
        let rgb = pixels(decoded).saturating_mul(samples::RGB_BYTES as u64);
        let is_turned = is_turned(plan.orientation);
        let turning = if is_turned { rgb.saturating_mul(2) } else { rgb };
        let upright = if is_turned { (decoded.1, decoded.0) } else { decoded };
        let bytes = held.max(turning).max((plan.after)(upright)?);
        if bytes > self.decoded_bytes_max {
            let (width, height) = plan.size;
            let detail = format!("{width}x{height} as {} takes {bytes}", plan.extension);
            return Err(Fault::TooManyBytes { detail });
        }
        Ok(budget::MEMORY.lease(bytes, self.memory_bytes))
    }
}

impl Plan<'_> {
    fn finish(&self, pixels: Pixels, lease: Lease<'static>) -> Result<Decoded, Fault> {
        let (extension, (width, height)) = (self.extension, self.size);
        let pixels =
            upright(pixels, self.orientation).ok_or_else(|| Fault::broken(extension, "no pixels"))?;
        Ok(Decoded { pixels, width, height, extension, lease })
    }
}

fn check_scans(outline: &Outline<'_>, (width, height): (u32, u32)) -> Result<(), Fault> {
    let scans = outline.scan_count;
    if pixels((width, height)).saturating_mul(scans) <= SCAN_PIXELS_MAX {
        return Ok(());
    }
    Err(Fault::TooManyScans { width, height, scans })
}

fn megabytes(count: u32) -> u64 {
    u64::from(count) << 20
}

fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn upright(pixels: Pixels, orientation: Orientation) -> Option<Pixels> {
    if orientation == Orientation::NoTransforms {
        return Some(pixels);
    }
    let (width, height) = (pixels.width(), pixels.height());
    let mut image = DynamicImage::from(RgbImage::from_raw(width, height, pixels.into_rgb())?);
    image.apply_orientation(orientation);
    Pixels::new(image.width(), image.height(), image.into_rgb8().into_raw())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
mod tests;
