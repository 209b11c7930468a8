//! Kinds of training data, and what training leaves behind. A further kind is an entry of the table in this file.

use serde::{Deserialize, Serialize};

use crate::column::record;
use crate::stream::Stream;

/// Training, step by step.
pub const STEPS: Stream<TrainStep> = Stream::new("steps");

/// Declares the kinds, and the row of a step with a loss of each: its name, the key and the number of its sequences in
/// an optimiser step, and the column of its loss.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $name:literal, $key:literal, $step:literal, $loss:ident;)*) => {
        /// What a sequence was packed from.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds, in the order in which a step visits them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Returns the name used in logs and scores.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Returns the key of its sequences in `batch` and `micro_batch`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$kind => $key,)* }
            }

            /// Returns the same keys as a configuration's errors name them.
            pub const fn full_keys(self) -> [&'static str; 2] {
                match self { $(Self::$kind => [concat!("batch.", $key), concat!("micro_batch.", $key)],)* }
            }

            /// Returns the sequences of an optimiser step, where the settings do not say (paper table 18).
            pub const fn step_rows(self) -> u32 {
                match self { $(Self::$kind => $step,)* }
            }
        }

        record! {
            /// One optimiser step.
            pub struct TrainStep in "train_step/1" {
                /// The step, from 1.
                pub step: u64,
                /// The learning rate used.
                pub learning_rate: f64,
                $(
                    /// Mean negative log-likelihood per loss token of this kind, in nats; NaN if there are none.
                    pub $loss: f64,
                )*
                /// Gradient norm before clipping.
                pub gradient_norm: f64,
                /// Number of loss tokens in the step.
                pub loss_tokens: u64,
            }
        }

        impl TrainStep {
            /// Returns a step with the losses that the function gives.
            pub fn new(step: u64, learning_rate: f64, loss: impl Fn(Kind) -> f64) -> Self {
                Self {
                    step,
                    learning_rate,
                    $($loss: loss(Kind::$kind),)*
                    gradient_norm: 0.0,
                    loss_tokens: 0,
                }
            }

            /// Returns the loss of a kind.
            pub fn loss(&self, kind: Kind) -> f64 {
                match kind { $(Kind::$kind => self.$loss,)* }
            }
        }
    };
}

kinds! {
    /// Text alone, many documents to a sequence.
    Text: "text", "text_sequences", 256, text_loss;
    /// One image and its caption.
    Pairs: "pairs", "pairs", 6_144, pair_loss;
    /// A document of texts and images.
    Interleaved: "interleaved", "interleaved", 128, interleaved_loss;
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
