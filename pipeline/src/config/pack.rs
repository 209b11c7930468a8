//! `[pack]`: what packing needs beyond the model's own sizes.

use serde::Deserialize;
use shard::pack::{InterleavedConfig, PairConfig, TextConfig};

use super::Config;

/// How sequences are packed. Their length and the slots of an image are the model's
/// (`model.decoder.sequence_tokens_max`, `model.resampler.latent_count`).
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pack {
    /// Number of documents that are shuffled and packed together, separately from all others.
    pub shuffle_documents: u32,
    /// Maximum tokens of a pair's caption; longer ones are cut, and counted (`captions_cut`). Ours: the paper states no
    /// bound, and one caption of 2,048 tokens would pad all others of its batch to its length.
    pub caption_tokens_max: u32,
    /// Share of the pairs' images held out, with all their captions.
    pub validation_share: f64,
}

impl Default for Pack {
    fn default() -> Self {
        Self {
            shuffle_documents: TextConfig::default().shuffle_documents,
            caption_tokens_max: PairConfig::default().caption_tokens_max,
            validation_share: PairConfig::default().validation_share,
        }
    }
}

impl Pack {
    /// Returns how text is packed.
    pub fn text(&self, config: &Config) -> TextConfig {
        TextConfig {
            sequence_tokens_max: config.model.decoder.sequence_tokens_max,
            shuffle_documents: self.shuffle_documents,
        }
    }

    /// Returns how pairs are packed.
    pub fn pairs(&self, config: &Config) -> PairConfig {
        PairConfig {
            sequence_tokens_max: config.model.decoder.sequence_tokens_max,
            latent_count: config.model.resampler.latent_count,
            caption_tokens_max: self.caption_tokens_max,
            validation_share: self.validation_share,
        }
    }

    /// Returns how interleaved documents are packed; their images were chosen when they were built.
    pub fn interleaved(&self, config: &Config) -> InterleavedConfig {
        let build = config.interleaved.as_ref().map(|interleaved| &interleaved.build);
        InterleavedConfig {
            sequence_tokens_max: config.model.decoder.sequence_tokens_max,
            latent_count: config.model.resampler.latent_count,
            images_max: build.map_or(InterleavedConfig::default().images_max, |build| build.images_max),
        }
    }

    /// Checks that the model's sizes leave room for an image and its text.
    pub fn validate(&self, config: &Config) -> Result<(), String> {
        self.text(config).validate()?;
        self.pairs(config).validate()?;
        self.interleaved(config).validate()
    }
}
