//! KOSMOS-1's network: CLIP vision tower, resampler, Magneto decoder, loss,
//! optimiser step and generation, on libtorch.
//!
//! Plain slices go in and plain numbers come out, so that no other crate names
//! a tensor. A training step reads:
//!
//! 1. [`Model::accumulate`] for each micro-batch: forward and backward of the
//!    *summed* loss over the scored targets;
//! 2. [`Model::step`] once, with the count of scored targets of the whole
//!    global batch: divide, clip, AdamW, zero.
//!
//! The frozen part of the vision tower can run ahead of training ([`Tower`]);
//! its features then take the place of pixels in a [`Payload`].
//!
//! libtorch sits behind the cargo feature `torch`. Without it the crate has the
//! same items and every constructor returns [`Error::BuiltWithoutTorch`].
//!
//! The paper is "Language Is Not All You Need", arXiv 2302.14045; parameter
//! names are those of Hugging Face's `Kosmos2ForConditionalGeneration`.

mod backend;
mod batch;
#[cfg(any(feature = "torch", test))]
mod beam;
mod config;
mod count;
mod error;
mod optimizer;
mod settings;
#[cfg(feature = "torch")]
mod torch;
mod tower_weights;
mod weights;

pub use backend::{Model, Tower};
pub use batch::{Batch, GenerateConfig, Loss, PIXEL_CHANNELS, Payload, Prompt, Tap};
pub use config::{
    Config, DecoderConfig, Initialisation, PADDING_ID, Position, ResamplerConfig, ResamplerInitialisation,
    TowerConfig, Trainable,
};
pub use count::ParameterCounts;
pub use error::{Error, Result};
pub use optimizer::{OptimizerConfig, Step};
pub use settings::{Device, Precision, Settings};
pub use tower_weights::{Array, TowerWeights};
