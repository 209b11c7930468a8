//! What is measured of an image's pixels: how it looks, how sharp it is, whether it is of one colour.
//!
//! All sums are of integers and cosines are those of `libm`, so every machine measures the same.

use std::sync::LazyLock;

use super::Pixels;

const CHANNELS: usize = 3;
/// Side of the small picture that the hash is made of.
const SMALL: usize = 32;
/// Side of the block of low frequencies that the hash keeps.
const LOW: usize = 8;

/// A frequency that is so near to the median may be on either side of it in a copy: rounding to whole levels,
/// and compressing anew, moves each by about as much. It is a sixteenth of a level in all of the small picture.
const DOUBT: f64 = (SMALL * SMALL) as f64 / 16.0;
/// Bits in doubt with which a hash still means something. Photos have a few, a gradient, a flag or a thin drawing
/// on white most: what is in few frequencies leaves the others at nothing but rounding.
const DOUBTS_MAX: usize = 24;

/// What is measured of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Perceptual hash: one bit for each of the 8 x 8 lowest frequencies of the brightness, set where
    /// it is above their median (pHash). Of copies that were resized or compressed anew a few bits
    /// differ, of other images about 32. 0 for images without a meaningful hash, whose bits would be those of
    /// rounding: flat ones, gradients, simple drawings. No other image has it.
    pub perceptual_hash: u64,
    /// Variance of the brightness' Laplacian: a few for blurred images, hundreds for sharp ones.
    pub sharpness: f32,
    /// Largest difference within one colour channel: 0 means single-coloured.
    pub colour_spread: u8,
}

impl Measures {
    /// Measures an image.
    pub fn of(pixels: &Pixels) -> Self {
        let (width, height) = (pixels.width() as usize, pixels.height() as usize);
        let luma = luma(pixels);
        Self {
            perceptual_hash: perceptual_hash(&luma, width, height),
            sharpness: sharpness(&luma, width),
            colour_spread: colour_spread(pixels),
        }
    }
}

/// Returns the brightness of every pixel: Rec. 601 in 8 bits.
fn luma(pixels: &Pixels) -> Vec<u8> {
    let weigh = |rgb: &[u8]| match rgb {
        [red, green, blue] => {
            ((u32::from(*red) * 77 + u32::from(*green) * 150 + u32::from(*blue) * 29) >> 8) as u8
        }
        _ => 0,
    };
    pixels.rgb().chunks_exact(CHANNELS).map(weigh).collect()
}

fn colour_spread(pixels: &Pixels) -> u8 {
    let (mut low, mut high) = ([u8::MAX; CHANNELS], [u8::MIN; CHANNELS]);
    for pixel in pixels.rgb().chunks_exact(CHANNELS) {
        for ((low, high), &value) in low.iter_mut().zip(&mut high).zip(pixel) {
            *low = value.min(*low);
            *high = value.max(*high);
        }
    }
    high.iter().zip(low).map(|(high, low)| high - low).max().unwrap_or(0)
}

fn sharpness(luma: &[u8], width: usize) -> f32 {
    let rows = |skipped: usize| luma.chunks_exact(width).skip(skipped);
    let (mut count, mut sum, mut squares) = (0_i64, 0_i64, 0_i64);
    for ((above, row), below) in rows(0).zip(rows(1)).zip(rows(2)) {
        let inner = row.windows(3).zip(&above[1..]).zip(&below[1..]);
        let (mut row_sum, mut row_squares) = (0_i64, 0_i64);
        for ((middle, up), down) in inner {
            let [left, center, right] = [middle[0], middle[1], middle[2]].map(i32::from);
            let laplacian = i32::from(*up) + i32::from(*down) + left + right - 4 * center;
            row_sum += i64::from(laplacian);
            row_squares += i64::from(laplacian * laplacian);
        }
        count += width as i64 - 2;
        sum += row_sum;
        squares += row_squares;
    }
    if count <= 0 {
        return 0.0;
    }
    let mean = sum as f64 / count as f64;
    (squares as f64 / count as f64 - mean * mean).max(0.0) as f32
}

/// `COSINES[frequency][place]` of the discrete cosine transform (type II) over `SMALL` places.
static COSINES: LazyLock<[[f64; SMALL]; LOW]> = LazyLock::new(|| {
    let cosine = |frequency: usize, place: usize| {
        let turns = frequency as f64 * (2 * place + 1) as f64 / (2 * SMALL) as f64;
        libm::cos(std::f64::consts::PI * turns)
    };
    std::array::from_fn(|frequency| std::array::from_fn(|place| cosine(frequency, place)))
});

fn perceptual_hash(luma: &[u8], width: usize, height: usize) -> u64 {
    let small = small(luma, width, height);
    let lines = small.map(|row| {
        COSINES.map(|cosines| row.iter().zip(cosines).map(|(value, cosine)| value * cosine).sum::<f64>())
    });
    let mut frequencies = [0.0; LOW * LOW];
    for (index, frequency) in frequencies.iter_mut().enumerate() {
        let (down, across) = (index / LOW, index % LOW);
        *frequency = lines.iter().zip(&COSINES[down]).map(|(line, cosine)| line[across] * cosine).sum();
    }
    let mut sorted = frequencies;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[LOW * LOW / 2 - 1], sorted[LOW * LOW / 2]);
    let in_doubt = frequencies.iter().filter(|frequency| (*frequency - median).abs() < DOUBT);
    if in_doubt.count() > DOUBTS_MAX {
        return 0;
    }
    frequencies.iter().fold(0, |hash, frequency| (hash << 1) | u64::from(*frequency > median))
}

/// Returns the mean brightness of `SMALL` x `SMALL` fields, the smallest of one pixel.
fn small(luma: &[u8], width: usize, height: usize) -> [[f64; SMALL]; SMALL] {
    let field = |index: usize, length: usize| {
        let first = index * length / SMALL;
        first..((index + 1) * length / SMALL).max(first + 1)
    };
    let columns: [std::ops::Range<usize>; SMALL] = std::array::from_fn(|index| field(index, width));
    std::array::from_fn(|down| {
        let rows = field(down, height);
        let mut sums = [0_u64; SMALL];
        for row in luma.chunks_exact(width).skip(rows.start).take(rows.len()) {
            for (sum, columns) in sums.iter_mut().zip(&columns) {
                *sum += row[columns.clone()].iter().map(|value| u64::from(*value)).sum::<u64>();
            }
        }
        std::array::from_fn(|across| sums[across] as f64 / (rows.len() * columns[across].len()) as f64)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resize::resize;
    use crate::{Decoder, Format, Preprocess};

    /// A scene of a few soft blobs, different for every seed.
    fn scene(seed: u64, width: u32, height: u32) -> Pixels {
        let value = |x: u32, y: u32, channel: u64| {
            let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            let wave = |n: u64| {
                let phase =
                    (seed.wrapping_mul(2_654_435_761).wrapping_add(n * 97 + channel) % 628) as f64 / 100.0;
                let (a, b) = ((seed * 7 + n * 3) % 5 + 1, (seed * 11 + n * 5) % 4 + 1);
                libm::sin(a as f64 * x * 6.0 + b as f64 * y * 6.0 + phase)
            };
            (127.0 + 40.0 * (wave(1) + wave(2) + wave(3))).clamp(0.0, 255.0) as u8
        };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [0, 1, 2].map(|c| value(x, y, c))));
        Pixels::new(width, height, rgb.collect()).unwrap()
    }

    #[test]
    fn copies_are_near_and_others_far() {
        let hash = |pixels: &Pixels| Measures::of(pixels).perceptual_hash;
        let original = scene(1, 300, 200);
        let smaller = resize(original.clone(), 120, 80, 1 << 20, Preprocess::Fast).unwrap();
        let bytes = Format::Jpeg { quality: 40 }.encode(&original).unwrap();
        let worse = Decoder::new(1 << 20).decode(&bytes).unwrap().pixels;
        for copy in [&smaller, &worse] {
            assert!((hash(&original) ^ hash(copy)).count_ones() <= 4);
        }
        let mut distances: Vec<u32> =
            (2..40).map(|seed| (hash(&original) ^ hash(&scene(seed, 300, 200))).count_ones()).collect();
        distances.sort_unstable();
        assert!(distances[0] > 8, "{distances:?}");
    }

    /// Returns copies of another size and quality.
    fn copies(original: &Pixels) -> Vec<Pixels> {
        let resized =
            |(width, height)| resize(original.clone(), width, height, 1 << 20, Preprocess::Fast).unwrap();
        let compressed = |quality: u8| {
            let bytes = Format::Jpeg { quality }.encode(original).unwrap();
            Decoder::new(1 << 20).decode(&bytes).unwrap().pixels
        };
        let sizes = [(120, 80), (150, 100), (299, 199), (411, 274), (600, 400)].map(resized);
        sizes.into_iter().chain([95, 75, 40].map(compressed)).collect()
    }

    #[test]
    fn what_has_no_details_has_no_hash_whatever_its_size_and_quality() {
        let picture = |level: &dyn Fn(u32, u32) -> u32| {
            let rgb =
                (0..200_u32).flat_map(|y| (0..300_u32).flat_map(move |x| [level(x, y).min(255) as u8; 3]));
            Pixels::new(300, 200, rgb.collect()).unwrap()
        };
        let is_at = |x: u32, from: u32, to: u32| (from..to).contains(&x);
        let pictures: [(&str, Pixels); 10] = [
            ("flat", picture(&|_, _| 93)),
            ("black", picture(&|_, _| 0)),
            ("across", picture(&|x, _| x * 255 / 300)),
            ("down", picture(&|_, y| 255 - y * 255 / 200)),
            ("from corner to corner", picture(&|x, y| (x + y) / 2)),
            ("faint", picture(&|x, _| 100 + x / 75)),
            ("halves", picture(&|x, _| if x < 150 { 20 } else { 230 })),
            ("a flag", picture(&|x, _| [60, 255, 120][(x / 100) as usize])),
            ("a rectangle", picture(&|x, y| if is_at(x, 75, 225) && is_at(y, 50, 150) { 80 } else { 255 })),
            ("a line", picture(&|x, y| if x * 2 / 3 == y { 0 } else { 255 })),
        ];
        for (name, original) in pictures {
            for copy in copies(&original).into_iter().chain([original]) {
                assert_eq!(
                    Measures::of(&copy).perceptual_hash,
                    0,
                    "{name}, {}x{}",
                    copy.width(),
                    copy.height()
                );
            }
        }
    }

    #[test]
    fn scenes_have_a_hash_that_copies_keep() {
        for seed in 1..30 {
            let original = scene(seed, 300, 200);
            let hash = Measures::of(&original).perceptual_hash;
            assert_ne!(hash, 0, "scene {seed}");
            for copy in copies(&original) {
                let distance = (hash ^ Measures::of(&copy).perceptual_hash).count_ones();
                assert!(distance <= 6, "scene {seed}: {distance}");
            }
        }
    }

    #[test]
    fn sharpness_tells_edges_from_none() {
        let board = |side: u32| {
            let rgb = (0..64 * 64)
                .flat_map(|i| [if (i % 64 / side + i / 64 / side).is_multiple_of(2) { 0 } else { 255 }; 3]);
            Measures::of(&Pixels::new(64, 64, rgb.collect()).unwrap()).sharpness
        };
        assert!(board(1) > board(8) && board(8) > 100.0);
        assert_eq!(board(64), 0.0);
        for (width, height) in [(1, 1), (2, 50), (50, 2), (3, 3)] {
            let tiny = Pixels::new(width, height, vec![7; (width * height * 3) as usize]).unwrap();
            assert_eq!(Measures::of(&tiny).sharpness, 0.0);
        }
    }

    #[test]
    fn the_spread_is_that_of_the_widest_channel() {
        let pixels = Pixels::new(2, 1, vec![10, 20, 30, 12, 29, 30]).unwrap();
        assert_eq!(colour_spread(&pixels), 9);
        assert_eq!(colour_spread(&Pixels::new(1, 1, vec![1, 2, 3]).unwrap()), 0);
    }
}
