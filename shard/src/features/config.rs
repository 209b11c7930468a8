//! The settings of the feature stages.

use std::path::PathBuf;

use model::{Device, Precision, Tap};
use serde::{Deserialize, Serialize};

use images::Preprocess;

const BATCH_IMAGES_DEFAULT: u32 = 64;
const BATCH_IMAGES_MAX: u32 = 4_096;

/// Section `[features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where in the tower features are taken. The default is before the last block, which the paper trains
    /// (section 3.2).
    #[serde(default = "tap_default")]
    pub tap: Tap,
    /// The tower's weights.
    pub weights: Weights,
    /// How images are resized to the tower's input. The default matches Pillow, with which the tower was
    /// trained.
    #[serde(default = "preprocess_default")]
    pub preprocess: Preprocess,
    /// Images per batch. Their pixels and activations determine the memory needed.
    #[serde(default = "batch_images_default")]
    pub batch_images: u32,
    /// Precision of matrix products.
    #[serde(default)]
    pub precision: Precision,
    /// The device to compute on. Not part of the fingerprint.
    #[serde(default)]
    pub device: Device,
    /// CPU threads per operation. Not part of the fingerprint.
    #[serde(default = "thread_count_default")]
    pub thread_count: u32,
}

/// Source of the tower's weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Weights {
    /// CLIP's random initialisation, for tests and samples.
    Random {
        /// The seed.
        seed: u64,
    },
    /// A safetensors file in the layout of Hugging Face's `CLIPVisionModel`.
    Path(PathBuf),
}

fn tap_default() -> Tap {
    Tap::BeforeLastBlock
}

fn preprocess_default() -> Preprocess {
    Preprocess::PilExact
}

fn batch_images_default() -> u32 {
    BATCH_IMAGES_DEFAULT
}

fn thread_count_default() -> u32 {
    1
}

impl Config {
    /// Returns the default settings for the given weights.
    pub fn new(weights: Weights) -> Self {
        Self {
            tap: tap_default(),
            weights,
            preprocess: preprocess_default(),
            batch_images: BATCH_IMAGES_DEFAULT,
            precision: Precision::default(),
            device: Device::default(),
            thread_count: thread_count_default(),
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The key, its bounds and its value.
    pub fn validate(&self) -> Result<(), String> {
        if (1..=BATCH_IMAGES_MAX).contains(&self.batch_images) {
            return self.settings().validate().map_err(|error| error.to_string());
        }
        Err(format!("batch_images is {}, must be from 1 to {BATCH_IMAGES_MAX}", self.batch_images))
    }

    pub(super) fn settings(&self) -> model::Settings {
        model::Settings {
            device: self.device,
            precision: self.precision,
            thread_count: self.thread_count,
            ..model::Settings::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_documented() {
        let random: Config = serde_json::from_str(r#"{"weights": {"random": {"seed": 1}}}"#).unwrap();
        assert_eq!(random, Config::new(Weights::Random { seed: 1 }));
        let text = r#"{"weights": {"path": "clip.safetensors"}, "tap": "pooled"}"#;
        let file: Config = serde_json::from_str(text).unwrap();
        assert_eq!((file.weights, file.tap), (Weights::Path("clip.safetensors".into()), Tap::Pooled));
        assert!(serde_json::from_str::<Config>("{}").is_err());
    }

    #[test]
    fn a_value_out_of_bounds_is_named() {
        let config = Config::new(Weights::Random { seed: 1 });
        assert_eq!(config.validate(), Ok(()));
        let config = Config { batch_images: 0, ..config };
        assert!(config.validate().is_err_and(|error| error.starts_with("batch_images")));
        assert_eq!(Config { batch_images: 4_096, ..config.clone() }.validate(), Ok(()));
        assert!(Config { batch_images: 4_097, ..config.clone() }.validate().is_err());
        let config = Config { batch_images: 1, thread_count: 0, ..config };
        assert!(config.validate().is_err_and(|error| error.contains("thread_count")));
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let expected = Config {
            tap: Tap::BeforeLastBlock,
            weights: Weights::Random { seed: 1 },
            preprocess: Preprocess::PilExact,
            batch_images: 64,
            precision: Precision::F32,
            device: Device::Cpu,
            thread_count: 1,
        };
        assert_eq!(Config::new(Weights::Random { seed: 1 }), expected);
        let settings =
            Config { device: Device::Cuda(3), thread_count: 7, precision: Precision::Bf16, ..expected };
        let found = settings.settings();
        assert_eq!(
            (found.device, found.thread_count, found.precision),
            (Device::Cuda(3), 7, Precision::Bf16)
        );
    }
}
