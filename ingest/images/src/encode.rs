//! Encoding pixels into the stored format; equal pixels give equal bytes on every machine.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{Fault, Format, Pixels, jpeg};

/// Longest side that the JPEG format can express, in pixels.
const JPEG_SIDE_MAX: u32 = 65_535;
/// Longest side that the WebP format can express, in pixels.
const WEBP_SIDE_MAX: u32 = 16_384;

impl Format {
    /// Returns the file name extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Webp { .. } | Self::WebpLossless => "webp",
            Self::Png => "png",
        }
    }

    const fn side_max(self) -> u32 {
        match self {
            Self::Jpeg { .. } => JPEG_SIDE_MAX,
            Self::Webp { .. } | Self::WebpLossless => WEBP_SIDE_MAX,
            Self::Png => u32::MAX,
        }
    }

    /// Returns the bytes held per pixel at most while an image is encoded, its pixels and the file included.
    pub(super) const fn held_bytes_per_pixel(self) -> u64 {
        match self {
            Self::Jpeg { .. } => 9,
            Self::Webp { .. } => 40,
            Self::WebpLossless => 16,
            Self::Png => 12,
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
        let encoded = match self {
            Self::Jpeg { quality } => jpeg::encode(pixels, quality),
            Self::Webp { quality } => webp(pixels, quality),
            Self::WebpLossless => webp_lossless(pixels),
            Self::Png => png(pixels),
        };
        encoded.map_err(|error| Fault::Broken { format: self.extension(), detail: error.to_string() })
    }
}

/// Encoded bytes, or what the encoder says.
pub(super) type Encoded = Result<Vec<u8>, Box<dyn std::error::Error>>;

fn webp(pixels: &Pixels, quality: u8) -> Encoded {
    let encoder = webp::Encoder::from_rgb(pixels.rgb(), pixels.width(), pixels.height());
    Ok(encoder.encode(f32::from(quality)).to_vec())
}

fn webp_lossless(pixels: &Pixels) -> Encoded {
    let mut bytes = Vec::new();
    let colour = ExtendedColorType::Rgb8;
    WebPEncoder::new_lossless(&mut bytes).encode(pixels.rgb(), pixels.width(), pixels.height(), colour)?;
    Ok(bytes)
}

fn png(pixels: &Pixels) -> Encoded {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive).write_image(
        pixels.rgb(),
        pixels.width(),
        pixels.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Decoder;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn lossless_formats_give_the_pixels_back(width in 1..40_u32, height in 1..40_u32, seed: u64) {
            let rgb = (0..u64::from(width * height * 3)).map(|i| (seed.wrapping_mul(i + 1) >> 56) as u8);
            let pixels = Pixels::new(width, height, rgb.collect()).unwrap();
            for format in [Format::Png, Format::WebpLossless] {
                let bytes = format.encode(&pixels).unwrap();
                prop_assert_eq!(&bytes, &format.encode(&pixels).unwrap());
                let decoded = Decoder::new(1 << 20).decode(&bytes).unwrap();
                prop_assert_eq!(&decoded.pixels, &pixels);
            }
        }
    }

    #[test]
    fn lossy_formats_come_back_close() {
        let rgb = (0..64 * 48).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 5) as u8, 128]);
        let pixels = Pixels::new(64, 48, rgb.collect()).unwrap();
        for format in [Format::Jpeg { quality: 95 }, Format::Webp { quality: 95 }] {
            let bytes = format.encode(&pixels).unwrap();
            let decoded = Decoder::new(1 << 20).decode(&bytes).unwrap().pixels;
            let worst = pixels.rgb().iter().zip(decoded.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst.unwrap() <= 10, "{format:?}: {worst:?}");
        }
    }

    #[test]
    fn a_side_that_the_format_cannot_express_is_refused() {
        let pixels = Pixels::new(WEBP_SIDE_MAX + 1, 1, vec![0; 3 * (WEBP_SIDE_MAX as usize + 1)]).unwrap();
        assert_eq!(Format::WebpLossless.encode(&pixels).unwrap_err().reason(), "pixels_too_many");
        assert!(Format::Jpeg { quality: 50 }.encode(&pixels).is_ok());
    }
}
