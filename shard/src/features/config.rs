//! The settings of the feature stages.

use model::{Device, Precision, Tap};
use serde::{Deserialize, Serialize};

use images::Preprocess;

const BATCH_IMAGES_DEFAULT: u32 = 64;
const BATCH_IMAGES_MAX: u32 = 4_096;

/// Section `[features]`. The tower, its weights among it, is the model's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where in the tower features are taken. The default is before the last block, which the paper trains
    /// (section 3.2).
    pub tap: Tap,
    /// How images are resized to the tower's input. The default matches Pillow, with which the tower was
    /// trained.
    pub preprocess: Preprocess,
    /// Images per batch. Their pixels and activations determine the memory needed.
    pub batch_images: u32,
    /// Precision of matrix products.
    pub precision: Precision,
    /// The device to compute on. Not part of the fingerprint.
    pub device: Device,
    /// CPU threads per operation. Not part of the fingerprint.
    pub thread_count: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tap: Tap::BeforeLastBlock,
            preprocess: Preprocess::PilExact,
            batch_images: BATCH_IMAGES_DEFAULT,
            precision: Precision::default(),
            device: Device::default(),
            thread_count: 1,
        }
    }
}

impl Config {
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
        let pooled: Config = serde_json::from_str(r#"{"tap": "pooled"}"#).unwrap();
        assert_eq!(pooled, Config { tap: Tap::Pooled, ..Config::default() });
        assert!(serde_json::from_str::<Config>(r#"{"weights": {"random": {"seed": 1}}}"#).is_err());
    }

    #[test]
    fn a_value_out_of_bounds_is_named() {
        let config = Config::default();
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
            preprocess: Preprocess::PilExact,
            batch_images: 64,
            precision: Precision::F32,
            device: Device::Cpu,
            thread_count: 1,
        };
        assert_eq!(Config::default(), expected);
        let settings =
            Config { device: Device::Cuda(3), thread_count: 7, precision: Precision::Bf16, ..expected };
        let found = settings.settings();
        assert_eq!(
            (found.device, found.thread_count, found.precision),
            (Device::Cuda(3), 7, Precision::Bf16)
        );
    }
}
