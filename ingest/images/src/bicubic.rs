//! Pillow's bicubic resampling, to the last bit.
//!
//! After `src/libImaging/Resample.c` of python-pillow: weights in double precision, normalised and
//! rounded to 22 bits, a pass along rows and one along columns, each rounded to 8 bits, in the order of
//! Pillow 13 (earlier versions always begin with rows). `tests/golden/resize.py` holds it against Pillow.

use super::{Fault, Pixels};

const CHANNELS: usize = 3;
/// Bits of a weight behind the point: 8 for the value and 2 for overshoot are left of 32.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// What makes the shift round to the nearest.
const HALF: i32 = 1 << (PRECISION_BITS - 1);
/// Reach of the filter in pixels of the larger grid.
const SUPPORT: f64 = 2.0;
/// The filter's parameter, as in `antialias` of torchvision and OpenCV's area-aware cubic.
const A: f64 = -0.5;

/// The pixels that one output pixel is made of.
struct Span {
    first: usize,
    weights: Vec<i32>,
}

/// Resizes to exactly `width` x `height`; both are at least 1.
///
/// # Errors
/// [`Fault::TooManyPixels`] when the result would not be an image.
pub(super) fn resize(pixels: &Pixels, width: u32, height: u32) -> Result<Pixels, Fault> {
    let (from_width, from_height) = (pixels.width() as usize, pixels.height() as usize);
    let (to_width, to_height) = (width as usize, height as usize);
    let along_rows = |rgb: &[u8]| match from_width == to_width {
        true => rgb.to_vec(),
        false => horizontal(rgb, from_width, &spans(from_width, to_width)),
    };
    let along_columns = |rgb: &[u8], width: usize| match from_height == to_height {
        true => rgb.to_vec(),
        false => vertical(rgb, width, &spans(from_height, to_height)),
    };
    let rgb = match columns_come_first((from_width, from_height), (to_width, to_height)) {
        true => along_rows(&along_columns(pixels.rgb(), from_width)),
        false => along_columns(&along_rows(pixels.rgb()), to_width),
    };
    Pixels::new(width, height, rgb).ok_or_else(|| Fault::too_many(width, height))
}

/// Returns whether the height shrinks by more than twice the pixels that the width does.
fn columns_come_first(
    (from_width, from_height): (usize, usize),
    (to_width, to_height): (usize, usize),
) -> bool {
    let shrinks_by = |from: usize, to: usize| from as i64 - to as i64;
    let (wide, high) = (shrinks_by(from_width, to_width), shrinks_by(from_height, to_height));
    high > 0 && high > 2 * wide
}

fn filter(x: f64) -> f64 {
    let x = x.abs();
    match x {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

/// Returns for every output pixel of a line what it is made of.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to as f64;
    let filter_scale = scale.max(1.0);
    let support = SUPPORT * filter_scale;
    let inverse = 1.0 / filter_scale;
    let span = |index: usize| {
        let center = (index as f64 + 0.5) * scale;
        // As C casts: towards zero, after which nothing is negative.
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let weight = |pixel: usize| filter((pixel as f64 - center + 0.5) * inverse);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let norm = |weight: f64| if sum == 0.0 { weight } else { weight / sum };
        Span { first, weights: weights.into_iter().map(|weight| fixed(norm(weight))).collect() }
    };
    (0..to).map(span).collect()
}

/// Rounds a weight away from zero at halves.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1_u32 << PRECISION_BITS);
    (scaled + 0.5_f64.copysign(scaled)) as i32
}

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

fn horizontal(rgb: &[u8], width: usize, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rgb.len() / width * spans.len());
    for row in rgb.chunks_exact(width * CHANNELS) {
        for span in spans {
            let mut sums = [HALF; CHANNELS];
            let taken = row[span.first * CHANNELS..].chunks_exact(CHANNELS);
            for (pixel, weight) in taken.zip(&span.weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*value) * weight;
                }
            }
            out.extend(sums.map(clip));
        }
    }
    out
}

fn vertical(rgb: &[u8], width: usize, spans: &[Span]) -> Vec<u8> {
    let stride = width * CHANNELS;
    let mut out = Vec::with_capacity(stride * spans.len());
    let mut sums = vec![HALF; stride];
    for span in spans {
        sums.fill(HALF);
        let rows = rgb[span.first * stride..].chunks_exact(stride);
        for (row, weight) in rows.zip(&span.weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        out.extend(sums.iter().map(|sum| clip(*sum)));
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::digest::Digest;
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// One case of `tests/golden/resize.json`: Pillow's result for the noise of a size.
    #[derive(Deserialize, schemars::JsonSchema)]
    struct Golden {
        from: [u32; 2],
        to: [u32; 2],
        sha256: String,
    }

    /// The noise that `resize.py` makes too: the high bits of a multiplicative sequence.
    fn noise(width: u32, height: u32) -> Pixels {
        let mut state = 1_u32;
        let byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let rgb = std::iter::repeat_with(byte).take((width * height * 3) as usize).collect();
        Pixels::new(width, height, rgb).unwrap()
    }

    #[test]
    fn every_bit_is_pillows() {
        let text = include_str!("../../../tests/golden/resize.json");
        let cases: Vec<Golden> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 20);
        for case in cases {
            let resized = resize(&noise(case.from[0], case.from[1]), case.to[0], case.to[1]).unwrap();
            let found = Digest::of(resized.rgb());
            assert_eq!(found.as_str(), case.sha256, "{:?} to {:?}", case.from, case.to);
        }
    }

    proptest! {
        #[test]
        fn any_size_works_and_one_colour_stays(
            from in (1..60_u32, 1..60_u32), to in (1..60_u32, 1..60_u32), value: u8,
        ) {
            let rgb = vec![value; (from.0 * from.1 * 3) as usize];
            let resized = resize(&Pixels::new(from.0, from.1, rgb).unwrap(), to.0, to.1).unwrap();
            prop_assert_eq!((resized.width(), resized.height()), to);
            prop_assert!(resized.rgb().iter().all(|found| *found == value));
        }
    }
}
