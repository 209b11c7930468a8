//! What training and evaluation leave behind.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Training, step by step.
pub const STEPS: Stream<TrainStep> = Stream::new("steps");
/// Captions that the model made.
pub const CAPTIONS: Stream<Generated> = Stream::new("captions");

record! {
    /// One optimiser step.
    pub struct TrainStep in "train_step/1" {
        /// The step, from 1.
        pub step: u64,
        /// The learning rate used.
        pub learning_rate: f64,
        /// Mean negative log-likelihood per loss token of text, in nats.
        pub text_loss: f64,
        /// The same of pairs.
        pub pair_loss: f64,
        /// The same of interleaved documents.
        pub interleaved_loss: f64,
        /// Gradient norm before clipping.
        pub gradient_norm: f64,
        /// Loss tokens of the step.
        pub loss_tokens: u64,
    }
}

record! {
    /// A caption the model wrote for an image it had not seen.
    pub struct Generated in "generated/1" {
        /// The pair's id.
        pub id: Id,
        /// The pair's own caption.
        pub reference: String,
        /// The model's caption.
        pub caption: String,
    }
}
