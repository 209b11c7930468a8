//! How sequences are packed, by kind.

use serde::{Deserialize, Serialize};

/// Tokens of a sequence: 2,048 (the paper's tables 17 and 18).
const SEQUENCE_TOKENS_MAX: u32 = 2_048;
/// Slots of an image: the resampler's latent queries (the paper's section 2.2).
const LATENT_COUNT: u32 = 64;
/// Images of an interleaved document at most (the paper's section 3.1).
const IMAGES_MAX: u32 = 5;
/// Documents that are shuffled together.
const SHUFFLE_DOCUMENTS: u32 = 4_096;
/// Share of the pairs that is held out; the paper does not state one.
const VALIDATION_SHARE: f64 = 0.001;
/// Tokens of a caption. Ours: the paper states no bound; texts of CLIP itself end at 77.
const CAPTION_TOKENS_MAX: u32 = 128;
/// A sequence may not be longer than this: masks and spans count in 32 bits with room to spare.
const SEQUENCE_TOKENS_LIMIT: u32 = 1 << 20;
/// `<s>`, `<image>`, `</image>` and `</s>`, which an image in a sequence brings with it.
const IMAGE_FRAME_TOKENS: u32 = 4;

/// Where a document of text goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextFit {
    /// Behind the one before, in the next sequence once this one is full, as in KOSMOS-1's loader.
    #[default]
    Next,
    /// Whole into the sequence that it fills best.
    Best,
}

impl TextFit {
    fn is_next(&self) -> bool {
        *self == Self::Next
    }
}

/// Which pairs are in a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairFit {
    /// One, as in KOSMOS-1's loader; the shorter ones of a batch are padded.
    #[default]
    Alone,
    /// As many as fit, each of which attends to itself alone.
    Shared,
}

impl PairFit {
    fn is_alone(&self) -> bool {
        *self == Self::Alone
    }
}

/// How documents are packed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// Maximum tokens per sequence. Default 2048.
    pub sequence_tokens_max: u32,
    /// Number of documents that are shuffled and packed together, separately from all others. Default 4096.
    pub shuffle_documents: u32,
    /// Where a document goes. Default `next`.
    #[serde(skip_serializing_if = "TextFit::is_next")]
    pub fit: TextFit,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            sequence_tokens_max: SEQUENCE_TOKENS_MAX,
            shuffle_documents: SHUFFLE_DOCUMENTS,
            fit: TextFit::Next,
        }
    }
}

impl TextConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self) -> Result<(), String> {
        check_sequence(self.sequence_tokens_max, 2)?;
        match self.shuffle_documents {
            0 => Err("shuffle_documents must be at least 1, is 0".to_owned()),
            _ => Ok(()),
        }
    }
}

/// How pairs are packed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairConfig {
    /// Tokens of a sequence at most, the slots included. Default 2048.
    pub sequence_tokens_max: u32,
    /// Slots of an image. Default 64.
    pub latent_count: u32,
    /// Tokens of a caption at most; longer ones are cut, and counted. Default 128.
    pub caption_tokens_max: u32,
    /// Which pairs are in a sequence for training; held-out ones are alone. Default `alone`.
    #[serde(skip_serializing_if = "PairFit::is_alone")]
    pub fit: PairFit,
    /// Share of images held out, with all their captions. Default 0.001.
    pub validation_share: f64,
}

impl Default for PairConfig {
    fn default() -> Self {
        Self {
            sequence_tokens_max: SEQUENCE_TOKENS_MAX,
            latent_count: LATENT_COUNT,
            caption_tokens_max: CAPTION_TOKENS_MAX,
            fit: PairFit::Alone,
            validation_share: VALIDATION_SHARE,
        }
    }
}

impl PairConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self) -> Result<(), String> {
        check_image(self.sequence_tokens_max, self.latent_count)?;
        if self.caption_tokens_max == 0 {
            return Err("caption_tokens_max must be at least 1, is 0".to_owned());
        }
        if !(0.0..=1.0).contains(&self.validation_share) {
            return Err(format!("validation_share is {}, must be from 0 to 1", self.validation_share));
        }
        Ok(())
    }
}

/// How interleaved documents are packed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterleavedConfig {
    /// Tokens of a sequence at most, the slots included. Default 2048.
    pub sequence_tokens_max: u32,
    /// Slots of an image. Default 64.
    pub latent_count: u32,
    /// Images of a sequence at most. Default 5.
    pub images_max: u32,
}

impl Default for InterleavedConfig {
    fn default() -> Self {
        Self { sequence_tokens_max: SEQUENCE_TOKENS_MAX, latent_count: LATENT_COUNT, images_max: IMAGES_MAX }
    }
}

impl InterleavedConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// When a value is outside its bounds; the text names the key.
    pub fn validate(&self) -> Result<(), String> {
        check_image(self.sequence_tokens_max, self.latent_count)?;
        match self.images_max {
            0 => Err("images_max must be at least 1, is 0".to_owned()),
            _ => Ok(()),
        }
    }
}

fn check_sequence(tokens: u32, tokens_min: u32) -> Result<(), String> {
    if (tokens_min..=SEQUENCE_TOKENS_LIMIT).contains(&tokens) {
        return Ok(());
    }
    Err(format!("sequence_tokens_max is {tokens}, must be from {tokens_min} to {SEQUENCE_TOKENS_LIMIT}"))
}

fn check_image(tokens: u32, latent_count: u32) -> Result<(), String> {
    if !(1..SEQUENCE_TOKENS_LIMIT).contains(&latent_count) {
        return Err(format!(
            "latent_count is {latent_count}, must be from 1 to {}",
            SEQUENCE_TOKENS_LIMIT - 1
        ));
    }
    check_sequence(tokens, latent_count + IMAGE_FRAME_TOKENS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_bounds_are_named() {
        assert_eq!(TextConfig::default().validate(), Ok(()));
        assert_eq!(PairConfig::default().validate(), Ok(()));
        assert_eq!(InterleavedConfig::default().validate(), Ok(()));
        let pairs = |tokens, latents, share| PairConfig {
            sequence_tokens_max: tokens,
            latent_count: latents,
            caption_tokens_max: 128,
            fit: PairFit::Alone,
            validation_share: share,
        };
        assert!(pairs(68, 64, 0.0).validate().is_ok());
        assert!(
            pairs(67, 64, 0.0).validate().unwrap_err().contains("sequence_tokens_max is 67, must be from 68")
        );
        assert!(pairs(68, 0, 0.0).validate().unwrap_err().contains("latent_count"));
        assert!(pairs(68, 64, f64::NAN).validate().unwrap_err().contains("validation_share"));
        assert!(pairs(1 << 20, 64, 1.0).validate().is_ok());
        assert!(pairs((1 << 20) + 1, 64, 0.0).validate().is_err());
        assert!(pairs(u32::MAX, u32::MAX, 0.0).validate().unwrap_err().contains("latent_count"));
        assert!(pairs(68, 64, 1.01).validate().is_err() && pairs(68, 64, -0.01).validate().is_err());
        let text = |tokens, documents| TextConfig {
            sequence_tokens_max: tokens,
            shuffle_documents: documents,
            ..TextConfig::default()
        };
        assert!(text(2, 1).validate().is_ok());
        assert!(text(1, 1).validate().unwrap_err().contains("sequence_tokens_max is 1, must be from 2"));
        assert!(text(2, 0).validate().unwrap_err().contains("shuffle_documents"));
        let interleaved = |tokens, images_max| InterleavedConfig {
            sequence_tokens_max: tokens,
            latent_count: 64,
            images_max,
        };
        assert!(interleaved(68, 1).validate().is_ok());
        assert!(interleaved(67, 1).validate().unwrap_err().contains("sequence_tokens_max"));
        assert!(interleaved(68, 0).validate().unwrap_err().contains("images_max"));
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let text: TextConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(
            text,
            TextConfig { sequence_tokens_max: 2_048, shuffle_documents: 4_096, fit: TextFit::Next }
        );
        let pairs: PairConfig = serde_json::from_str("{}").unwrap();
        let expected = PairConfig {
            sequence_tokens_max: 2_048,
            latent_count: 64,
            caption_tokens_max: 128,
            fit: PairFit::Alone,
            validation_share: 0.001,
        };
        assert_eq!(pairs, expected);
        let interleaved: InterleavedConfig = serde_json::from_str("{}").unwrap();
        let expected = InterleavedConfig { sequence_tokens_max: 2_048, latent_count: 64, images_max: 5 };
        assert_eq!(interleaved, expected);
        assert!(serde_json::from_str::<TextConfig>(r#"{"latent_count": 1}"#).is_err());
        assert!(serde_json::from_str::<PairConfig>(r#"{"images_max": 1}"#).is_err());
        assert!(serde_json::from_str::<InterleavedConfig>(r#"{"validation_share": 1}"#).is_err());
    }
}
