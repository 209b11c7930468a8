//! Parameter counts, from the config alone.

use crate::{Config, DecoderConfig, TowerConfig, Trainable, batch::PIXEL_CHANNELS};

/// How many parameters each part of the network has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterCounts {
    /// The decoder with its embedding (tied to the output).
    pub decoder: u64,
    /// The resampler.
    pub resampler: u64,
    /// The vision tower, without CLIP's projection.
    pub tower: u64,
    /// All of them.
    pub total: u64,
    /// Those that are trained.
    pub trainable: u64,
}

impl Config {
    /// Returns the parameter counts; meaningful for a valid config.
    pub fn parameter_counts(&self) -> ParameterCounts {
        let width = u64::from(self.decoder.width);
        let decoder = decoder_count(&self.decoder);
        let resampler = u64::from(self.resampler.latent_count) * width
            + linear(u64::from(self.tower.width), width)
            + 4 * linear(width, width);
        let tower = tower_count(&self.tower);
        let trainable = decoder
            + resampler
            + match self.tower.trainable {
                Trainable::None => 0,
                Trainable::LastBlock => tower_block(&self.tower) + norm(self.tower.width.into()),
                Trainable::All => tower,
            };
        ParameterCounts { decoder, resampler, tower, total: decoder + resampler + tower, trainable }
    }
}

fn decoder_count(config: &DecoderConfig) -> u64 {
    let [width, ffn] = [config.width, config.ffn_width].map(u64::from);
    let attention = 4 * linear(width, width) + 2 * norm(width);
    let feed_forward = linear(width, ffn) + linear(ffn, width) + norm(width) + norm(ffn);
    u64::from(config.vocabulary_size) * width
        + u64::from(config.layer_count) * (attention + feed_forward)
        + norm(width)
}

fn tower_block(config: &TowerConfig) -> u64 {
    let [width, mlp] = [config.width, config.mlp_width].map(u64::from);
    4 * linear(width, width) + linear(width, mlp) + linear(mlp, width) + 2 * norm(width)
}

fn tower_count(config: &TowerConfig) -> u64 {
    let [width, patch] = [config.width, config.patch_side_pixels].map(u64::from);
    let class_token = width;
    let patches = PIXEL_CHANNELS as u64 * patch * patch * width;
    let positions = u64::from(config.tokens()) * width;
    class_token + patches + positions + 2 * norm(width) + u64::from(config.layer_count) * tower_block(config)
}

fn linear(inputs: u64, outputs: u64) -> u64 {
    inputs * outputs + outputs
}

fn norm(width: u64) -> u64 {
    2 * width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_kosmos_1s_counts() {
        let last_block = 12_596_224;
        let final_norm = 2_048;
        assert_eq!(
            Config::default().parameter_counts(),
            ParameterCounts {
                decoder: 1_340_180_480,
                resampler: 19_015_680,
                tower: 303_179_776,
                total: 1_662_375_936,
                trainable: 1_340_180_480 + 19_015_680 + last_block + final_norm,
            }
        );
    }

    #[test]
    fn a_frozen_tower_trains_the_rest_and_a_free_one_trains_all() {
        let mut config = Config::default();
        config.tower.trainable = Trainable::None;
        assert_eq!(config.parameter_counts().trainable, 1_359_196_160);
        config.tower.trainable = Trainable::All;
        let counts = config.parameter_counts();
        assert_eq!(counts.trainable, counts.total);
    }
}
