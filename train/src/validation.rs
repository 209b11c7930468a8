//! Validation: the loss on sequences that were held out, kind by kind.

use std::collections::BTreeMap;

use corpus::record::{HELD_OUT, Sequence};
use corpus::{Dataset, Part};
use model::{Learner, Loss};
use serde::{Deserialize, Serialize};

use crate::images::ImageLayout;
use crate::loader::Shards;
use crate::micro_batch::MicroBatch;
use crate::permutation::Permutation;
use crate::rows::Rows;
use crate::{Kind, Result};

/// Mean negative log-likelihood per scored target in nats, by kind; null where it is not finite.
pub type MeanLosses = BTreeMap<Kind, Option<f64>>;

/// The losses of one validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationLoss {
    /// The step after which it was measured.
    pub step: u64,
    /// The losses of the kinds that have held-out sequences.
    pub losses: MeanLosses,
}

/// Reads up to `rows_max` held-out sequences of a shard: of more, some from all over it, in its order. Nothing else is
/// read.
pub fn held_out(dataset: &Dataset, rows_max: u32) -> Result<impl Iterator<Item = corpus::Result<Sequence>>> {
    let parts: Vec<Part> = dataset.parts(HELD_OUT).collect::<corpus::Result<_>>()?;
    let total = parts.iter().map(|part| part.rows).sum();
    let order = Permutation::new(0, HELD_OUT.name(), &[], total);
    let mut rows: Vec<u64> = (0..total.min(rows_max.into())).map(|place| order.at(place)).collect();
    rows.sort_unstable();
    let (mut parts, mut before, mut open) = (parts.into_iter().peekable(), 0, None);
    Ok(rows.into_iter().filter_map(move |row| {
        while let Some(part) = parts.next_if(|part| before + part.rows <= row) {
            (before, open) = (before + part.rows, None);
        }
        let part = parts.peek()?;
        let reader = match open.take() {
            Some((next, reader)) if next == row => Ok(reader),
            _ => dataset.open_at::<Sequence>(part, row - before),
        };
        reader
            .and_then(|mut reader| {
                let sequence = reader.next();
                open = Some((row + 1, reader));
                sequence.transpose()
            })
            .transpose()
    }))
}

/// Makes micro-batches of up to `rows_max` held-out sequences of a shard, one at a time.
pub fn batches<'a>(
    (kind, dataset): (Kind, &'a Dataset),
    rows_max: u32,
    micro_batch: Rows,
    layout: &'a ImageLayout,
) -> Result<impl Iterator<Item = Result<MicroBatch>> + 'a> {
    let mut rows = held_out(dataset, rows_max)?;
    let row_count = micro_batch.of(kind).max(1) as usize;
    Ok(std::iter::from_fn(move || {
        let rows: corpus::Result<Vec<Sequence>> = rows.by_ref().take(row_count).collect();
        match rows {
            Ok(rows) if rows.is_empty() => None,
            Ok(rows) => Some(MicroBatch::collate(kind, &rows, layout)),
            Err(error) => Some(Err(error.into())),
        }
    }))
}

/// The held-out micro-batches that training is validated on, in memory.
#[derive(Debug, Default)]
pub struct Validation(Vec<MicroBatch>);

impl Validation {
    /// Reads up to `rows_max` held-out sequences of every shard.
    ///
    /// # Errors
    /// When a part cannot be read, or a row cannot be what packing writes.
    pub fn read(shards: &Shards, rows_max: u32, micro_batch: Rows, layout: &ImageLayout) -> Result<Self> {
        let mut all = Vec::new();
        for (kind, dataset) in shards {
            for batch in batches((*kind, dataset), rows_max, micro_batch, layout)? {
                all.push(batch?);
            }
        }
        Ok(Self(all))
    }

    /// Returns the losses of the kinds that have held-out sequences.
    ///
    /// # Errors
    /// When the network fails.
    pub fn losses(&self, learner: &mut dyn Learner) -> Result<MeanLosses> {
        let mut losses: BTreeMap<Kind, Loss> = BTreeMap::new();
        for batch in &self.0 {
            *losses.entry(batch.kind).or_default() += learner.evaluate(&batch.as_batch())?;
        }
        Ok(losses.into_iter().map(|(kind, loss)| (kind, mean(loss))).collect())
    }
}

/// Returns the mean of a loss, if it is finite.
pub fn mean(loss: Loss) -> Option<f64> {
    let mean = loss.nll_sum / loss.token_count as f64;
    mean.is_finite().then_some(mean)
}
