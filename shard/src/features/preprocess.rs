//! CLIP's preprocessing: encoded image to normalised values.
//!
//! Shorter side resized to the tower's (antialiased bicubic), middle square cut out, then
//! `(value / 255 - mean) / std`: OpenAI's `_transform`. With `preprocess = "pil_exact"` the resized
//! pixels are Pillow's to the last bit. `fast` has Pillow's filter, but not its rounding: of 255, pixels
//! of photographs differ by 0.1 in the mean and by 10 at hard edges; those of dithered patterns by 3
//! and 30.

use images::{Decoder, Fault, Pixels, Preprocess, resize, short_side_to};

/// Means of red, green and blue over CLIP's training data (openai/CLIP `clip.py`).
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Standard deviations of the same, as `f32` holds them.
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
/// Pixels of a stored image at most: those of `original` images are bounded by `[images]`.
const PIXELS_MAX: u64 = 1 << 32;

/// Appends the values of an encoded image, `[channel, row, column]`, `3 * side * side` of them.
///
/// # Errors
/// A [`Fault`] when the bytes do not decode; then nothing is appended.
pub fn preprocess(encoded: &[u8], side: u32, how: Preprocess, values: &mut Vec<f32>) -> Result<(), Fault> {
    let pixels = Decoder::new(PIXELS_MAX).decode(encoded)?.pixels;
    let square = square(pixels, side, how)?;
    for (channel, (mean, std)) in MEAN.into_iter().zip(STD).enumerate() {
        let channel = square.rgb().iter().skip(channel).step_by(MEAN.len());
        values.extend(channel.map(|&value| (f32::from(value) / 255.0 - mean) / std));
    }
    Ok(())
}

/// Returns the middle square after resizing the shorter side.
fn square(pixels: Pixels, side: u32, how: Preprocess) -> Result<Pixels, Fault> {
    let (width, height) = short_side_to(side, pixels.width(), pixels.height());
    Ok(resize(pixels, width, height, PIXELS_MAX, how)?.crop_center(side, side))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use images::Format;

    fn encoded(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
        let colour = &colour;
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| colour(x, y)));
        Format::Png.encode(&Pixels::new(width, height, rgb.collect()).unwrap()).unwrap()
    }

    #[test]
    fn values_are_normalised_channel_by_channel() {
        let mut values = vec![9.0];
        preprocess(&encoded(4, 4, |x, y| [x as u8, y as u8, 255]), 4, Preprocess::Fast, &mut values).unwrap();
        assert_eq!(values.len(), 1 + 3 * 16);
        // By hand: (0 - .48145466) / .26862954, (3 / 255 - .4578275) / .26130258, (1 - .40821073) / .27577711.
        for (index, expected) in [(1, -1.792_262_6), (1 + 16 + 12, -1.707_075_4), (1 + 32, 2.145_896_7)] {
            assert!((values[index] - expected).abs() < 1e-5, "{index}: {}", values[index]);
        }
    }

    #[test]
    fn the_middle_square_is_taken_of_a_long_image() {
        // Left third black, middle white, right black.
        let wide = encoded(96, 32, |x, _| if (32..64).contains(&x) { [255; 3] } else { [0; 3] });
        let mut values = Vec::new();
        preprocess(&wide, 32, Preprocess::PilExact, &mut values).unwrap();
        let white = (1.0 - MEAN[0]) / STD[0];
        assert!(values[..32 * 32].iter().all(|value| (value - white).abs() < 1e-5));
    }

    #[test]
    fn a_broken_image_appends_nothing() {
        let mut values = Vec::new();
        let cut = encoded(64, 64, |x, y| [x as u8, y as u8, 0]);
        assert!(preprocess(&cut[..cut.len() / 2], 32, Preprocess::PilExact, &mut values).is_err());
        assert!(values.is_empty());
    }
}
