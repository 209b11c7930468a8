//! What every measurement is given beside the network.

use corpus::Cancel;
use shard::tokenizer::Tokenizer;

use crate::amounts::Amounts;
use crate::evaluate::EvaluateConfig;
use crate::layout::Layout;
use crate::loader::Shards;

/// Held-out data, and how much of it is measured.
pub(crate) struct HeldOut<'a> {
    /// The options.
    pub(crate) config: &'a EvaluateConfig,
    /// Sequences, by kind.
    pub(crate) shards: &'a Shards,
    /// How the shards hold images.
    pub(crate) layout: Layout,
    /// Sequences of one forward pass.
    pub(crate) micro_batch: Amounts,
    /// What the sequences were written with.
    pub(crate) tokenizer: &'a Tokenizer,
    /// A request to stop.
    pub(crate) cancel: &'a Cancel,
}
