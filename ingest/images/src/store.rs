//! Storing: fetched bytes to the image as shards hold it, a pure function.

use bytes::Bytes;
use corpus::record::{EncodedImage, Image, key_prefix};

use super::address::Key;
use super::footprint::pixels;
use super::resize::{fitted_size, frame, resize, resized_bytes};
use super::{Config, Decoded, Decoder, Fault, Measures, Mode, Preprocess};
use corpus::digest::hexadecimal;

/// Bytes per pixel while an image is measured: its pixels and their brightness.
const MEASURED_BYTES: u64 = 4;
/// Bytes per pixel while it is cut out or gets a border: its pixels and a copy.
const FRAMED_BYTES: u64 = 6;
/// Bytes that encoders hold whatever the size.
const ENCODER_BYTES: u64 = 1 << 20;

/// An image as it is stored, with what is known of the fetched one.
#[derive(Debug, Clone, PartialEq)]
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
    /// What was measured after resizing, borders left out.
    pub measures: Measures,
}

impl Stored {
    /// Makes it a target's row, without uses and with the beginning of its key for an id.
    pub(super) fn into_image(self, key: Key, url: String, sha256: String) -> Image {
        Image {
            id: key_prefix(&key),
            key,
            url,
            image: EncodedImage {
                bytes: self.bytes,
                path: Some(format!("{}.{}", hexadecimal(&key), self.extension)),
            },
            width: self.width,
            height: self.height,
            original_width: self.original_width,
            original_height: self.original_height,
            sha256,
            perceptual_hash: self.measures.perceptual_hash,
            sharpness: self.measures.sharpness,
            colour_spread: self.measures.colour_spread.into(),
            uses: Vec::new(),
        }
    }
}

/// Decodes, resizes, measures and encodes fetched bytes.
///
/// # Errors
/// A [`Fault`] that names why there is no image.
pub fn store(fetched: &Bytes, config: &Config) -> Result<Stored, Fault> {
    let target = |width, height| match config.preprocess {
        Preprocess::Fast => fitted_size(width, height, config),
        Preprocess::PilExact => (width, height),
    };
    let after = |original, decoded| held_bytes(original, decoded, config);
    let decoded = Decoder::of(config).decode_for(fetched, target, after)?;
    let Decoded { pixels, width: original_width, height: original_height, extension, lease } = decoded;
    let (width, height) = fitted_size(original_width, original_height, config);
    let fitted = resize(pixels, width, height, config.pixels_max, config.preprocess)?;
    let measures = Measures::of(&fitted);
    let framed = frame(fitted, config);
    let (bytes, extension) = match config.mode {
        Mode::Original => (fetched.clone(), extension),
        _ => (config.format.encode(&framed)?.into(), config.format.extension()),
    };
    drop(lease);
    Ok(Stored {
        bytes,
        extension,
        width: framed.width(),
        height: framed.height(),
        original_width,
        original_height,
        measures,
    })
}

/// Returns the bytes held at most while an image of an upright size, decoded at another, is resized,
/// measured and encoded.
fn held_bytes(original: (u32, u32), decoded: (u32, u32), config: &Config) -> Result<u64, Fault> {
    let (width, height) = fitted_size(original.0, original.1, config);
    if pixels((width, height)) > config.pixels_max {
        return Err(Fault::too_many(width, height));
    }
    let encoded = config.format.held_bytes_per_pixel();
    let square = pixels((config.side_pixels, config.side_pixels));
    let fitted = pixels((width, height));
    let stored = match config.mode {
        Mode::Original => MEASURED_BYTES * fitted,
        Mode::KeepRatio => MEASURED_BYTES.max(encoded) * fitted + ENCODER_BYTES,
        Mode::CenterCrop | Mode::Border => FRAMED_BYTES.max(encoded) * fitted.max(square) + ENCODER_BYTES,
    };
    Ok(resized_bytes(decoded, (width, height)).max(stored))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Format, Pixels};

    fn png(width: u32, height: u32, rgb: impl Fn(u32) -> [u8; 3]) -> Bytes {
        let rgb = (0..width * height).flat_map(rgb).collect();
        Format::Png.encode(&Pixels::new(width, height, rgb).unwrap()).unwrap().into()
    }

    #[test]
    fn a_stored_image_tells_both_sizes_and_decodes_to_the_stored_one() {
        let fetched = png(300, 200, |i| [(i % 300) as u8, (i / 300) as u8, 0]);
        for mode in [Mode::KeepRatio, Mode::CenterCrop, Mode::Border, Mode::Original] {
            for format in [
                Format::Jpeg { quality: 95 },
                Format::Webp { quality: 80 },
                Format::WebpLossless,
                Format::Png,
            ] {
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
        assert_eq!(store(&fetched, &config).unwrap().measures.colour_spread, 0);
    }
}
