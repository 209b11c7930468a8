//! Losses on held-out sequences, kind by kind.

use std::collections::BTreeMap;

use model::{Learner, Loss};
use serde::{Deserialize, Serialize};

use crate::evaluate::held_out::HeldOut;
use crate::validation::{batches, mean};
use crate::{Kind, Result};

/// Loss on the held-out sequences of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindLoss {
    /// Sequences measured.
    pub sequences: u64,
    /// Scored targets.
    pub loss_tokens: u64,
    /// Mean negative log-likelihood per scored target, in nats; null where not finite.
    pub nll_per_token: Option<f64>,
}

/// Measures the losses of the kinds that have held-out sequences.
///
/// # Errors
/// When a row cannot be what packing writes, or the network fails.
pub(crate) fn measure(data: &HeldOut<'_>, learner: &mut dyn Learner) -> Result<BTreeMap<Kind, KindLoss>> {
    let mut losses = BTreeMap::new();
    for (&kind, dataset) in data.shards {
        let (mut loss, mut sequences) = (Loss::default(), 0);
        for batch in batches((kind, dataset), data.config.sequences_max, data.micro_batch, &data.layout)? {
            let batch = batch?;
            loss += learner.evaluate(&batch.as_batch())?;
            sequences += batch.row_count as u64;
        }
        if sequences > 0 {
            let (loss_tokens, nll_per_token) = (loss.token_count, mean(loss));
            losses.insert(kind, KindLoss { sequences, loss_tokens, nll_per_token });
        }
    }
    Ok(losses)
}
