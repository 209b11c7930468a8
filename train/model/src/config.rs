//! The network's sizes, KOSMOS-1's by default.
//!
//! "Paper" is arXiv 2302.14045, "torchscale" its authors' library (0.3.0), "unilm" the
//! released Kosmos-2 code, which was initialised from KOSMOS-1's weights.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, WeightsSource};

/// Id of the padding token in fairseq's layout; its embedding starts at zero.
pub const PADDING_ID: u32 = 1;

/// Largest width of any layer that a config may ask for.
const WIDTH_MAX: u32 = 1 << 16;
/// Largest number of layers that a config may ask for.
const LAYER_COUNT_MAX: u32 = 1 << 10;
/// Largest vocabulary that a config may ask for.
const VOCABULARY_SIZE_MAX: u32 = 1 << 22;
/// Longest sequence that a config may ask for, in tokens.
const SEQUENCE_TOKENS_MAX: u32 = 1 << 20;
/// Most image vectors per image that a config may ask for.
const LATENT_COUNT_MAX: u32 = 1 << 12;
/// Largest image side that a config may ask for, in pixels.
const IMAGE_SIDE_PIXELS_MAX: u32 = 1 << 12;
/// Ids `<s>`, `<pad>`, `</s>`, `<unk>`: the least that a vocabulary holds.
const VOCABULARY_SIZE_MIN: u32 = 4;

/// Sizes and options of the whole network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The language decoder.
    pub decoder: DecoderConfig,
    /// The connector from the vision tower to the decoder.
    pub resampler: ResamplerConfig,
    /// The vision tower.
    pub tower: TowerConfig,
}

/// The decoder: a Magneto (sub-LN) transformer, paper section 3.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecoderConfig {
    /// Rows of the embedding (paper table 17; unilm's dictionary).
    pub vocabulary_size: u32,
    /// Number of layers (paper 3.2).
    pub layer_count: u32,
    /// Width of the residual stream (paper 3.2).
    pub width: u32,
    /// Inner width of the feed-forward layers (paper 3.2).
    pub ffn_width: u32,
    /// Attention heads per layer (paper 3.2).
    pub head_count: u32,
    /// Maximum sequence length in tokens (paper table 17).
    pub sequence_tokens_max: u32,
    /// Dropout of embeddings and residual branches (paper 3.2).
    pub dropout: f64,
    /// Dropout of attention weights (unilm `unigptmodel_xl`).
    pub attention_dropout: f64,
    /// Position encoding (paper 2.2: xPos).
    pub position: Position,
    /// How the weights are initialised.
    pub initialisation: Initialisation,
    /// Recompute the activations of each layer in the backward pass instead of storing them. Trades speed for
    /// memory; does not affect the result.
    pub activation_checkpointing: bool,
}

/// How the decoder encodes positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Extrapolatable rotation of queries and keys: what the paper states (2.2).
    Xpos,
    /// Absolute sinusoids added to the embeddings: what the released code applies.
    Sinusoidal,
    /// Both.
    Both,
}

impl Position {
    /// Returns true if and only if queries and keys are rotated.
    pub fn rotates(self) -> bool {
        matches!(self, Self::Xpos | Self::Both)
    }

    /// Returns true if and only if sinusoids are added to the embeddings.
    pub fn adds_sinusoids(self) -> bool {
        matches!(self, Self::Sinusoidal | Self::Both)
    }
}

/// How the decoder's weights are initialised; embeddings are N(0, 1/width) in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Initialisation {
    /// What torchscale's code does: U(±1/sqrt(fan_in)) for weights and biases, and both
    /// times sqrt(ln(2 layers)) in the feed-forward, value and output projections.
    Torchscale,
    /// What the Magneto paper (arXiv 2210.06423) states: Xavier normal with gain
    /// sqrt(ln(2 layers)) in the same places and 1 elsewhere; biases 0.
    Magneto,
}

/// The resampler: one linear layer and one cross-attention from learned latent
/// queries (unilm `connector.py`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResamplerConfig {
    /// Image vectors per image (unilm `image_token_length`).
    pub latent_count: u32,
    /// Attention heads (unilm).
    pub head_count: u32,
    /// Dropout of attention weights (unilm).
    pub dropout: f64,
    /// How the weights are initialised.
    pub initialisation: ResamplerInitialisation,
}

/// How the resampler's weights are initialised; its attention is fairseq's in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResamplerInitialisation {
    /// unilm's: PyTorch's default for the linear layer, N(0, 1) latent queries.
    Paper,
    /// N(0, 1) and bias 0 for the linear layer, so that unit-norm features become
    /// unit-variance keys, and latent queries of standard deviation 0.1: small models
    /// learn to see much sooner.
    UnitNormal,
}

/// The vision tower: CLIP's ViT, L/14 at 224 pixels by default (paper 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TowerConfig {
    /// Side length of images in pixels.
    pub image_side_pixels: u32,
    /// Side length of patches in pixels; divides `image_side_pixels`.
    pub patch_side_pixels: u32,
    /// Width of the residual stream.
    pub width: u32,
    /// Number of layers.
    pub layer_count: u32,
    /// Attention heads per layer.
    pub head_count: u32,
    /// Inner width of the MLPs.
    pub mlp_width: u32,
    /// Which part is trained. The default is the last block ("freeze CLIP except its last layer", paper 3.2).
    pub trainable: Trainable,
    /// Standard deviation of randomly initialised position embeddings. The default is CLIP's; small models
    /// trained from scratch locate objects better with 0.2.
    pub position_std: f64,
    /// Where the weights come from; required by `[features]` and `[train]`. Fingerprints hold the file's digest, not its
    /// path.
    #[serde(skip_serializing)]
    pub weights: Option<WeightsSource>,
}

/// Which part of the vision tower is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trainable {
    /// Nothing.
    None,
    /// The last block, and the final LayerNorm with it (the paper says only "last layer").
    LastBlock,
    /// Everything (Kosmos-2).
    All,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            vocabulary_size: 64_007,
            layer_count: 24,
            width: 2048,
            ffn_width: 8192,
            head_count: 32,
            sequence_tokens_max: 2048,
            dropout: 0.1,
            attention_dropout: 0.1,
            position: Position::Xpos,
            initialisation: Initialisation::Torchscale,
            activation_checkpointing: false,
        }
    }
}

impl Default for ResamplerConfig {
    fn default() -> Self {
        Self {
            latent_count: 64,
            head_count: 32,
            dropout: 0.1,
            initialisation: ResamplerInitialisation::Paper,
        }
    }
}

impl Default for TowerConfig {
    fn default() -> Self {
        Self {
            image_side_pixels: 224,
            patch_side_pixels: 14,
            width: 1024,
            layer_count: 24,
            head_count: 16,
            mlp_width: 4096,
            trainable: Trainable::LastBlock,
            position_std: 0.02,
            weights: None,
        }
    }
}

impl Config {
    /// Checks every bound; the error names the key.
    pub fn validate(&self) -> Result<()> {
        self.decoder.validate()?;
        self.tower.validate()?;
        let resampler = &self.resampler;
        bounded("resampler.latent_count", resampler.latent_count, 1, LATENT_COUNT_MAX)?;
        divides("resampler.head_count", resampler.head_count, self.decoder.width, "decoder.width")?;
        probability("resampler.dropout", resampler.dropout)
    }

    /// Returns the tokens per image that the tower gives: one per patch, and the class token.
    pub fn tower_tokens(&self) -> u32 {
        self.tower.tokens()
    }
}

impl DecoderConfig {
    fn validate(&self) -> Result<()> {
        bounded("decoder.vocabulary_size", self.vocabulary_size, VOCABULARY_SIZE_MIN, VOCABULARY_SIZE_MAX)?;
        bounded("decoder.layer_count", self.layer_count, 1, LAYER_COUNT_MAX)?;
        // Below 4 the sinusoids' frequencies would divide by zero.
        bounded("decoder.width", self.width, 4, WIDTH_MAX)?;
        bounded("decoder.ffn_width", self.ffn_width, 1, WIDTH_MAX)?;
        bounded("decoder.sequence_tokens_max", self.sequence_tokens_max, 1, SEQUENCE_TOKENS_MAX)?;
        divides("decoder.head_count", self.head_count, self.width, "decoder.width")?;
        probability("decoder.dropout", self.dropout)?;
        probability("decoder.attention_dropout", self.attention_dropout)?;
        ensure("decoder.width", self.width.is_multiple_of(2), || "must be even".to_owned())?;
        let paired = (self.width / self.head_count).is_multiple_of(2);
        ensure("decoder.head_count", paired || !self.position.rotates(), || {
            "xpos needs an even width per head".to_owned()
        })
    }
}

impl TowerConfig {
    /// Checks every bound; the error names the key.
    pub fn validate(&self) -> Result<()> {
        bounded("tower.image_side_pixels", self.image_side_pixels, 1, IMAGE_SIDE_PIXELS_MAX)?;
        divides(
            "tower.patch_side_pixels",
            self.patch_side_pixels,
            self.image_side_pixels,
            "tower.image_side_pixels",
        )?;
        bounded("tower.width", self.width, 1, WIDTH_MAX)?;
        bounded("tower.layer_count", self.layer_count, 1, LAYER_COUNT_MAX)?;
        bounded("tower.mlp_width", self.mlp_width, 1, WIDTH_MAX)?;
        divides("tower.head_count", self.head_count, self.width, "tower.width")?;
        let std = self.position_std;
        ensure("tower.position_std", std.is_finite() && std >= 0.0, || {
            format!("must be finite and not negative, is {std}")
        })?;
        match self.weights.as_ref().and_then(WeightsSource::fault) {
            Some(reason) => Err(Error::Config { key: "tower.weights", reason }),
            None => Ok(()),
        }
    }

    /// Returns the tokens per image: one per patch, and the class token.
    pub fn tokens(&self) -> u32 {
        let side = self.image_side_pixels / self.patch_side_pixels.max(1);
        side.saturating_mul(side).saturating_add(1)
    }
}

fn ensure(key: &'static str, holds: bool, reason: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Config { key, reason: reason() }) }
}

fn bounded(key: &'static str, value: u32, min: u32, max: u32) -> Result<()> {
    ensure(key, (min..=max).contains(&value), || format!("is {value}, must be from {min} to {max}"))
}

fn divides(key: &'static str, divisor: u32, of: u32, of_key: &str) -> Result<()> {
    ensure(key, divisor > 0 && of.is_multiple_of(divisor), || {
        format!("must divide {of_key} ({of}), is {divisor}")
    })
}

fn probability(key: &'static str, value: f64) -> Result<()> {
    ensure(key, (0.0..1.0).contains(&value), || format!("must be at least 0 and below 1, is {value}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_has_257_tokens_an_image() {
        let config = Config::default();
        config.validate().unwrap();
        assert_eq!(config.tower_tokens(), 257);
    }

    #[test]
    fn an_error_names_the_key() {
        let mut config = Config::default();
        config.decoder.head_count = 30;
        let message = config.validate().unwrap_err().to_string();
        assert_eq!(message, "model.decoder.head_count must divide decoder.width (2048), is 30");
    }

    #[test]
    fn zero_sizes_and_certain_dropout_are_refused() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().is_err()
        };
        assert!(refused(|c| c.tower.patch_side_pixels = 0));
        assert!(refused(|c| c.tower.head_count = 0));
        assert!(refused(|c| c.resampler.head_count = 0));
        assert!(refused(|c| c.decoder.dropout = 1.0));
        assert!(refused(|c| c.tower.position_std = f64::NAN));
        assert!(refused(|c| c.decoder.head_count = 2048));
    }

    #[test]
    fn a_partial_section_takes_defaults_and_a_misspelt_key_is_refused() {
        let config: Config = toml::from_str("[decoder]\nwidth = 128\nposition = 'both'").unwrap();
        assert_eq!((config.decoder.width, config.decoder.layer_count), (128, 24));
        assert!(toml::from_str::<Config>("[decoder]\nwdith = 128").is_err());
    }
}
