//! Generation: continues prompts token by token, greedily or with a beam.
//!
//! Shapes: b rows (prompts, then hypotheses), s sequence, d width, v vocabulary, c candidates.

use std::collections::BTreeMap;

use half::f16;
use tch::{Kind, Tensor};

use super::{
    Result,
    decoder::Caches,
    network::{Network, Pass, tokens},
};
use crate::beam::{Beam, Continuation, Search};
use model::{GenerateConfig, Payload, Prompt, Tap};

/// Continues each prompt; results are in the prompts' order.
pub(crate) fn generate(
    network: &Network,
    prompts: &[Prompt<'_>],
    limits: &GenerateConfig,
    pass: &Pass,
) -> Result<Vec<Vec<u32>>> {
    let mut results = vec![Vec::new(); prompts.len()];
    let rows_max = (limits.rows_max / limits.beam_count.max(1)).max(1) as usize;
    let mut alike: BTreeMap<(usize, BatchKey), Vec<usize>> = BTreeMap::new();
    for (index, prompt) in prompts.iter().enumerate() {
        alike.entry((prompt.input.len(), kinship(&prompt.payload))).or_default().push(index);
    }
    for indices in alike.values().flat_map(|indices| indices.chunks(rows_max)) {
        let rows: Vec<&Prompt<'_>> = indices.iter().filter_map(|&i| prompts.get(i)).collect();
        let continuations = pass.cast(|| continue_rows(network, &rows, limits, pass))?;
        for (&index, continuation) in indices.iter().zip(continuations) {
            if let Some(result) = results.get_mut(index) {
                *result = continuation;
            }
        }
    }
    Ok(results)
}

/// What prompts must share, besides their length, to be computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BatchKey {
    Text,
    Pixels,
    Features(Tap),
}

fn kinship(payload: &Payload<'_>) -> BatchKey {
    match payload {
        Payload::None => BatchKey::Text,
        Payload::Pixels(_) => BatchKey::Pixels,
        Payload::Features { tap, .. } => BatchKey::Features(*tap),
    }
}

/// Continues prompts of one length and payload kind.
fn continue_rows(
    network: &Network,
    prompts: &[&Prompt<'_>],
    limits: &GenerateConfig,
    pass: &Pass,
) -> Result<Vec<Vec<u32>>> {
    let search = Search {
        width: limits.beam_count as usize,
        end_token: limits.end_token,
        length_penalty: limits.length_penalty,
    };
    let mut beams: Vec<Beam> = prompts.iter().map(|_| Beam::new(search)).collect();
    let mut caches = network.decoder.caches();
    let mut logits_bv = read(network, prompts, &mut caches, pass)?;
    let sequence = prompts.first().map_or(0, |prompt| prompt.input.len()) as u32;
    let tokens_max = limits.tokens_max.min(network.decoder.sequence_tokens_max() - sequence);
    for added in 0..tokens_max {
        let best = candidates(&logits_bv, search.candidates())?;
        let rows = advance(&mut beams, best);
        // What the last token leads to is not asked for.
        if rows.is_empty() || added + 1 == tokens_max {
            break;
        }
        let parents: Vec<i64> = rows.iter().map(|row| row.parent as i64).collect();
        let next: Vec<u32> = rows.iter().map(|row| row.token).collect();
        let parents_b = Tensor::f_from_slice(&parents)?.f_to_device(pass.device)?;
        caches.layers.iter_mut().try_for_each(|cache| cache.select(&parents_b))?;
        let next_bs = tokens(&next, next.len(), pass)?;
        let hidden_bsd = network.decoder.forward(&next_bs, None, None, Some(&mut caches), pass)?;
        logits_bv = network.decoder.logits(&hidden_bsd.f_select(1, -1)?)?;
    }
    Ok(beams.into_iter().map(Beam::best).collect())
}

/// Reads the prompts into the caches, and returns the logits after their last token.
fn read(network: &Network, prompts: &[&Prompt<'_>], caches: &mut Caches, pass: &Pass) -> Result<Tensor> {
    let input: Vec<u32> = prompts.iter().flat_map(|prompt| prompt.input).copied().collect();
    let slots: Vec<bool> = prompts.iter().flat_map(|prompt| prompt.image_slots).copied().collect();
    let (mut pixels, mut features): (Vec<f32>, Vec<f16>) = Default::default();
    let mut taken = None;
    for prompt in prompts {
        match prompt.payload {
            Payload::None => {}
            Payload::Pixels(values) => pixels.extend(values),
            Payload::Features { tap, values } => {
                taken = Some(tap);
                features.extend(values);
            }
        }
    }
    let payload = match taken {
        Some(tap) => Payload::Features { tap, values: &features },
        None if pixels.is_empty() => Payload::None,
        None => Payload::Pixels(&pixels),
    };
    let tokens_bs = tokens(&input, prompts.len(), pass)?;
    let hidden_bsd = network.hidden(&tokens_bs, &slots, payload, None, Some(caches), pass)?;
    network.decoder.logits(&hidden_bsd.f_select(1, -1)?)
}

/// Returns each row's best next tokens with their log-probabilities.
fn candidates(logits_bv: &Tensor, count: usize) -> Result<Vec<Vec<(u32, f64)>>> {
    let (_, v) = logits_bv.size2()?;
    let count = (count as i64).min(v);
    let log_bv = logits_bv.f_to_kind(Kind::Float)?.f_log_softmax(-1, Kind::Float)?;
    let (log_bc, token_bc) = log_bv.f_topk(count, -1, true, true)?;
    let logs = Vec::<f64>::try_from(log_bc.f_to_kind(Kind::Double)?.f_flatten(0, -1)?)?;
    let ids = Vec::<i64>::try_from(token_bc.f_flatten(0, -1)?)?;
    let pairs: Vec<(u32, f64)> = ids.into_iter().map(|id| id as u32).zip(logs).collect();
    Ok(pairs.chunks(count as usize).map(<[_]>::to_vec).collect())
}

/// Advances every beam by its rows' candidates; returns the rows to compute next, with
/// parents counted over all rows.
fn advance(beams: &mut [Beam], best: Vec<Vec<(u32, f64)>>) -> Vec<Continuation> {
    let (mut rows, mut first) = (Vec::new(), 0);
    for beam in beams {
        let end = first + beam.row_count();
        let next = beam.advance(best.get(first..end).unwrap_or_default());
        rows.extend(next.into_iter().map(|c| Continuation { parent: first + c.parent, ..c }));
        first = end;
    }
    rows
}
