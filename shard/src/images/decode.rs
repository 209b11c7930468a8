//! Decoding: bytes from outside to upright RGB pixels.
//!
//! The format is told by the first bytes, never by a name or a header of HTTP. The size, and what decoding
//! holds in memory, are checked before anything is decoded, and the memory is leased from the process's
//! budget. Of an animation the first frame is taken; transparency is put on white; the EXIF orientation is
//! applied; colour profiles are not.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use self::png::Png;
use super::budget::{self, Lease};
use super::footprint::{self, pixels};
use super::jpeg::{self, Outline};
use super::{Config, Fault, Pixels};

mod png;
mod samples;

/// Pixels of a JPEG times its scans: 20 scans of 100 million pixels. Encoders write about ten.
const SCAN_PIXELS_MAX: u64 = 2_000_000_000;
/// What an EXIF segment of a JPEG begins with.
const EXIF_PREFIX: &[u8] = b"Exif\0\0";
/// First bytes of a file that is no image, shown in reports.
const BEGINNING_BYTES: usize = 16;

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

/// A file whose headers have been read.
enum Source<'a> {
    Png(Box<Png<'a>>),
    Other(Box<dyn ImageDecoder + 'a>),
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
    /// Returns a decoder that refuses images of more than `pixels_max` pixels, and waits for memory as the
    /// default settings say.
    pub fn new(pixels_max: u64) -> Self {
        let Config { decode_memory_mb, .. } = Config::default();
        Self { pixels_max, decoded_bytes_max: u64::MAX, memory_bytes: megabytes(decode_memory_mb) }
    }

    /// Returns a decoder with the bounds of the settings.
    pub(super) fn of(config: &Config) -> Self {
        let Config { pixels_max, decoded_bytes_max, decode_memory_mb, .. } = *config;
        Self { pixels_max, decoded_bytes_max, memory_bytes: megabytes(decode_memory_mb) }
    }

    /// Decodes JPEG, PNG, GIF, WebP, BMP or TIFF.
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
        let (format, extension) = sniff(bytes)?;
        let broken = |detail: &str| Fault::Broken { format: extension, detail: detail.to_owned() };
        let outline = Outline::read(bytes).filter(|_| format == ImageFormat::Jpeg);
        if format == ImageFormat::Jpeg && outline.is_none() {
            return Err(broken("cut off: no end of image after the last scan"));
        }
        if let Some(detail) = footprint::header_excess(format, bytes) {
            return Err(Fault::TooManyBytes { detail });
        }
        let (mut source, stored) = self.open(bytes, format, extension)?;
        let orientation = source.orientation();
        let size = if is_turned(orientation) { (stored.1, stored.0) } else { stored };
        let after = |decoded| after(size, decoded);
        let plan = Plan { size, orientation, extension, after: &after };
        if let Some(outline) = outline {
            check_scans(&outline, size)?;
            let divisor = jpeg::divisor(size, target(size.0, size.1));
            if let Some(decoded) = self.decode_jpeg(bytes, stored, divisor, &outline, &plan)? {
                return Ok(decoded);
            }
        }
        let held = source.held_bytes(format, bytes).ok_or_else(|| broken("no first image"))?;
        let lease = self.lease(&plan, stored, held)?;
        plan.finish(source.decode(extension)?, lease)
    }

    /// Reads the headers of a file and its size as stored.
    fn open<'a>(
        &self,
        bytes: &'a [u8],
        format: ImageFormat,
        extension: &'static str,
    ) -> Result<(Source<'a>, (u32, u32)), Fault> {
        let check = |(width, height)| match pixels((width, height)) <= self.pixels_max {
            true => Ok((width, height)),
            false => Err(Fault::too_many(width, height)),
        };
        let broken = |detail: String| Fault::Broken { format: extension, detail };
        if format == ImageFormat::Png {
            let size = check(png::size(bytes).map_err(|error| broken(error.to_string()))?)?;
            let png = Png::open(bytes).map_err(|error| broken(error.to_string()))?;
            return Ok((Source::Png(Box::new(png)), size));
        }
        // What limits would check is known and leased before anything is decoded.
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.no_limits();
        let decoder = reader.into_decoder().map_err(|error| fault(extension, &error))?;
        let size = check(decoder.dimensions())?;
        Ok((Source::Other(Box::new(decoder)), size))
    }

    /// Decodes a JPEG at a fraction of its size. `None` where the image library is to decide: this thread's
    /// lease has ended before it asks for that one's.
    fn decode_jpeg(
        &self,
        bytes: &[u8],
        size: (u32, u32),
        divisor: u32,
        outline: &Outline,
        plan: &Plan<'_>,
    ) -> Result<Option<Decoded>, Fault> {
        if !jpeg::DECODES {
            return Ok(None);
        }
        let decoded = (size.0.div_ceil(divisor), size.1.div_ceil(divisor));
        let lease = self.lease(plan, decoded, jpeg::held_bytes(outline, decoded))?;
        jpeg::decode(bytes, size, divisor).map(|pixels| plan.finish(pixels, lease)).transpose()
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

impl Source<'_> {
    fn orientation(&mut self) -> Orientation {
        match self {
            Self::Png(png) => png.exif().and_then(of_exif),
            Self::Other(decoder) => {
                let exif = decoder.exif_metadata().ok().flatten();
                let of_jpeg = exif.filter(|exif| exif.starts_with(EXIF_PREFIX));
                of_jpeg.as_deref().and_then(of_exif).or_else(|| decoder.orientation().ok())
            }
        }
        .unwrap_or(Orientation::NoTransforms)
    }

    fn held_bytes(&self, format: ImageFormat, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Png(png) => Some(png.held_bytes()),
            Self::Other(decoder) => {
                footprint::held_bytes(format, bytes, decoder.dimensions(), decoder.color_type())
            }
        }
    }

    fn decode(self, extension: &'static str) -> Result<Pixels, Fault> {
        let broken = |detail: String| Fault::Broken { format: extension, detail };
        let (size, rgb) = match self {
            Self::Png(png) => {
                let size = png.size();
                (size, Some(png.decode().map_err(|error| broken(error.to_string()))?))
            }
            Self::Other(decoder) => {
                let (size, colour) = (decoder.dimensions(), decoder.color_type());
                let count = pixels(size) as usize;
                let sample_bytes = count * usize::from(colour.bytes_per_pixel());
                let mut samples = vec![0; sample_bytes.max(count * samples::RGB_BYTES)];
                let read = decoder.read_image_boxed(&mut samples[..sample_bytes]);
                read.map_err(|error| fault(extension, &error))?;
                (size, samples::into_rgb(samples, colour, count))
            }
        };
        let pixels = rgb.and_then(|rgb| Pixels::new(size.0, size.1, rgb));
        pixels.ok_or_else(|| broken("no pixels".to_owned()))
    }
}

impl Plan<'_> {
    fn finish(&self, pixels: Pixels, lease: Lease<'static>) -> Result<Decoded, Fault> {
        let (extension, (width, height)) = (self.extension, self.size);
        let pixels = upright(pixels, self.orientation)
            .ok_or_else(|| Fault::Broken { format: extension, detail: "no pixels".to_owned() })?;
        Ok(Decoded { pixels, width, height, extension, lease })
    }
}

fn check_scans(outline: &Outline, (width, height): (u32, u32)) -> Result<(), Fault> {
    let scans = outline.scan_count;
    if pixels((width, height)).saturating_mul(scans) <= SCAN_PIXELS_MAX {
        return Ok(());
    }
    Err(Fault::TooManyScans { width, height, scans })
}

fn megabytes(count: u32) -> u64 {
    u64::from(count) << 20
}

fn fault(format: &'static str, error: &ImageError) -> Fault {
    let detail = error.to_string();
    match error {
        ImageError::Limits(_) => Fault::TooManyPixels { detail },
        _ => Fault::Broken { format, detail },
    }
}

fn sniff(bytes: &[u8]) -> Result<(ImageFormat, &'static str), Fault> {
    if let Some(format) = unsupported(bytes) {
        return Err(Fault::Unsupported { format });
    }
    let beginning = &bytes[..bytes.len().min(BEGINNING_BYTES)];
    let format =
        image::guess_format(bytes).map_err(|_| Fault::NotAnImage { beginning: hexadecimal(beginning) })?;
    let extension = match format {
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Png => "png",
        ImageFormat::Gif => "gif",
        ImageFormat::WebP => "webp",
        ImageFormat::Bmp => "bmp",
        ImageFormat::Tiff => "tiff",
        other => return Err(Fault::Unsupported { format: other.to_mime_type() }),
    };
    Ok((format, extension))
}

/// Returns the media type of an image of a format that is not read and that the image library does
/// not know by name: brands of ISO 23008-12 files, and JPEG XL.
fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    const BRANDS: [(&[u8], &str); 6] = [
        (b"avif", "image/avif"),
        (b"avis", "image/avif"),
        (b"heic", "image/heic"),
        (b"heix", "image/heic"),
        (b"mif1", "image/heif"),
        (b"msf1", "image/heif"),
    ];
    const JPEG_XL: [&[u8]; 2] = [b"\xFF\x0A", b"\0\0\0\x0CJXL "];
    if JPEG_XL.iter().any(|beginning| bytes.starts_with(beginning)) {
        return Some("image/jxl");
    }
    let brand = bytes.get(4..)?.strip_prefix(b"ftyp")?;
    BRANDS.iter().find(|(known, _)| brand.starts_with(known)).map(|(_, format)| *format)
}

/// Writes bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns which way is up; metadata that cannot be read does not say. WebP and PNG files often have the
/// prefix of JPEG's EXIF segment, where a decoder would not expect it.
fn of_exif(exif: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif.strip_prefix(EXIF_PREFIX).unwrap_or(exif))
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
