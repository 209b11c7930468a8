//! The settings of interleaved documents.

use serde::{Deserialize, Serialize};

const SIDE_PIXELS_MIN_DEFAULT: u32 = 64;
const COLOUR_SPREAD_MIN_DEFAULT: u16 = 3;
const IMAGES_MAX_DEFAULT: u32 = 5;
const SINGLE_IMAGE_DROP_SHARE_DEFAULT: f64 = 0.5;
const SENTENCES_OUTER_MAX_DEFAULT: u32 = 3;
const VALIDATION_SHARE_DEFAULT: f64 = 0.02;

/// KOSMOS-1's choices (paper appendix B.1.3; sentences: unilm `wild_loader.py`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Minimum shorter side of an image in pixels, as fetched (paper: 64).
    pub side_pixels_min: u32,
    /// An image is dropped as single-coloured if each of its colour channels varies by less than this (of
    /// 255). The paper gives no number; JPEG noise is below 3.
    pub colour_spread_min: u16,
    /// Maximum longer side of an image in pixels, as fetched. If missing, there is none (OBELICS: 20000).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side_pixels_max: Option<u32>,
    /// Maximum ratio of an image's longer side to its shorter one. If missing, there is none (OBELICS and mmc4: 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_max: Option<f64>,
    /// An image is dropped if one of these is part of its URL; case counts (OBELICS and mmc4: logo, button, icon, plugin,
    /// widget).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub url_words: Vec<String>,
    /// Drop an image whose URL an earlier image of the document has (OBELICS).
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(extend("default" = false))]
    pub drop_repeated: bool,
    /// Maximum number of images per document, the first ones in reading order (paper: 5; it does not say
    /// which five).
    pub images_max: u32,
    /// Share of single-image documents to drop, by hash of the page's id (paper: 0.5; unilm draws again in
    /// every epoch).
    pub single_image_drop_share: f64,
    /// Drop a document of which no image has text before and after it.
    #[serde(skip_serializing_if = "is_false")]
    #[schemars(extend("default" = false))]
    pub drop_one_sided: bool,
    /// Maximum number of sentences before the first image, the last ones (unilm: 3).
    pub sentences_before_max: u32,
    /// Maximum number of sentences after the last image, the first ones (unilm: 3).
    pub sentences_after_max: u32,
    /// Share of documents held out, by hash of the page's id.
    pub validation_share: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            side_pixels_min: SIDE_PIXELS_MIN_DEFAULT,
            colour_spread_min: COLOUR_SPREAD_MIN_DEFAULT,
            side_pixels_max: None,
            aspect_max: None,
            url_words: Vec::new(),
            drop_repeated: false,
            images_max: IMAGES_MAX_DEFAULT,
            single_image_drop_share: SINGLE_IMAGE_DROP_SHARE_DEFAULT,
            drop_one_sided: false,
            sentences_before_max: SENTENCES_OUTER_MAX_DEFAULT,
            sentences_after_max: SENTENCES_OUTER_MAX_DEFAULT,
            validation_share: VALIDATION_SHARE_DEFAULT,
        }
    }
}

impl Config {
    /// Checks every bound.
    ///
    /// # Errors
    /// The key, its bounds and its value.
    pub fn validate(&self) -> Result<(), String> {
        if self.images_max == 0 {
            return Err("images_max must be at least 1, is 0".to_owned());
        }
        if self.aspect_max.is_some_and(|ratio| ratio.is_nan() || ratio < 1.0) {
            return Err(format!("aspect_max is {}, must be at least 1", self.aspect_max.unwrap_or_default()));
        }
        if self.url_words.iter().any(String::is_empty) {
            return Err("url_words has an empty word, which every URL has in it".to_owned());
        }
        share("single_image_drop_share", self.single_image_drop_share)?;
        share("validation_share", self.validation_share)
    }
}

/// What is not set is not part of a fingerprint: runs of older versions stay as they are.
fn is_false(value: &bool) -> bool {
    !*value
}

fn share(key: &str, value: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{key} is {value}, must be from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_bounds_is_named() {
        assert_eq!(Config::default().validate(), Ok(()));
        for share in [-0.1, 1.1, f64::NAN] {
            let config = Config { validation_share: share, ..Config::default() };
            assert!(config.validate().is_err_and(|error| error.starts_with("validation_share")));
        }
        let config = Config { single_image_drop_share: 1.01, ..Config::default() };
        assert!(config.validate().is_err_and(|error| error.starts_with("single_image_drop_share")));
        let bounds = Config {
            validation_share: 1.0,
            single_image_drop_share: 0.0,
            images_max: 1,
            ..Config::default()
        };
        assert_eq!(bounds.validate(), Ok(()));
        assert!(Config { images_max: 0, ..Config::default() }.validate().is_err());
        for ratio in [0.9, f64::NAN] {
            let config = Config { aspect_max: Some(ratio), ..Config::default() };
            assert!(config.validate().is_err_and(|error| error.starts_with("aspect_max")));
        }
        let config = Config { url_words: vec![String::new()], ..Config::default() };
        assert!(config.validate().is_err_and(|error| error.starts_with("url_words")));
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let expected = Config {
            side_pixels_min: 64,
            colour_spread_min: 3,
            side_pixels_max: None,
            aspect_max: None,
            url_words: Vec::new(),
            drop_repeated: false,
            images_max: 5,
            single_image_drop_share: 0.5,
            drop_one_sided: false,
            sentences_before_max: 3,
            sentences_after_max: 3,
            validation_share: 0.02,
        };
        assert_eq!(serde_json::from_str("{}").ok(), Some(expected));
        assert!(serde_json::from_str::<Config>(r#"{"side_pixels": 1}"#).is_err());
    }
}
