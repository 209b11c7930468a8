//! Samples of a TIFF and what colours they stand for.

use std::sync::LazyLock;

use tiff::ColorType;

use super::super::super::pixels::{of_cmyk, on_white};

/// Values of a palette for each of its colours, and of them those of red, of green and of blue.
const CHANNELS: usize = 3;
/// Steps of linear light that are told apart when light becomes sRGB.
const LIGHT_STEPS: usize = 1 << 12;

/// What the samples of a pixel are.
pub(super) enum Colours {
    Grey,
    /// Real numbers or whole ones of more than 16 bits: levels from 0 to 255, cut off at both ends.
    GreyLevels,
    GreyAlpha,
    Palette(Vec<[u8; 3]>),
    Rgb,
    Rgba,
    /// Colours that were multiplied by their alpha.
    Premultiplied,
    Cmyk,
    Ycbcr,
    /// CIE L*a*b* under D50; with a*, b* signed, or else 128 added to them.
    Lab {
        is_signed: bool,
    },
}

/// How a sample is stored.
#[derive(Clone, Copy)]
pub(super) enum Depth {
    /// So many bits of a byte, the highest ones first.
    Bits(u8),
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Colours {
    /// Returns what samples are by the tags of a file. `None` for what Pillow does not read either.
    pub(super) fn of(
        photometric: u64,
        kind: ColorType,
        extra: Option<u64>,
        map: Option<&[u64]>,
    ) -> Option<Self> {
        let bits = kind.bit_depth();
        Some(match (photometric, kind) {
            (3, ColorType::Gray(1..=8)) => Self::palette(map?, 1 << bits)?,
            (3, ColorType::Multiband { bit_depth: 8, num_samples: 2 }) => Self::palette(map?, 1 << bits)?,
            (8, ColorType::RGB(8)) => Self::Lab { is_signed: true },
            (9, ColorType::RGB(8)) => Self::Lab { is_signed: false },
            (0 | 1, ColorType::Gray(1..=16)) => Self::Grey,
            (0 | 1, ColorType::Gray(32 | 64)) => Self::GreyLevels,
            (0 | 1, ColorType::GrayA(8) | ColorType::Multiband { bit_depth: 8, num_samples: 2 }) => {
                if matches!(extra, Some(1 | 2)) { Self::GreyAlpha } else { Self::Grey }
            }
            (2, ColorType::RGB(_)) => Self::Rgb,
            (2, ColorType::RGBA(_)) => match extra {
                Some(1) => Self::Premultiplied,
                Some(0) => Self::Rgb,
                _ => Self::Rgba,
            },
            (5, ColorType::CMYK(_) | ColorType::CMYKA(_)) => Self::Cmyk,
            (6, ColorType::YCbCr(8)) => Self::Ycbcr,
            _ => return None,
        })
    }

    /// Reads a palette: all reds, all greens, all blues, of 16 bits. Some writers use 8 of them.
    fn palette(map: &[u64], count: usize) -> Option<Self> {
        let shift = if map.iter().all(|level| *level < 256) { 0 } else { 8 };
        let level = |channel: usize, index: usize| Some((map.get(channel * count + index)? >> shift) as u8);
        let colour = |index| Some([level(0, index)?, level(1, index)?, level(2, index)?]);
        (0..count).map(colour).collect::<Option<_>>().map(Self::Palette)
    }

    /// Whether samples are numbers that are not to be scaled.
    fn is_unscaled(&self) -> bool {
        matches!(self, Self::Palette(_) | Self::GreyLevels)
    }

    /// Returns the colour of a pixel of samples of a depth, as RGB8 on white.
    pub(super) fn rgb(&self, pixel: &[f32], depth: Depth) -> [u8; CHANNELS] {
        let level = |index: usize| {
            let sample = pixel.get(index).copied().unwrap_or(0.0);
            if self.is_unscaled() { sample as u8 } else { depth.level(sample) }
        };
        match self {
            Self::Grey | Self::GreyLevels => [level(0); CHANNELS],
            Self::GreyAlpha => on_white([level(0), level(0), level(0), level(1)]),
            Self::Palette(colours) => colours.get(usize::from(level(0))).copied().unwrap_or_default(),
            Self::Rgb => [level(0), level(1), level(2)],
            Self::Rgba => on_white([level(0), level(1), level(2), level(3)]),
            Self::Premultiplied => {
                [level(0), level(1), level(2)].map(|colour| colour.saturating_add(255 - level(3)))
            }
            Self::Cmyk => of_cmyk([level(0), level(1), level(2), level(3)]),
            Self::Ycbcr => of_ycbcr([level(0), level(1), level(2)]),
            Self::Lab { is_signed } => {
                let signed = |level: u8| if *is_signed { level as i8 } else { (level ^ 0x80) as i8 };
                of_lab(level(0), signed(level(1)), signed(level(2)))
            }
        }
    }
}

impl Depth {
    /// Returns how samples of so many bits and of a format (1 unsigned, 2 signed, 3 real) are stored.
    pub(super) fn of(bits: u8, format: u64) -> Option<Self> {
        Some(match (bits, format) {
            (1 | 2 | 4 | 8, 1 | 2 | 4) => Self::Bits(bits),
            (16, 1 | 4) => Self::U16,
            (16, 2) => Self::I16,
            (32, 1 | 4) => Self::U32,
            (32, 2) => Self::I32,
            (32, 3) => Self::F32,
            (64, 3) => Self::F64,
            _ => return None,
        })
    }

    /// Reads samples of a row from its first byte on, in the byte order of the machine; what is not there
    /// stays.
    pub(super) fn read<'a>(self, bytes: &[u8], samples: impl Iterator<Item = &'a mut f32>) {
        match self {
            Self::Bits(bits) => {
                let per_byte = usize::from(8 / bits);
                let mask = u8::MAX >> (8 - bits);
                for (index, sample) in samples.enumerate() {
                    let Some(byte) = bytes.get(index / per_byte) else { return };
                    let shift = 8 - bits - (index % per_byte) as u8 * bits;
                    *sample = f32::from((byte >> shift) & mask);
                }
            }
            Self::U16 => each(bytes, samples, |bytes| u16::from_ne_bytes(bytes).into()),
            Self::I16 => each(bytes, samples, |bytes| i16::from_ne_bytes(bytes).into()),
            Self::U32 => each(bytes, samples, |bytes| u32::from_ne_bytes(bytes) as f32),
            Self::I32 => each(bytes, samples, |bytes| i32::from_ne_bytes(bytes) as f32),
            Self::F32 => each(bytes, samples, f32::from_ne_bytes),
            Self::F64 => each(bytes, samples, |bytes| f64::from_ne_bytes(bytes) as f32),
        }
    }

    /// Returns one of 256 levels: unsigned samples are scaled, real ones are from 0 to 1, signed ones are cut
    /// off at both ends. What is no number is 0.
    fn level(self, sample: f32) -> u8 {
        let most = match self {
            Self::Bits(bits) => f32::from(u8::MAX >> (8 - bits)),
            Self::U16 => f32::from(u16::MAX),
            Self::U32 => u32::MAX as f32,
            Self::F32 | Self::F64 => 1.0,
            Self::I16 | Self::I32 => 255.0,
        };
        (sample * 255.0 / most).round() as u8
    }
}

fn each<'a, const N: usize>(
    bytes: &[u8],
    samples: impl Iterator<Item = &'a mut f32>,
    number: impl Fn([u8; N]) -> f32,
) {
    samples.zip(bytes.as_chunks().0).for_each(|(sample, bytes)| *sample = number(*bytes));
}

/// JPEG's YCbCr (ITU T.871).
fn of_ycbcr(levels: [u8; 3]) -> [u8; CHANNELS] {
    let [luma, blue, red] = levels.map(f32::from);
    let (blue, red) = (blue - 128.0, red - 128.0);
    [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue]
        .map(|level| level.round() as u8)
}

/// CIE L*a*b* under D50 to sRGB, adapted to D65 by Bradford's matrix.
fn of_lab(lightness: u8, a: i8, b: i8) -> [u8; CHANNELS] {
    const WHITE: [f32; 3] = [0.9642, 1.0, 0.8249];
    const RGB_OF_XYZ: [[f32; 3]; 3] = [
        [3.133_856, -1.616_867, -0.490_615],
        [-0.978_769, 1.916_142, 0.033_454],
        [0.071_945, -0.228_991, 1.405_243],
    ];
    let y = (f32::from(lightness) / 2.55 + 16.0) / 116.0;
    let [x, z] = [y + f32::from(a) / 500.0, y - f32::from(b) / 200.0];
    let light =
        |root: f32| if root > 6.0 / 29.0 { root * root * root } else { (root - 4.0 / 29.0) * 0.128_418_55 };
    let [x, y, z] = [light(x) * WHITE[0], light(y) * WHITE[1], light(z) * WHITE[2]];
    RGB_OF_XYZ.map(|[of_x, of_y, of_z]| {
        let light = (of_x * x + of_y * y + of_z * z).clamp(0.0, 1.0);
        SRGB[(light * (LIGHT_STEPS - 1) as f32).round() as usize]
    })
}

/// Levels of sRGB for linear light.
static SRGB: LazyLock<[u8; LIGHT_STEPS]> = LazyLock::new(|| {
    std::array::from_fn(|step| {
        let light = step as f64 / (LIGHT_STEPS - 1) as f64;
        let level =
            if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 };
        (level * 255.0).round() as u8
    })
});
