//! The settings of the fetch list and of stored images.

use serde::{Deserialize, Serialize};

const PARTITIONS_DEFAULT: u32 = 16;
const PARTITIONS_MAX: u32 = 1 << 20;
const LIST_MEMORY_MB_DEFAULT: u32 = 1_024;
/// Less is all seeking.
const LIST_MEMORY_MB_MIN: u32 = 64;
const PASSES_DEFAULT: u32 = 2;
const PASSES_MAX: u32 = 16;
const IMAGES_PER_PAGE_MAX_DEFAULT: u16 = 8;
const PAGE_USES_MAX_DEFAULT: u32 = 1_000;
const SIDE_PIXELS_DEFAULT: u32 = 256;
const SIDE_PIXELS_MAX: u32 = 4_096;
const PIXELS_MAX_DEFAULT: u64 = 100_000_000;
const PIXELS_MAX_MAX: u64 = 1 << 32;
const DECODED_BYTES_MAX_DEFAULT: u64 = 1 << 30;
/// A photograph's size: what is lower refuses nearly all images.
const DECODED_BYTES_MAX_MIN: u64 = 1 << 24;
const DECODED_BYTES_MAX_MAX: u64 = 1 << 40;
const DECODE_MEMORY_MB_DEFAULT: u32 = 1_024;
const MEGABYTE: u64 = 1 << 20;
const JPEG_QUALITY_DEFAULT: u8 = 95;

/// Section `[images]`. What the paper does not state follows LAION's downloads (img2dataset):
/// shorter side 256, JPEG quality 95.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Number of parts of the fetch list; each is one task.
    pub partitions: u32,
    /// Memory in MiB for sorting the list, shared by the parallel tasks of a process; each gets at least 1
    /// MiB. Does not affect the result.
    pub list_memory_mb: u32,
    /// Number of attempts per URL. Pass k retries what failed transiently in pass k-1.
    pub passes: u32,
    /// Maximum number of images to request per page, from the top. The paper uses 5; some requests will fail.
    pub images_per_page_max: u16,
    /// Maximum number of page slots that one URL may fill. An image on more pages is a logo.
    pub page_uses_max: u32,
    /// Side length that `mode` refers to, in pixels.
    pub side_pixels: u32,
    /// How images are resized.
    pub mode: Mode,
    /// Leave images unchanged if they would have to be enlarged.
    pub only_shrink: bool,
    /// How pixels are resampled.
    pub preprocess: Preprocess,
    /// How images are encoded for storage.
    pub format: Format,
    /// Images with more pixels (width times height) are neither decoded nor stored.
    pub pixels_max: u64,
    /// Maximum memory for decoding and storing one image in bytes, estimated from its headers. Larger images
    /// fail as `decoded_bytes_too_many`. An image of 10^8 pixels takes 3 x 10^8 bytes as a PNG, 9 x 10^8 as a
    /// progressive JPEG. The default is 2^30.
    pub decoded_bytes_max: u64,
    /// Memory in MiB for all images being processed, across all workers and stages of a process. An image
    /// that does not fit waits. Must be at least `decoded_bytes_max`. Does not affect what is stored.
    pub decode_memory_mb: u32,
}

/// How an image is resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The shorter side becomes `side_pixels`.
    KeepRatio,
    /// As `keep_ratio`, then cropped to the central square.
    CenterCrop,
    /// The longer side becomes `side_pixels`; the rest of the square is filled with white.
    Border,
    /// The bytes are stored as fetched, after checking that they decode.
    Original,
}

/// How pixels are resampled; both methods are bicubic with a = -0.5 and antialias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preprocess {
    /// With the machine's vector instructions; if the build has libjpeg-turbo, large JPEG files are decoded
    /// at a fraction of their size. Differs from Pillow by 0.1 of 255 on average.
    #[default]
    Fast,
    /// Bit-identical to Pillow's `BICUBIC` for the same decoded pixels.
    PilExact,
}

/// The format in which images are stored; encoders give equal bytes for equal pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Format {
    /// JPEG, colour at half the resolution.
    Jpeg {
        /// From 1 to 100.
        quality: u8,
    },
    /// WebP.
    Webp {
        /// From 1 to 100.
        quality: u8,
    },
    /// WebP without loss.
    WebpLossless,
    /// PNG.
    Png,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            partitions: PARTITIONS_DEFAULT,
            list_memory_mb: LIST_MEMORY_MB_DEFAULT,
            passes: PASSES_DEFAULT,
            images_per_page_max: IMAGES_PER_PAGE_MAX_DEFAULT,
            page_uses_max: PAGE_USES_MAX_DEFAULT,
            side_pixels: SIDE_PIXELS_DEFAULT,
            mode: Mode::KeepRatio,
            only_shrink: true,
            preprocess: Preprocess::Fast,
            format: Format::Jpeg { quality: JPEG_QUALITY_DEFAULT },
            pixels_max: PIXELS_MAX_DEFAULT,
            decoded_bytes_max: DECODED_BYTES_MAX_DEFAULT,
            decode_memory_mb: DECODE_MEMORY_MB_DEFAULT,
        }
    }
}

impl Config {
    /// Checks every bound.
    ///
    /// # Errors
    /// The key, its bounds and its value.
    pub fn validate(&self) -> Result<(), String> {
        within("partitions", self.partitions.into(), 1, PARTITIONS_MAX.into())?;
        within("list_memory_mb", self.list_memory_mb.into(), LIST_MEMORY_MB_MIN.into(), u32::MAX.into())?;
        within("passes", self.passes.into(), 1, PASSES_MAX.into())?;
        within("images_per_page_max", self.images_per_page_max.into(), 1, u16::MAX.into())?;
        within("page_uses_max", self.page_uses_max.into(), 1, u32::MAX.into())?;
        within("side_pixels", self.side_pixels.into(), 1, SIDE_PIXELS_MAX.into())?;
        within("pixels_max", self.pixels_max, 1, PIXELS_MAX_MAX)?;
        let bytes_max = self.decoded_bytes_max;
        within("decoded_bytes_max", bytes_max, DECODED_BYTES_MAX_MIN, DECODED_BYTES_MAX_MAX)?;
        // A smaller budget would decide which images are stored.
        let memory_min = bytes_max.div_ceil(MEGABYTE);
        if u64::from(self.decode_memory_mb) < memory_min {
            let memory = self.decode_memory_mb;
            return Err(format!(
                "decode_memory_mb is {memory}, must be at least {memory_min} for decoded_bytes_max = {bytes_max}"
            ));
        }
        match self.format {
            Format::Jpeg { quality } => within("format.jpeg.quality", quality.into(), 1, 100),
            Format::Webp { quality } => within("format.webp.quality", quality.into(), 1, 100),
            Format::WebpLossless | Format::Png => Ok(()),
        }
    }
}

fn within(key: &str, value: u64, min: u64, max: u64) -> Result<(), String> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(format!("{key} must be between {min} and {max}, is {value}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_documented() {
        let text = r#"{"passes": 3, "mode": "center_crop", "format": {"jpeg": {"quality": 90}}}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        assert_eq!((config.passes, config.mode), (3, Mode::CenterCrop));
        assert_eq!(config.format, Format::Jpeg { quality: 90 });
        assert_eq!(config.side_pixels, Config::default().side_pixels);
        assert_eq!(serde_json::from_str::<Format>("\"png\"").unwrap(), Format::Png);
        assert!(serde_json::from_str::<Config>(r#"{"side": 3}"#).is_err());
    }

    #[test]
    fn a_value_out_of_bounds_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        let config = Config { passes: 0, ..Config::default() };
        assert_eq!(config.validate().unwrap_err(), "passes must be between 1 and 16, is 0");
        let config = Config { format: Format::Jpeg { quality: 101 }, ..Config::default() };
        assert!(config.validate().unwrap_err().starts_with("format.jpeg.quality"));
    }

    #[test]
    fn every_bound_is_where_it_is_documented() {
        let check = |key: &str, value: u64, holds: bool| {
            let mut json = serde_json::to_value(Config::default()).unwrap();
            json[key] = value.into();
            let checked = serde_json::from_value::<Config>(json).unwrap().validate();
            assert_eq!(checked.is_ok(), holds, "{key} = {value}: {checked:?}");
            assert!(holds || checked.unwrap_err().starts_with(key));
        };
        let bounds = [
            ("partitions", 1, 1 << 20),
            ("list_memory_mb", 64, u32::MAX.into()),
            ("passes", 1, 16),
            ("images_per_page_max", 1, u16::MAX.into()),
            ("page_uses_max", 1, u32::MAX.into()),
            ("side_pixels", 1, 4_096),
            ("pixels_max", 1, 1 << 32),
            ("decoded_bytes_max", 1 << 24, 1 << 30),
            ("decode_memory_mb", 1_024, u32::MAX.into()),
        ];
        for (key, min, max) in bounds {
            check(key, min, true);
            check(key, min - 1, false);
            check(key, max, true);
            if ![
                "list_memory_mb",
                "images_per_page_max",
                "page_uses_max",
                "decoded_bytes_max",
                "decode_memory_mb",
            ]
            .contains(&key)
            {
                check(key, max + 1, false);
            }
        }
        let with_memory = |bytes: u64, memory: u32| {
            let (decoded_bytes_max, decode_memory_mb) = (bytes, memory);
            Config { decoded_bytes_max, decode_memory_mb, ..Config::default() }.validate()
        };
        assert_eq!(with_memory(1 << 40, 1 << 20), Ok(()));
        assert!(with_memory((1 << 40) + 1, u32::MAX).unwrap_err().starts_with("decoded_bytes_max"));
        assert_eq!(with_memory(1 << 24, 16), Ok(()));
        assert_eq!(
            with_memory((1 << 24) + 1, 16).unwrap_err(),
            "decode_memory_mb is 16, must be at least 17 for decoded_bytes_max = 16777217"
        );
        for (quality, holds) in [(0, false), (1, true), (100, true), (101, false)] {
            for format in [Format::Jpeg { quality }, Format::Webp { quality }] {
                assert_eq!(Config { format, ..Config::default() }.validate().is_ok(), holds);
            }
        }
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let expected = Config {
            partitions: 16,
            list_memory_mb: 1_024,
            passes: 2,
            images_per_page_max: 8,
            page_uses_max: 1_000,
            side_pixels: 256,
            mode: Mode::KeepRatio,
            only_shrink: true,
            preprocess: Preprocess::Fast,
            format: Format::Jpeg { quality: 95 },
            pixels_max: 100_000_000,
            decoded_bytes_max: 1 << 30,
            decode_memory_mb: 1_024,
        };
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), expected);
    }
}
