//! What goes into the network and what comes out, as plain slices and numbers.

use half::f16;
use serde::{Deserialize, Serialize};

use crate::{Config, Error, Result, TowerConfig, Trainable};

/// Red, green, blue.
pub const PIXEL_CHANNELS: usize = 3;
/// Most hypotheses that a beam search may keep.
const BEAM_COUNT_MAX: u32 = 5;

/// The place in the vision tower from which features were taken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tap {
    /// All tokens before the last block, so that the last block can still be trained.
    BeforeLastBlock,
    /// All tokens after the final LayerNorm; nothing of the tower can be trained.
    AfterLayerNorm,
    /// The class token after the final LayerNorm: CLIP's pooled output.
    Pooled,
}

impl Tap {
    /// Returns the tokens per image at this tap.
    pub fn tokens(self, tower: &TowerConfig) -> u32 {
        match self {
            Self::BeforeLastBlock | Self::AfterLayerNorm => tower.tokens(),
            Self::Pooled => 1,
        }
    }
}

/// The images of a batch or prompt, in reading order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payload<'a> {
    /// No images.
    None,
    /// Normalised pixels, `[image, channel, row, column]`.
    Pixels(&'a [f32]),
    /// Features of the vision tower, `[image, token, width]`.
    Features {
        /// Where they were taken.
        tap: Tap,
        /// The features.
        values: &'a [f16],
    },
}

/// A micro-batch. Every slice but the payload is row-major `[row, column]`; rows are padded on
/// the right, with padding neither scored nor an image slot.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Sequences.
    pub row_count: usize,
    /// Tokens of each sequence, padding included.
    pub column_count: usize,
    /// Token ids.
    pub input: &'a [u32],
    /// The token id that follows each input token.
    pub target: &'a [u32],
    /// True where the target is scored.
    pub loss_mask: &'a [bool],
    /// True where an image vector replaces the token; each image takes
    /// `latent_count` slots of one row.
    pub image_slots: &'a [bool],
    /// Where each token stands in its document, from 0. Each 0 begins a document, whose tokens attend to each
    /// other alone. Empty where every row is one document.
    pub positions: &'a [u32],
    /// The images.
    pub payload: Payload<'a>,
}

/// A summed loss.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loss {
    /// Negative log-likelihood of the scored targets, in nats.
    pub nll_sum: f64,
    /// Scored targets.
    pub token_count: u64,
}

impl std::ops::AddAssign for Loss {
    fn add_assign(&mut self, other: Self) {
        self.nll_sum += other.nll_sum;
        self.token_count += other.token_count;
    }
}

/// A beginning to be continued: one unpadded row.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// Token ids, at least one.
    pub input: &'a [u32],
    /// True where an image vector replaces the token.
    pub image_slots: &'a [bool],
    /// The images.
    pub payload: Payload<'a>,
}

/// How captions are generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GenerateConfig {
    /// Maximum number of tokens to generate per prompt.
    pub tokens_max: u32,
    /// Beams per prompt, 1 to 5; 1 is greedy (the paper uses 5 for captions).
    pub beam_count: u32,
    /// A beam's score is divided by its length to this power (1 in fairseq).
    pub length_penalty: f64,
    /// The token that ends a caption. The default is `</s>`.
    pub end_token: u32,
    /// Maximum number of rows (prompts times beams) per forward pass.
    pub rows_max: u32,
}

impl Default for GenerateConfig {
    fn default() -> Self {
        Self { tokens_max: 64, beam_count: 1, length_penalty: 1.0, end_token: 2, rows_max: 64 }
    }
}

impl GenerateConfig {
    /// Checks every bound; the error names the key.
    pub fn validate(&self) -> Result<()> {
        let ensure = |key, holds: bool, reason: String| {
            if holds { Ok(()) } else { Err(Error::Config { key, reason }) }
        };
        let beams = format!("is {}, must be from 1 to {BEAM_COUNT_MAX}", self.beam_count);
        ensure("generate.beam_count", (1..=BEAM_COUNT_MAX).contains(&self.beam_count), beams)?;
        let rows = "must be at least beam_count".to_owned();
        ensure("generate.rows_max", self.rows_max >= self.beam_count, rows)?;
        let penalty = "must be finite".to_owned();
        ensure("generate.length_penalty", self.length_penalty.is_finite(), penalty)
    }
}

impl Batch<'_> {
    /// Checks every length and id against the config, and returns the number of images.
    pub fn validate(&self, config: &Config) -> Result<usize> {
        let columns_max = config.decoder.sequence_tokens_max as usize;
        if self.row_count == 0 || self.column_count == 0 || self.column_count > columns_max {
            let (rows, columns) = (self.row_count, self.column_count);
            return Err(Error::input(
                "batch",
                format!("{rows} rows of {columns} tokens; rows hold 1 to {columns_max}"),
            ));
        }
        let len = self
            .row_count
            .checked_mul(self.column_count)
            .ok_or_else(|| Error::input("batch", "more tokens than memory"))?;
        length("batch input", self.input.len(), len)?;
        length("batch target", self.target.len(), len)?;
        length("batch loss mask", self.loss_mask.len(), len)?;
        length("batch image slots", self.image_slots.len(), len)?;
        ids("batch input", self.input, config)?;
        ids("batch target", self.target, config)?;
        if !self.positions.is_empty() {
            length("batch positions", self.positions.len(), len)?;
            self.positions.chunks_exact(self.column_count).try_for_each(positions)?;
        }
        let image_count = self.payload.image_count(config)?;
        let rows = self.image_slots.chunks_exact(self.column_count);
        slots("batch image slots", rows, image_count, config)?;
        Ok(image_count)
    }
}

impl Prompt<'_> {
    /// Checks every length and id against the config, and returns the number of images.
    pub fn validate(&self, config: &Config) -> Result<usize> {
        let tokens_max = config.decoder.sequence_tokens_max as usize;
        if self.input.is_empty() || self.input.len() > tokens_max {
            return Err(Error::input(
                "prompt",
                format!("{} tokens; a prompt holds 1 to {tokens_max}", self.input.len()),
            ));
        }
        length("prompt image slots", self.image_slots.len(), self.input.len())?;
        ids("prompt input", self.input, config)?;
        let image_count = self.payload.image_count(config)?;
        slots("prompt image slots", std::iter::once(self.image_slots), image_count, config)?;
        Ok(image_count)
    }
}

impl Payload<'_> {
    /// Returns the number of images, if the payload is whole images that the config allows.
    fn image_count(&self, config: &Config) -> Result<usize> {
        let tower = &config.tower;
        let (what, len, image_len) = match self {
            Self::None => return Ok(0),
            Self::Pixels(values) => ("pixel payload", values.len(), tower.image_len()),
            Self::Features { tap, values } => {
                tap_allowed(*tap, tower.trainable)?;
                let image_len = tap.tokens(tower) as usize * tower.width as usize;
                ("feature payload", values.len(), image_len)
            }
        };
        if len == 0 || !len.is_multiple_of(image_len) {
            return Err(Error::input(what, format!("{len} values; an image has {image_len}")));
        }
        Ok(len / image_len)
    }
}

impl TowerConfig {
    /// Returns the values of one image's pixels.
    pub fn image_len(&self) -> usize {
        PIXEL_CHANNELS * (self.image_side_pixels as usize).pow(2)
    }
}

/// Refuses features that would silently leave a trainable part of the tower untrained.
fn tap_allowed(tap: Tap, trainable: Trainable) -> Result<()> {
    match (tap, trainable) {
        (_, Trainable::None) | (Tap::BeforeLastBlock, Trainable::LastBlock) => Ok(()),
        (tap, trainable) => Err(Error::input(
            "feature payload",
            format!("features taken {tap:?} cannot train {trainable:?} of the tower"),
        )),
    }
}

fn length(what: &'static str, len: usize, expected: usize) -> Result<()> {
    if len == expected {
        return Ok(());
    }
    Err(Error::input(what, format!("{len} values, expected {expected}")))
}

fn ids(what: &'static str, ids: &[u32], config: &Config) -> Result<()> {
    let size = config.decoder.vocabulary_size;
    match ids.iter().find(|&&id| id >= size) {
        None => Ok(()),
        Some(id) => Err(Error::input(what, format!("token {id} of a vocabulary of {size}"))),
    }
}

/// Checks that a row's documents follow each other, each counted from 0.
fn positions(row: &[u32]) -> Result<()> {
    let follows = |pair: &[u32]| pair[1] == 0 || pair[0].checked_add(1) == Some(pair[1]);
    if row.first() == Some(&0) && row.windows(2).all(follows) {
        return Ok(());
    }
    Err(Error::input("batch positions", "a document counts its tokens from 0, one by one"))
}

fn slots<'a>(
    what: &'static str,
    rows: impl Iterator<Item = &'a [bool]>,
    image_count: usize,
    config: &Config,
) -> Result<()> {
    let latents = config.resampler.latent_count as usize;
    let mut images = 0;
    for (row_index, row) in rows.enumerate() {
        let slots = row.iter().filter(|&&slot| slot).count();
        if !slots.is_multiple_of(latents) {
            let reason = format!("row {row_index} has {slots}; an image takes {latents}");
            return Err(Error::input(what, reason));
        }
        images += slots / latents;
    }
    if images != image_count {
        let reason = format!("slots for {images} images, payload of {image_count}");
        return Err(Error::input(what, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
