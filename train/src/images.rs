//! The images of a micro-batch: a shard's payloads turned into what the network takes.

use bytes::Bytes;
use half::f16;
use images::Preprocess;
use model::Tap;

use crate::layout::{Layout, PayloadFormat};

/// The images of a micro-batch, in reading order.
#[derive(Debug, Clone, PartialEq)]
pub enum Images {
    /// Normalised pixels, `[image, channel, row, column]`.
    Pixels(Vec<f32>),
    /// Features, `[image, token, width]`.
    Features(Tap, Vec<f16>),
}

impl Images {
    /// Returns no images, to which images of a format can be added.
    pub fn new(format: PayloadFormat) -> Self {
        match format {
            PayloadFormat::Encoded => Self::Pixels(Vec::new()),
            PayloadFormat::Features(tap) => Self::Features(tap, Vec::new()),
        }
    }

    /// Adds one image.
    ///
    /// # Errors
    /// In words, when the payload is not what packing writes.
    pub fn push(&mut self, payload: &Bytes, layout: &Layout) -> Result<(), String> {
        match self {
            Self::Pixels(pixels) => {
                let side = layout.tower.image_side_pixels;
                shard::features::preprocess(payload, side, Preprocess::PilExact, pixels)
                    .map_err(|error| format!("image payload: {error}"))
            }
            Self::Features(tap, values) => {
                let tokens = tap.tokens(&layout.tower) as usize;
                let expected_bytes = tokens * layout.tower.width as usize * size_of::<f16>();
                if payload.len() != expected_bytes {
                    let found = payload.len();
                    return Err(format!("feature payload of {found} bytes, not {expected_bytes}"));
                }
                let (chunks, _) = payload.as_chunks();
                values.extend(chunks.iter().map(|bytes| f16::from_le_bytes(*bytes)));
                Ok(())
            }
        }
    }

    /// Returns the payload for the network.
    pub fn as_payload(&self) -> model::Payload<'_> {
        match self {
            Self::Pixels(pixels) if pixels.is_empty() => model::Payload::None,
            Self::Features(_, values) if values.is_empty() => model::Payload::None,
            Self::Pixels(pixels) => model::Payload::Pixels(pixels),
            Self::Features(tap, values) => model::Payload::Features { tap: *tap, values },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::layout;

    /// A white pixel as a PNG file, in hexadecimal.
    const WHITE_PNG: &str = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753\
        de0000000c4944415478da63f8ffff3f0005fe02fe331295140000000049454e\
        44ae426082";

    fn white_png() -> Bytes {
        let digits = WHITE_PNG.as_bytes().as_chunks::<2>().0.iter();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        digits.map(|pair| byte(pair).unwrap()).collect()
    }

    #[test]
    fn encoded_images_become_normalised_pixels_one_after_the_other() {
        let layout = Layout { format: PayloadFormat::Encoded, ..layout() };
        let mut images = Images::new(layout.format);
        assert_eq!(images.as_payload(), model::Payload::None);
        images.push(&white_png(), &layout).unwrap();
        images.push(&white_png(), &layout).unwrap();
        let model::Payload::Pixels(pixels) = images.as_payload() else { unreachable!("pixels") };
        assert_eq!(pixels.len(), 2 * 3 * 8 * 8);
        // White in CLIP's red: (1 - 0.48145466) / 0.26862954.
        assert!((pixels[0] - 1.930_335).abs() < 1e-4, "{}", pixels[0]);
        let error = images.push(&Bytes::from_static(b"no image"), &layout).unwrap_err();
        assert!(error.starts_with("image payload: "), "{error}");
    }
}
