//! KOSMOS-1's network as the other crates know it: CLIP vision tower, resampler, Magneto decoder, loss,
//! optimiser step and generation.
//!
//! Plain slices go in and plain numbers come out, so that no other crate names
//! a tensor. A training step reads:
//!
//! 1. [`Learner::accumulate`] for each micro-batch: forward and backward of the
//!    *summed* loss over the scored targets;
//! 2. [`Learner::step`] once, with the count of scored targets of the whole
//!    global batch: divide, clip, AdamW, zero.
//!
//! The frozen part of the vision tower can run ahead of training ([`Tower`]);
//! its features then take the place of pixels in a [`Payload`].
//!
//! What computes is a [`Backend`], which the process has been given or not: the executable `kosmos` has none and needs
//! no libtorch, `kosmos-torch` has that of the crate `torch`.
//!
//! The paper is "Language Is Not All You Need", arXiv 2302.14045; parameter
//! names are those of Hugging Face's `Kosmos2ForConditionalGeneration`.

mod backend;
mod batch;
mod config;
mod count;
mod error;
mod learner;
mod optimizer;
mod settings;
mod tower_weights;
pub mod weights;
mod weights_source;

pub use backend::{Backend, Tower, backend, provide};
pub use batch::{Batch, GenerateConfig, Loss, PIXEL_CHANNELS, Payload, Prompt, Tap};
pub use config::{
    Config, DecoderConfig, Initialisation, PADDING_ID, Position, ResamplerConfig, ResamplerInitialisation,
    TowerConfig, Trainable,
};
pub use count::ParameterCounts;
pub use error::{Error, Result};
pub use learner::Learner;
pub use optimizer::{OptimizerConfig, Step};
pub use settings::{Device, Precision, Settings};
pub use tower_weights::{Array, TowerWeights};
pub use weights_source::WeightsSource;
