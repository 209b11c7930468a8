//! Validation: the loss on sequences that were held out, kind by kind.

use std::collections::BTreeMap;

use corpus::record::{HELD_OUT, Sequence};
use corpus::{Dataset, Part};
use model::{Learner, Loss};
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
use crate::bucket::inputs;
use crate::layout::Layout;
use crate::loader::Shards;
use crate::micro_batch::MicroBatch;
use crate::permutation::Permutation;
use crate::sampler::Block;
use crate::source::rows_of;
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

/// Reads up to `rows_max` held-out sequences of a shard, in its order; if there are more, a sample spread over all of
/// them. Nothing else is read.
///
/// # Errors
/// When the manifest cannot be read; each row's own.
pub fn held_out(dataset: &Dataset, rows_max: u32) -> Result<impl Iterator<Item = corpus::Result<Sequence>>> {
    let parts: Vec<Part> = dataset.parts(HELD_OUT).collect::<corpus::Result<_>>()?;
    let runs = drawn(&parts, rows_max);
    Ok(runs.into_iter().flat_map(move |run| match rows_of(dataset, &parts[run.part], run) {
        Ok(rows) => Box::new(rows) as Box<dyn Iterator<Item = corpus::Result<Sequence>>>,
        Err(error) => Box::new(std::iter::once(Err(error))),
    }))
}

/// Returns the runs of rows that are read, in their order.
fn drawn(parts: &[Part], rows_max: u32) -> Vec<Block> {
    let total = parts.iter().map(|part| part.rows).sum();
    let order = Permutation::new(0, HELD_OUT.name(), &[], total);
    let mut places: Vec<u64> = (0..total.min(rows_max.into())).map(|place| order.at(place)).collect();
    places.sort_unstable();
    let (mut runs, mut before, mut places) = (Vec::<Block>::new(), 0, places.into_iter().peekable());
    for (index, part) in parts.iter().enumerate() {
        while let Some(place) = places.next_if(|place| *place < before + part.rows) {
            let row = place - before;
            match runs.last_mut() {
                Some(run) if run.part == index && run.row_start + run.row_count == row => run.row_count += 1,
                _ => runs.push(Block { part: index, row_start: row, row_count: 1 }),
            }
        }
        before += part.rows;
    }
    runs
}

/// Makes micro-batches of up to `rows_max` held-out sequences of a shard, in their order, one at a time.
pub fn batches<'a>(
    (kind, dataset): (Kind, &'a Dataset),
    rows_max: u32,
    pass: Amounts,
    layout: &'a Layout,
) -> Result<impl Iterator<Item = Result<MicroBatch>> + 'a> {
    let mut rows = held_out(dataset, rows_max)?.peekable();
    Ok(std::iter::from_fn(move || {
        let (mut batch, mut longest) = (Vec::new(), 0);
        let fits = |row: &corpus::Result<Sequence>, count: usize, longest: usize| match row {
            Ok(row) => pass.of(kind).holds(count + 1, longest.max(inputs(row))),
            Err(_) => true,
        };
        while let Some(row) = rows.next_if(|row| fits(row, batch.len(), longest)) {
            match row {
                Ok(row) => {
                    longest = longest.max(inputs(&row));
                    batch.push(row);
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
        (!batch.is_empty()).then(|| MicroBatch::collate(kind, &batch, layout))
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
    pub fn read(shards: &Shards, rows_max: u32, pass: Amounts, layout: &Layout) -> Result<Self> {
        let mut all = Vec::new();
        for (kind, dataset) in shards {
            for batch in batches((*kind, dataset), rows_max, pass, layout)? {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::Store;

    use super::*;
    use crate::testing::{held_out as validation, pair, shard};

    fn ids(dataset: &Dataset, rows_max: u32) -> Vec<u64> {
        let rows: corpus::Result<Vec<Sequence>> = held_out(dataset, rows_max).unwrap().collect();
        rows.unwrap().iter().map(|row| row.spans[0].id.to_bits()).collect()
    }

    #[test]
    fn held_out_rows_are_drawn_from_all_parts_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let part = |first: u64| {
            (first..first + 100).map(|id| match id % 2 {
                0 => validation(pair(id, &[40])),
                _ => pair(id, &[40]),
            })
        };
        let parts = [0, 100, 200].map(|first| part(first).collect());
        let dataset = shard(&Store::local(folder.path()).unwrap(), "pack.pairs", parts.into());
        let all: Vec<u64> = (0..300).filter(|id| id % 2 == 0).collect();
        assert_eq!(ids(&dataset, 150), all);
        assert_eq!(ids(&dataset, u32::MAX), all);
        let some = ids(&dataset, 30);
        assert_eq!(some.len(), 30);
        assert!(some.is_sorted_by(|one, next| one < next) && some.iter().all(|id| id % 2 == 0), "{some:?}");
        let of_part = |first: u64| some.iter().filter(|id| (first..first + 100).contains(id)).count();
        assert!([0, 100, 200].into_iter().all(|first| (4..=18).contains(&of_part(first))), "{some:?}");
        assert_eq!(ids(&dataset, 30), some);
        assert!(ids(&dataset, 0).is_empty());
    }
}
