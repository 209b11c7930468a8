//! A drawing: one or two shapes on a noisy background, and what a caption says of it.
//!
//! The picture that a toy model learns from within minutes is 32 x 32: four shapes,
//! eight colours, radius .165 or .26 of the side, noise of sigma 10. Pairs' images are
//! drawn at twice that side with twice the noise, which a resize to half averages away.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult};
use rand::{Rng, RngExt};

use crate::random::{Stream, stream, word};

/// Side of a pair's image in pixels.
pub(crate) const PAIR_SIDE: u32 = 64;
/// Width of a page's image in pixels.
pub(crate) const PAGE_WIDTH: u32 = 96;
/// Height of a page's image in pixels.
pub(crate) const PAGE_HEIGHT: u32 = 80;
/// Standard deviation of the noise on each channel, before any resize.
const NOISE_SIGMA: f32 = 20.0;
/// Uniform bytes that are summed for one near-normal value.
const NOISE_BYTES: usize = 4;
/// Share of JPEG among the images; the rest is PNG.
const JPEG_SHARE: f64 = 0.3;
const JPEG_QUALITY: u8 = 90;

const SHAPES: [(&str, &str); 4] =
    [("circle", "circles"), ("square", "squares"), ("triangle", "triangles"), ("cross", "crosses")];
const COLOURS: [(&str, [u8; 3]); 8] = [
    ("red", [215, 40, 40]),
    ("green", [40, 165, 60]),
    ("blue", [45, 80, 215]),
    ("yellow", [235, 215, 50]),
    ("purple", [150, 50, 180]),
    ("orange", [245, 140, 30]),
    ("black", [20, 20, 20]),
    ("white", [245, 245, 245]),
];
const SIZES: [(&str, f32); 2] = [("small", 0.165), ("large", 0.26)];
const POSITIONS: [(&str, (f32, f32)); 5] = [
    ("center", (0.5, 0.5)),
    ("top left", (0.29, 0.29)),
    ("top right", (0.71, 0.29)),
    ("bottom left", (0.29, 0.71)),
    ("bottom right", (0.71, 0.71)),
];
/// Radius of each of two large shapes, so that they do not touch.
const TWO_RADIUS_MAX: f32 = 0.22;

const ONE_TEMPLATES: &[&str] = &[
    "a {size} {colour} {shape} in the {position}",
    "{size} {colour} {shape} in the {position}",
    "there is a {size} {colour} {shape} in the {position}",
    "a picture of a {size} {colour} {shape} in the {position}",
    "the {position} shows a {size} {colour} {shape}",
    "in the {position} a {size} {colour} {shape}",
];
const TWO_TEMPLATES: &[&str] = &[
    "two {size} {colour} {shapes}",
    "there are two {size} {colour} {shapes}",
    "a picture of two {size} {colour} {shapes}",
    "the picture shows two {size} {colour} {shapes}",
    "two {colour} {shapes} , both {size}",
    "here are two {size} {colour} {shapes}",
];

/// How an image is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
}

impl Format {
    /// Names the file extension.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }

    /// Names the media type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// What is drawn; the noise comes from the same stream.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    shape: usize,
    colour: usize,
    size: usize,
    position: usize,
    two: bool,
    background: [u8; 3],
    format: Format,
    noise: Stream,
}

impl Drawing {
    /// Draws lots for image `index` of the family `name` in the world `seed`.
    pub(crate) fn new(seed: u64, name: &str, index: u32) -> Self {
        let mut stream = stream(seed, name, u64::from(index));
        let grey = stream.random_range(100..156_u8);
        let mut tint = || grey.saturating_add_signed(stream.random_range(-16..=16));
        let background = [tint(), tint(), tint()];
        Self {
            shape: stream.random_range(0..SHAPES.len()),
            colour: stream.random_range(0..COLOURS.len()),
            size: stream.random_range(0..SIZES.len()),
            position: stream.random_range(0..POSITIONS.len()),
            two: stream.random_bool(0.25),
            background,
            format: if stream.random_bool(JPEG_SHARE) { Format::Jpeg } else { Format::Png },
            noise: stream,
        }
    }

    /// Says how this image is encoded.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Says in one of six ways what is to be seen.
    pub(crate) fn caption(&self, stream: &mut Stream) -> String {
        let templates = if self.two { TWO_TEMPLATES } else { ONE_TEMPLATES };
        let (one, many) = SHAPES[self.shape];
        word(templates, stream)
            .replace("{size}", SIZES[self.size].0)
            .replace("{colour}", COLOURS[self.colour].0)
            .replace("{shapes}", many)
            .replace("{shape}", one)
            .replace("{position}", POSITIONS[self.position].0)
    }

    /// Paints RGB rows of `width` x `height` pixels.
    pub(crate) fn paint(&self, width: u32, height: u32) -> Vec<u8> {
        let mut noise = vec![0; (width * height * 3) as usize * NOISE_BYTES];
        self.noise.clone().fill_bytes(&mut noise);
        let mut noise = noise.chunks_exact(NOISE_BYTES);
        let mut pixels = Vec::with_capacity((width * height * 3) as usize);
        for y in 0..height {
            for x in 0..width {
                let colour = if self.covers(x as f32 + 0.5, y as f32 + 0.5, width, height) {
                    COLOURS[self.colour].1
                } else {
                    self.background
                };
                for channel in colour {
                    let lots = noise.next().unwrap_or_default();
                    pixels.push(noisy(channel, lots));
                }
            }
        }
        pixels
    }

    /// Encodes a painting in this image's format.
    ///
    /// # Errors
    /// The encoder's, for sides that the format cannot hold.
    pub(crate) fn encode(&self, width: u32, height: u32) -> ImageResult<Vec<u8>> {
        let pixels = self.paint(width, height);
        match self.format {
            Format::Png => png(&pixels, width, height),
            Format::Jpeg => {
                let mut bytes = Cursor::new(Vec::new());
                JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
                    &pixels,
                    width,
                    height,
                    ExtendedColorType::Rgb8,
                )?;
                Ok(bytes.into_inner())
            }
        }
    }

    fn covers(&self, x: f32, y: f32, width: u32, height: u32) -> bool {
        let (width, height) = (width as f32, height as f32);
        let side = width.min(height);
        let radius = SIZES[self.size].1;
        if self.two {
            let radius = radius.min(TWO_RADIUS_MAX) * side;
            let inside = |centre: f32| shape_covers(self.shape, x - centre * width, y - 0.5 * height, radius);
            return inside(0.25) || inside(0.75);
        }
        let (centre_x, centre_y) = POSITIONS[self.position].1;
        shape_covers(self.shape, x - centre_x * width, y - centre_y * height, radius * side)
    }
}

/// Says whether the point (`x`, `y`) from the centre lies in the shape.
fn shape_covers(shape: usize, x: f32, y: f32, radius: f32) -> bool {
    let (x, y) = (x / radius, y / radius);
    match shape {
        0 => x * x + y * y <= 1.0,
        1 => x.abs().max(y.abs()) <= 0.88,
        2 => (-0.95..=0.85).contains(&y) && x.abs() <= (y + 0.95) * 0.56,
        _ => x.abs().min(y.abs()) <= 0.32 && x.abs().max(y.abs()) <= 1.0,
    }
}

/// Adds to `channel` the near-normal value that a sum of uniform bytes is.
fn noisy(channel: u8, lots: &[u8]) -> u8 {
    // Four uniform bytes have mean 510 and standard deviation 147.8 together.
    let sum: f32 = lots.iter().map(|lot| f32::from(*lot)).sum();
    let value = f32::from(channel) + (sum - 510.0) * (NOISE_SIGMA / 147.8);
    value.clamp(0.0, 255.0) as u8
}

/// Encodes RGB rows as PNG, fast rather than small: noise does not compress.
///
/// # Errors
/// The encoder's, when `pixels` is not `width` x `height` x 3 bytes.
pub(crate) fn png(pixels: &[u8], width: u32, height: u32) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter).write_image(
        pixels,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn drawings() -> impl Iterator<Item = Drawing> {
        (0..400).map(|index| Drawing::new(1, "image", index))
    }

    #[test]
    fn every_image_decodes_to_its_size_in_its_format() {
        for drawing in drawings().take(40) {
            let bytes = drawing.encode(PAGE_WIDTH, PAGE_HEIGHT).unwrap();
            let (format, kind) = match drawing.format() {
                Format::Png => (image::ImageFormat::Png, "png"),
                Format::Jpeg => (image::ImageFormat::Jpeg, "jpg"),
            };
            assert_eq!(image::guess_format(&bytes).unwrap(), format);
            assert_eq!(drawing.format().extension(), kind);
            let decoded = image::load_from_memory(&bytes).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (PAGE_WIDTH, PAGE_HEIGHT));
        }
    }

    #[test]
    fn a_red_circle_is_reddish_in_its_centre() {
        let mut seen = 0;
        for drawing in drawings().filter(|d| d.shape == 0 && d.colour == 0 && !d.two) {
            let bytes = drawing.encode(PAIR_SIDE, PAIR_SIDE).unwrap();
            let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let (x, y) = POSITIONS[drawing.position].1;
            let (x, y) = ((x * 64.0) as u32, (y * 64.0) as u32);
            let mut mean = [0_u32; 3];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                for (sum, value) in mean.iter_mut().zip(image.get_pixel(x + dx, y + dy).0) {
                    *sum += u32::from(value) / 4;
                }
            }
            let [red, green, blue] = mean;
            assert!(red > green + 60 && red > blue + 60, "{mean:?}");
            seen += 1;
        }
        assert!(seen > 3);
    }

    #[test]
    fn halving_the_side_leaves_noise_of_about_ten() {
        let drawing = Drawing::new(1, "image", 7);
        let pixels = drawing.paint(PAIR_SIDE, PAIR_SIDE);
        let at = |x: usize, y: usize| f64::from(pixels[(y * 64 + x) * 3]);
        // The uppermost two rows hold background alone.
        let means: Vec<f64> = (0..32)
            .map(|x| (at(2 * x, 0) + at(2 * x + 1, 0) + at(2 * x, 1) + at(2 * x + 1, 1)) / 4.0)
            .collect();
        let mean = means.iter().sum::<f64>() / 32.0;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 31.0;
        assert!((6.0..14.0).contains(&variance.sqrt()), "{}", variance.sqrt());
    }

    #[test]
    fn captions_name_shape_colour_and_size() {
        for (index, drawing) in drawings().enumerate() {
            let caption = drawing.caption(&mut stream(1, "caption", index as u64));
            assert!(caption.contains(COLOURS[drawing.colour].0), "{caption}");
            assert!(caption.contains(SIZES[drawing.size].0), "{caption}");
            assert!(caption.contains(SHAPES[drawing.shape].0), "{caption}");
            assert!(!caption.contains('{'), "{caption}");
            assert_eq!(drawing.two, caption.contains("two"), "{caption}");
        }
    }
}
