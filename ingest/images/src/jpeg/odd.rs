//! Odd JPEG files, decoded by jpeg-decoder.

use jpeg_decoder::{ColorTransform, Decoder, Error, ImageInfo};

use super::outline::Outline;
use super::{RGB_BYTES, WINDOW_BYTES};

const CMYK_BYTES: u64 = 4;

/// Returns the bytes that [`decode`] holds: coefficients wait for the threads that transform them, once more
/// if scans add to each other; then there are all samples, and the pixels made of them.
pub(in super::super) fn held_bytes(
    outline: &Outline<'_>,
    (width, height): (u32, u32),
    file_bytes: u64,
) -> u64 {
    let copies = if outline.is_buffered { 2 } else { 1 };
    let samples = outline.coefficient_bytes / 2;
    let pixel_bytes = if outline.component_count() == 4 { CMYK_BYTES } else { RGB_BYTES };
    let result = pixel_bytes * u64::from(width) * u64::from(height);
    copies * outline.coefficient_bytes + samples + result + file_bytes + WINDOW_BYTES
}

/// Decodes a file of this size whose colours are stored in this way: to grey, RGB or, 0 for none of an ink,
/// cyan, magenta, yellow and black, row by row.
///
/// # Errors
/// What is damaged about the file.
pub(in super::super) fn decode(
    file: &[u8],
    (width, height): (u32, u32),
    colours: ColorTransform,
) -> Result<Vec<u8>, Error> {
    let mut decoder = Decoder::new(file);
    decoder.set_color_transform(colours);
    let samples = decoder.decode()?;
    // The size that was held against the bound is the one that memory is taken for.
    let is_size = |info: &ImageInfo| (u32::from(info.width), u32::from(info.height)) == (width, height);
    match decoder.info().filter(is_size) {
        Some(_) => Ok(samples),
        None => Err(Error::Format("two sizes".to_owned())),
    }
}
