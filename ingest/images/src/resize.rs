//! Resizing: to which size, and by antialiased bicubic convolution (Catmull-Rom, a = -0.5).

use fast_image_resize::images::{Image as Buffer, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::{Config, Fault, Mode, Pixels, Preprocess, bicubic};

const RGB_BYTES: u64 = 3;
/// Bytes of weights per row and column: each pixel counts in about four others, in double precision and in
/// fixed point.
const WEIGHT_BYTES: u64 = 4 * (8 + 2) + 4;

/// Returns the size whose shorter side is `side`; the longer one is cut down to a whole pixel,
/// as torchvision's `Resize` does.
pub fn short_side_to(side: u32, width: u32, height: u32) -> (u32, u32) {
    let (short, long) = (width.min(height).max(1), width.max(height));
    let long = scaled(long, side, short);
    if width <= height { (side, long) } else { (long, side) }
}

/// Returns the size whose longer side is `side`.
fn long_side_to(side: u32, width: u32, height: u32) -> (u32, u32) {
    let (short, long) = (width.min(height), width.max(height).max(1));
    let short = scaled(short, side, long);
    if width <= height { (short, side) } else { (side, short) }
}

fn scaled(length: u32, numerator: u32, denominator: u32) -> u32 {
    let value = u64::from(length) * u64::from(numerator) / u64::from(denominator);
    u32::try_from(value).unwrap_or(u32::MAX).max(1)
}

/// Resizes to exactly `width` x `height`.
///
/// # Errors
/// [`Fault::TooManyPixels`] above `pixels_max`: a thin image can be enlarged into a huge one.
pub fn resize(
    pixels: Pixels,
    width: u32,
    height: u32,
    pixels_max: u64,
    preprocess: Preprocess,
) -> Result<Pixels, Fault> {
    if (width, height) == (pixels.width(), pixels.height()) {
        return Ok(pixels);
    }
    if u64::from(width) * u64::from(height) > pixels_max {
        return Err(Fault::too_many(width, height));
    }
    match preprocess {
        Preprocess::Fast => fast(&pixels, width, height),
        Preprocess::PilExact => bicubic::resize(&pixels, width, height),
    }
}

/// Returns the bytes that [`resize`] holds from a size to another: the image, what the first of two passes
/// makes of it, the result, and the weights of every row and column.
pub(super) fn resized_bytes(from: (u32, u32), to: (u32, u32)) -> u64 {
    let of = |width: u32, height: u32| RGB_BYTES * u64::from(width) * u64::from(height);
    if from == to {
        return of(from.0, from.1);
    }
    let between = of(to.0, from.1).max(of(from.0, to.1));
    let lines = [from.0, from.1, to.0, to.1].map(u64::from).iter().sum::<u64>();
    of(from.0, from.1) + between + of(to.0, to.1) + WEIGHT_BYTES * lines
}

fn fast(pixels: &Pixels, width: u32, height: u32) -> Result<Pixels, Fault> {
    let broken =
        |error: &dyn std::fmt::Display| Fault::Broken { format: "pixels", detail: error.to_string() };
    let from = ImageRef::new(pixels.width(), pixels.height(), pixels.rgb(), PixelType::U8x3)
        .map_err(|error| broken(&error))?;
    let mut to = Buffer::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| broken(&error))?;
    Pixels::new(width, height, to.into_vec()).ok_or_else(|| Fault::too_many(width, height))
}

/// Returns the size that the settings give an image of this size, before [`frame`].
pub(super) fn fitted_size(width: u32, height: u32, config: &Config) -> (u32, u32) {
    let fitted = match config.mode {
        Mode::KeepRatio | Mode::CenterCrop => short_side_to(config.side_pixels, width, height),
        Mode::Border => long_side_to(config.side_pixels, width, height),
        Mode::Original => (width, height),
    };
    let enlarges = fitted.0 > width || fitted.1 > height;
    if enlarges && config.only_shrink { (width, height) } else { fitted }
}

/// Cuts or fills up to a square where the mode asks for it.
pub(super) fn frame(pixels: Pixels, config: &Config) -> Pixels {
    match config.mode {
        Mode::KeepRatio | Mode::Original => pixels,
        Mode::CenterCrop => pixels.crop_center(config.side_pixels, config.side_pixels),
        Mode::Border => pixels.pad_to_square(config.side_pixels),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32) -> Pixels {
        Pixels::new(width, height, vec![90; (width * height * 3) as usize]).unwrap()
    }

    fn framed(mode: Mode, only_shrink: bool, width: u32, height: u32) -> (u32, u32) {
        let config = Config { mode, only_shrink, side_pixels: 64, ..Config::default() };
        let (to_width, to_height) = fitted_size(width, height, &config);
        let pixels = grey(width, height);
        let fitted = resize(pixels, to_width, to_height, 1 << 20, Preprocess::Fast).unwrap();
        let framed = frame(fitted, &config);
        (framed.width(), framed.height())
    }

    #[test]
    fn every_mode_gives_the_size_it_says() {
        let table = [
            (Mode::KeepRatio, true, (200, 100), (128, 64)),
            (Mode::KeepRatio, true, (100, 201), (64, 128)),
            (Mode::KeepRatio, true, (50, 40), (50, 40)),
            (Mode::KeepRatio, false, (50, 40), (80, 64)),
            (Mode::CenterCrop, true, (200, 100), (64, 64)),
            (Mode::CenterCrop, true, (200, 40), (64, 40)),
            (Mode::CenterCrop, false, (20, 10), (64, 64)),
            (Mode::Border, true, (200, 100), (64, 64)),
            (Mode::Border, true, (20, 10), (64, 64)),
            (Mode::Original, true, (200, 100), (200, 100)),
        ];
        for (mode, only_shrink, (width, height), expected) in table {
            assert_eq!(framed(mode, only_shrink, width, height), expected, "{mode:?} {width}x{height}");
        }
    }

    #[test]
    fn a_thin_image_is_not_enlarged_beyond_the_bound() {
        let config = Config { only_shrink: false, pixels_max: 1_000_000, ..Config::default() };
        let (width, height) = fitted_size(5_000, 1, &config);
        let fault = resize(grey(5_000, 1), width, height, config.pixels_max, Preprocess::Fast).unwrap_err();
        assert_eq!(fault, Fault::too_many(1_280_000, 256));
        assert_eq!(short_side_to(1, u32::MAX, 1), (u32::MAX, 1));
        assert_eq!(long_side_to(64, 10_000, 1), (64, 1));
    }

    #[test]
    fn one_colour_stays_one_colour() {
        for preprocess in [Preprocess::Fast, Preprocess::PilExact] {
            let small = resize(grey(301, 77), 64, 16, 1 << 20, preprocess).unwrap();
            assert!(small.rgb().iter().all(|value| *value == 90));
        }
    }
}
