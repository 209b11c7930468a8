//! Storing: fetched bytes to the image as shards hold it, a pure function.

use bytes::Bytes;

use super::resize::{fit, frame};
use super::{Config, Decoder, Fault, Mode};

/// An image as it is stored, with what is known of the fetched one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The encoded file.
    pub bytes: Bytes,
    /// File name extension of its format.
    pub extension: &'static str,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Width in pixels, as fetched and upright.
    pub original_width: u32,
    /// Height in pixels, as fetched and upright.
    pub original_height: u32,
    /// Largest difference within one colour channel after resizing, borders left out.
    pub colour_spread: u8,
}

/// Decodes, resizes, measures and encodes fetched bytes.
///
/// # Errors
/// A [`Fault`] that names why there is no image.
pub fn store(fetched: &Bytes, config: &Config) -> Result<Stored, Fault> {
    let decoded = Decoder::new(config.pixels_max).decode(fetched)?;
    let (original_width, original_height) = (decoded.pixels.width(), decoded.pixels.height());
    let fitted = fit(decoded.pixels, config)?;
    let colour_spread = fitted.colour_spread();
    let framed = frame(fitted, config);
    let (bytes, extension) = match config.mode {
        Mode::Original => (fetched.clone(), decoded.extension),
        _ => (config.format.encode(&framed)?.into(), config.format.extension()),
    };
    Ok(Stored {
        bytes,
        extension,
        width: framed.width(),
        height: framed.height(),
        original_width,
        original_height,
        colour_spread,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::images::{Format, Pixels};

    fn png(width: u32, height: u32, rgb: impl Fn(u32) -> [u8; 3]) -> Bytes {
        let rgb = (0..width * height).flat_map(rgb).collect();
        Format::Png.encode(&Pixels::new(width, height, rgb).unwrap()).unwrap().into()
    }

    #[test]
    fn a_stored_image_tells_both_sizes_and_decodes_to_the_stored_one() {
        let fetched = png(300, 200, |i| [(i % 300) as u8, (i / 300) as u8, 0]);
        for mode in [Mode::KeepRatio, Mode::CenterCrop, Mode::Border, Mode::Original] {
            for format in [Format::Jpeg { quality: 95 }, Format::Webp, Format::Png] {
                let config = Config { mode, format, side_pixels: 64, ..Config::default() };
                let stored = store(&fetched, &config).unwrap();
                assert_eq!((stored.original_width, stored.original_height), (300, 200));
                let again = Decoder::new(1 << 20).decode(&stored.bytes).unwrap();
                assert_eq!((again.pixels.width(), again.pixels.height()), (stored.width, stored.height));
                assert_eq!(again.extension, stored.extension);
                assert_eq!(stored, store(&fetched, &config).unwrap());
            }
        }
    }

    #[test]
    fn original_bytes_are_left_alone() {
        let fetched = png(300, 200, |_| [1, 2, 3]);
        let config = Config { mode: Mode::Original, ..Config::default() };
        assert_eq!(store(&fetched, &config).unwrap().bytes, fetched);
    }

    #[test]
    fn a_border_does_not_make_a_single_colour_colourful() {
        let fetched = png(300, 200, |_| [10, 20, 30]);
        let config = Config { mode: Mode::Border, ..Config::default() };
        assert_eq!(store(&fetched, &config).unwrap().colour_spread, 0);
    }
}
