//! Samples: what decoders give, made RGB8 where it lies, transparency on white.

use image::ColorType;

use super::super::pixels::{of_cmyk, on_white};

/// Bytes of a pixel in RGB8.
pub(super) const RGB_BYTES: usize = 3;

/// Makes pixels of a kind RGB8 within their buffer: `samples` begins with the decoder's `count` pixels and
/// has room for `count` RGB8 ones. Nothing of the size of the image is taken beside it. `None` for a kind
/// that no decoder gives.
pub(super) fn into_rgb(mut samples: Vec<u8>, colour: ColorType, count: usize) -> Option<Vec<u8>> {
    let eight = |bytes: [u8; 2]| rounded(u16::from_ne_bytes(bytes));
    let pixels = &mut samples;
    match colour {
        ColorType::Rgb8 => {}
        ColorType::L8 => in_place(pixels, count, |[grey]| [grey; 3]),
        ColorType::La8 => in_place(pixels, count, |[grey, alpha]| on_white([grey, grey, grey, alpha])),
        ColorType::Rgba8 => in_place(pixels, count, on_white),
        ColorType::L16 => in_place(pixels, count, |[a, b]| [eight([a, b]); 3]),
        ColorType::La16 => {
            in_place(pixels, count, |[a, b, c, d]| grey_on_white(eight([a, b]), eight([c, d])))
        }
        ColorType::Rgb16 => in_place(pixels, count, |[a, b, c, d, e, f]| [[a, b], [c, d], [e, f]].map(eight)),
        ColorType::Rgba16 => in_place(pixels, count, |[a, b, c, d, e, f, g, h]| {
            on_white([[a, b], [c, d], [e, f], [g, h]].map(eight))
        }),
        ColorType::Rgb32F => in_place(pixels, count, |bytes: [u8; 12]| floats(bytes)),
        ColorType::Rgba32F => in_place(pixels, count, |bytes: [u8; 16]| on_white(floats(bytes))),
        _ => return None,
    }
    samples.truncate(count * RGB_BYTES);
    samples.shrink_to_fit();
    Some(samples)
}

/// Makes grey, RGB8 or inks, 0 for none of one, of `count` pixels RGB8 within their buffer. `None` for another
/// number of samples.
pub(super) fn of_jpeg(mut samples: Vec<u8>, count: usize) -> Option<Vec<u8>> {
    match samples.len().checked_div(count)? {
        1 => {
            samples.resize(count * RGB_BYTES, 0);
            in_place(&mut samples, count, |[grey]| [grey; 3]);
        }
        RGB_BYTES => {}
        4 => in_place(&mut samples, count, of_cmyk),
        _ => return None,
    }
    samples.truncate(count * RGB_BYTES);
    samples.shrink_to_fit();
    Some(samples)
}

/// Appends a row of big-endian samples, as PNG has them, to RGB8 pixels.
pub(super) fn append_row(colour: png::ColorType, depth: png::BitDepth, row: &[u8], rgb: &mut Vec<u8>) {
    use png::{BitDepth::Sixteen, ColorType};
    let eight = |bytes: [u8; 2]| rounded(u16::from_be_bytes(bytes));
    match (colour, depth) {
        (ColorType::Grayscale, Sixteen) => append(row, rgb, |[a, b]| [eight([a, b]); 3]),
        (ColorType::GrayscaleAlpha, Sixteen) => {
            append(row, rgb, |[a, b, c, d]| grey_on_white(eight([a, b]), eight([c, d])));
        }
        (ColorType::Rgb, Sixteen) => {
            append(row, rgb, |[a, b, c, d, e, f]| [[a, b], [c, d], [e, f]].map(eight))
        }
        (ColorType::Rgba, Sixteen) => {
            append(row, rgb, |[a, b, c, d, e, f, g, h]| on_white([[a, b], [c, d], [e, f], [g, h]].map(eight)))
        }
        (ColorType::Grayscale, _) => append(row, rgb, |[grey]| [grey; 3]),
        (ColorType::GrayscaleAlpha, _) => append(row, rgb, |[grey, alpha]| grey_on_white(grey, alpha)),
        (ColorType::Rgba, _) => append(row, rgb, on_white),
        // A palette is expanded by the decoder.
        (ColorType::Rgb | ColorType::Indexed, _) => rgb.extend_from_slice(row),
    }
}

fn append<const N: usize>(row: &[u8], rgb: &mut Vec<u8>, to_rgb: impl Fn([u8; N]) -> [u8; RGB_BYTES]) {
    rgb.extend(row.as_chunks().0.iter().flat_map(|pixel| to_rgb(*pixel)));
}

/// Pixels that shrink are written from the first to the last, others from the last to the first: what is
/// written was read before.
fn in_place<const N: usize>(buffer: &mut [u8], count: usize, to_rgb: impl Fn([u8; N]) -> [u8; RGB_BYTES]) {
    let mut convert = |index: usize| {
        let mut pixel = [0; N];
        pixel.copy_from_slice(&buffer[index * N..][..N]);
        buffer[index * RGB_BYTES..][..RGB_BYTES].copy_from_slice(&to_rgb(pixel));
    };
    if N < RGB_BYTES { (0..count).rev().for_each(convert) } else { (0..count).for_each(&mut convert) }
}

fn grey_on_white(grey: u8, alpha: u8) -> [u8; RGB_BYTES] {
    on_white([grey, grey, grey, alpha])
}

/// The nearest of 256 levels.
fn rounded(level: u16) -> u8 {
    ((u32::from(level) + 128) / 257) as u8
}

/// Levels from 0 to 1 as bytes; what is no number is 0.
fn floats<const N: usize, const CHANNELS: usize>(bytes: [u8; N]) -> [u8; CHANNELS] {
    let mut levels = [0; CHANNELS];
    for (level, float) in levels.iter_mut().zip(bytes.as_chunks().0) {
        *level = (f32::from_ne_bytes(*float).clamp(0.0, 1.0) * f32::from(u8::MAX)).round() as u8;
    }
    levels
}
