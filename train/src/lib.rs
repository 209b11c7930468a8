//! Training shards -> weights, and what the weights are worth.
//!
//! ```text
//! config       Config       the [train] section
//! amounts      Amounts      sequences or tokens by kind: each step takes its share of each
//! permutation  Permutation  an order of 0 to n - 1, by key
//! sampler      Sampler      which rows come when: a pure function of seed, epoch and rank
//! source       Source       the rows of a source, read window by window in that order
//! mixture      Mixture      which source comes next, by weight
//! stream       Stream       the sequences of a kind, its sources mixed
//! layout       Layout       what a sequence is to the network: its images, and what documents see
//! micro_batch  MicroBatch   sequences padded side by side, with their images
//! bucket       buckets      the sequences of one pass, of about one length
//! loader       Loader       micro-batches made ahead by a thread
//! schedule     Schedule     the learning rate by step
//! progress     note         how far training is, in words
//! trainer      Trainer      the loop: accumulate, step, log, validate, checkpoint
//! checkpoint   Checkpoints  published whole or not at all; resuming continues bit by bit
//! drawn                     what was really drawn: shares of sets, tokens of a step
//! validation   Validation   loss on held-out sequences
//! stage        Train        the stage `train`
//! evaluate     Evaluate     the stage `evaluate`: captions of unseen images, and scores
//! ```
//!
//! The state of training is its step, the tokens seen and, for each source, three integers of
//! position and a count. What computes is a [`model::Learner`], so that all of this builds
//! and is tested without libtorch.

pub mod amounts;
pub mod bucket;
pub mod checkpoint;
pub mod config;
pub mod drawn;
pub mod error;
pub mod evaluate;
pub mod flow;
pub mod images;
pub mod layout;
pub mod loader;
pub mod micro_batch;
pub mod mixture;
pub mod permutation;
pub mod progress;
pub mod sampler;
pub mod schedule;
pub mod source;
pub mod stage;
pub mod stream;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
pub mod trainer;
pub mod validation;

pub use amounts::{Amount, Amounts};
pub use config::Config;
pub use corpus::record::Kind;
pub use error::{Error, Result};
pub use evaluate::{Evaluate, EvaluateConfig, SCORES};
pub use layout::{Layout, PayloadFormat};
pub use stage::Train;
