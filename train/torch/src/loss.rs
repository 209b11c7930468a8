//! The loss: summed negative log-likelihood of the scored targets.
//!
//! Shapes: b rows, s sequence, d width, n scored positions, v vocabulary.

use tch::{Kind, Reduction, Tensor};

use super::{Result, decoder::Decoder};
use model::{Batch, Loss};

/// Returns the loss as a scalar to differentiate and as a number.
///
/// Only scored positions meet the vocabulary; logits are float32 from there on.
pub(crate) fn loss(decoder: &Decoder, hidden_bsd: &Tensor, batch: &Batch<'_>) -> Result<(Tensor, Loss)> {
    let (b, s, d) = hidden_bsd.size3()?;
    let scored = batch.loss_mask.iter().zip(batch.target).enumerate().filter(|(_, (mask, _))| **mask);
    let (positions, targets): (Vec<i64>, Vec<i64>) =
        scored.map(|(index, (_, &target))| (index as i64, i64::from(target))).unzip();
    let device = hidden_bsd.device();
    let positions_n = Tensor::f_from_slice(&positions)?.f_to_device(device)?;
    let targets_n = Tensor::f_from_slice(&targets)?.f_to_device(device)?;
    let hidden_nd = hidden_bsd.f_reshape([b * s, d])?.f_index_select(0, &positions_n)?;
    let logits_nv = decoder.logits(&hidden_nd)?.f_to_kind(Kind::Float)?;
    let none = None::<&Tensor>;
    let nll_n = logits_nv.f_cross_entropy_loss(&targets_n, none, Reduction::None, -1, 0.0)?;
    let nll_sum = nll_n.f_sum(Kind::Double)?;
    let loss = Loss { nll_sum: nll_sum.f_double_value(&[])?, token_count: positions.len() as u64 };
    Ok((nll_sum, loss))
}
