//! Encoding pixels into the stored format; equal pixels give equal bytes.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{Fault, Format, Pixels};

/// Longest side that the JPEG format can express, in pixels.
const JPEG_SIDE_MAX: u32 = 65_535;
/// Longest side that the WebP format can express, in pixels.
const WEBP_SIDE_MAX: u32 = 16_384;

impl Format {
    /// Returns the file name extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Webp => "webp",
            Self::Png => "png",
        }
    }

    const fn side_max(self) -> u32 {
        match self {
            Self::Jpeg { .. } => JPEG_SIDE_MAX,
            Self::Webp => WEBP_SIDE_MAX,
            Self::Png => u32::MAX,
        }
    }

    /// Encodes an image.
    ///
    /// # Errors
    /// [`Fault::TooManyPixels`] when a side is longer than the format can express.
    pub fn encode(self, pixels: &Pixels) -> Result<Vec<u8>, Fault> {
        let (width, height) = (pixels.width(), pixels.height());
        if width.max(height) > self.side_max() {
            return Err(Fault::too_many(width, height));
        }
        let mut bytes = Vec::new();
        let (rgb, colour) = (pixels.rgb(), ExtendedColorType::Rgb8);
        let written = match self {
            Self::Jpeg { quality } => {
                JpegEncoder::new_with_quality(&mut bytes, quality).encode(rgb, width, height, colour)
            }
            Self::Webp => WebPEncoder::new_lossless(&mut bytes).encode(rgb, width, height, colour),
            Self::Png => {
                PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
                    .write_image(rgb, width, height, colour)
            }
        };
        let format = self.extension();
        written.map_err(|error| Fault::Broken { format, detail: error.to_string() })?;
        Ok(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::images::Decoder;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn lossless_formats_give_the_pixels_back(width in 1..40_u32, height in 1..40_u32, seed: u64) {
            let rgb = (0..u64::from(width * height * 3)).map(|i| (seed.wrapping_mul(i + 1) >> 56) as u8);
            let pixels = Pixels::new(width, height, rgb.collect()).unwrap();
            for format in [Format::Png, Format::Webp] {
                let bytes = format.encode(&pixels).unwrap();
                prop_assert_eq!(&bytes, &format.encode(&pixels).unwrap());
                let decoded = Decoder::new(1 << 20).decode(&bytes).unwrap();
                prop_assert_eq!(&decoded.pixels, &pixels);
            }
        }
    }

    #[test]
    fn jpeg_comes_back_close() {
        let rgb = (0..64 * 48).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 5) as u8, 128]);
        let pixels = Pixels::new(64, 48, rgb.collect()).unwrap();
        let bytes = Format::Jpeg { quality: 95 }.encode(&pixels).unwrap();
        let decoded = Decoder::new(1 << 20).decode(&bytes).unwrap().pixels;
        let worst = pixels.rgb().iter().zip(decoded.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst.unwrap() <= 8, "{worst:?}");
    }

    #[test]
    fn a_side_that_the_format_cannot_express_is_refused() {
        let pixels = Pixels::new(WEBP_SIDE_MAX + 1, 1, vec![0; 3 * (WEBP_SIDE_MAX as usize + 1)]).unwrap();
        assert_eq!(Format::Webp.encode(&pixels).unwrap_err().reason(), "pixels_too_many");
        assert!(Format::Jpeg { quality: 50 }.encode(&pixels).is_ok());
    }
}
