//! Decoding: bytes from outside to upright RGB pixels.
//!
//! The format is told by the first bytes, never by a name or a header of HTTP. The size is
//! checked before anything is decoded. Of an animation the first frame is taken; transparency
//! is put on white; the EXIF orientation is applied; colour profiles are not.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::pixels::on_white;
use super::{Fault, Pixels, jpeg};

/// Bytes a decoder may hold per pixel allowed: 16-bit RGBA, or an RGB image and a copy.
const DECODER_BYTES_PER_PIXEL: u64 = 8;
/// Bytes a decoder may hold beside pixels: windows and tables of small images.
const DECODER_BYTES_MIN: u64 = 16 << 20;
/// What an EXIF segment of a JPEG begins with.
const EXIF_PREFIX: &[u8] = b"Exif\0\0";
/// First bytes of a file that is no image, shown in reports.
const BEGINNING_BYTES: usize = 16;

/// Decodes images up to a number of pixels.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    pixels_max: u64,
}

/// A decoded image and the format it came in.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The pixels, upright; fewer than the file has where only a fraction was asked for.
    pub pixels: Pixels,
    /// Width of the file's image in pixels, upright.
    pub width: u32,
    /// Height of the file's image in pixels, upright.
    pub height: u32,
    /// File name extension of the format the bytes are in.
    pub extension: &'static str,
}

impl Decoder {
    /// Returns a decoder that refuses images of more than `pixels_max` pixels; it holds at most
    /// about 12 bytes per pixel allowed.
    pub fn new(pixels_max: u64) -> Self {
        Self { pixels_max }
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
        let (format, extension) = sniff(bytes)?;
        let broken = |detail: String| Fault::Broken { format: extension, detail };
        if format == ImageFormat::Jpeg && !jpeg::has_end(bytes) {
            return Err(broken("cut off: no end of image after the last scan".to_owned()));
        }
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(self.limits());
        let mut decoder = reader.into_decoder().map_err(|error| fault(extension, &error))?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > self.pixels_max
            || decoder.total_bytes() > self.decoder_bytes_max()
        {
            return Err(Fault::too_many(width, height));
        }
        let orientation = orientation(&mut decoder);
        let size = (width, height);
        let (width, height) = if is_turned(orientation) { (height, width) } else { (width, height) };
        let divisor = jpeg::divisor((width, height), target(width, height));
        let faster = (format == ImageFormat::Jpeg).then(|| jpeg::decode(bytes, size, divisor)).flatten();
        let pixels = match faster {
            Some(pixels) => pixels,
            None => {
                let decoded =
                    DynamicImage::from_decoder(decoder).map_err(|error| fault(extension, &error))?;
                flatten(decoded).ok_or_else(|| broken("no pixels".to_owned()))?
            }
        };
        let pixels = upright(pixels, orientation).ok_or_else(|| broken("no pixels".to_owned()))?;
        Ok(Decoded { pixels, width, height, extension })
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.decoder_bytes_max());
        limits
    }

    fn decoder_bytes_max(&self) -> u64 {
        self.pixels_max.saturating_mul(DECODER_BYTES_PER_PIXEL).saturating_add(DECODER_BYTES_MIN)
    }
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

/// Returns which way is up; metadata that cannot be read does not say. WebP and PNG files often
/// have the prefix of JPEG's EXIF segment, where the decoder does not expect it.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    let exif = decoder.exif_metadata().ok().flatten();
    let tiff = exif.as_ref().and_then(|exif| exif.strip_prefix(EXIF_PREFIX));
    tiff.and_then(Orientation::from_exif_chunk)
        .or_else(|| decoder.orientation().ok())
        .unwrap_or(Orientation::NoTransforms)
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
    flatten(image)
}

/// Returns any kind of image as RGB8, transparency on white.
fn flatten(decoded: DynamicImage) -> Option<Pixels> {
    let (width, height) = (decoded.width(), decoded.height());
    let rgb = if decoded.color().has_alpha() {
        decoded.into_rgba8().pixels().flat_map(|pixel| on_white(pixel.0)).collect()
    } else {
        decoded.into_rgb8().into_raw()
    };
    Pixels::new(width, height, rgb)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
mod tests;
