//! A footprint: the bytes that the image library holds at its peak to decode a file, found out from the
//! file's headers before it decodes.
//!
//! Every number here is an upper bound of what was measured (`decode/tests/peak.rs`), and decides which images are
//! refused: a change of one that can refuse other images needs another version of the stages.

use image::{ColorType, ImageFormat};

use super::jpeg::Outline;

mod lossless;
pub(super) mod tiff;
mod webp;

/// Bytes of RGB8, which every decoded image becomes within its own buffer.
const RGB_BYTES: u64 = 3;
/// Copies of the file, or of parts of it, that decoders and their metadata make.
const FILE_COPIES: u64 = 2;
/// Bytes that decoders hold whatever the size: windows, tables, and the rows of small images.
const WINDOW_BYTES: u64 = 1 << 20;
/// Bytes that a bitmap's decoder holds per pixel of its width.
const BMP_ROW_BYTES: u64 = 16;

/// Says what is too much about a file whose header alone would cost memory to read, if it is.
pub(super) fn header_excess(format: ImageFormat, file: &[u8]) -> Option<String> {
    if format == ImageFormat::Tiff { tiff::header_excess(file) } else { None }
}

/// Returns the bytes of a decoder of the image library and its result; `None` if the headers do not lead to
/// an image.
pub(super) fn held_bytes(
    format: ImageFormat,
    file: &[u8],
    size: (u32, u32),
    colour: ColorType,
) -> Option<u64> {
    let pixels = pixels(size);
    let result = pixels.saturating_mul(u64::from(colour.bytes_per_pixel()).max(RGB_BYTES));
    let within = match format {
        ImageFormat::WebP => webp::held_bytes(file, size, colour.has_alpha())?,
        ImageFormat::Jpeg => Outline::read(file)?.held_bytes(),
        _ => BMP_ROW_BYTES * u64::from(size.0),
    };
    let copies = match format {
        // They can be as large as their pixels, and are read where they are.
        ImageFormat::Bmp => 0,
        _ => FILE_COPIES * file.len() as u64,
    };
    Some(result.saturating_add(within).saturating_add(copies).saturating_add(WINDOW_BYTES))
}

/// Width times height.
pub(super) fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Reads two bytes, the lower one first.
fn u16_le(file: &[u8], at: usize) -> Option<u32> {
    let bytes = file.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes).into())
}

/// Reads four bytes, the lowest one first.
fn u32_le(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?))
}
