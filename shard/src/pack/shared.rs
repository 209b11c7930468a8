//! Packs several pairs into one sequence, behind each other as they are alone.
//!
//! The network is to keep them apart: each attends to itself alone, from position 0. Nothing is padded but the end of
//! a sequence ("Efficient Sequence Packing without Cross-contamination", Krell et al., 2021).

use corpus::record::{Sequence, Span};

use crate::pack::bins::bins;

/// Joins sequences of one split, best fit first, into as few of at most `tokens_max` tokens; they come in the order of
/// their first ones.
pub fn shared(sequences: Vec<Sequence>, tokens_max: usize) -> Vec<Sequence> {
    let lengths: Vec<usize> = sequences.iter().map(|sequence| sequence.tokens.len()).collect();
    let mut sequences: Vec<Option<Sequence>> = sequences.into_iter().map(Some).collect();
    let mut take = |place: usize| sequences.get_mut(place).and_then(Option::take);
    let joined = |places: Vec<usize>| places.into_iter().filter_map(&mut take).reduce(join);
    bins(&lengths, tokens_max).into_iter().filter_map(joined).collect()
}

/// Appends a sequence to another one.
fn join(mut first: Sequence, next: Sequence) -> Sequence {
    let offset = first.tokens.len() as u32;
    first.tokens.extend(next.tokens);
    // The last token of each predicts nothing: what follows it is another sequence.
    first.loss_mask.extend(next.loss_mask);
    first.image_starts.extend(next.image_starts.iter().map(|start| offset + start));
    first.payloads.extend(next.payloads);
    let moved = |span: Span| Span { start: offset + span.start, end: offset + span.end, ..span };
    first.spans.extend(next.spans.into_iter().map(moved));
    first
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use corpus::{Id, Split};
    use proptest::prelude::*;

    use super::*;
    use crate::pack::{Frame, pair};
    use crate::tokenizer::Vocabulary;

    fn alone(id: u64, caption_tokens: u32) -> Sequence {
        let frame = Frame { vocabulary: Vocabulary::new(100), tokens_max: 40, latent_count: 2 };
        let caption: Vec<u32> = (50..50 + caption_tokens).collect();
        let payload = Bytes::copy_from_slice(&id.to_le_bytes());
        pair(frame, Id::from_bits(id), &caption, payload, Split::Train)
    }

    /// Cuts a sequence at its spans.
    fn parts(sequence: &Sequence) -> Vec<Sequence> {
        let part = |(index, span): (usize, &Span)| {
            let range = span.start as usize..span.end as usize;
            Sequence {
                tokens: sequence.tokens[range.clone()].to_vec(),
                loss_mask: sequence.loss_mask[range].to_vec(),
                image_starts: vec![sequence.image_starts[index] - span.start],
                payloads: vec![sequence.payloads[index].clone()],
                spans: vec![Span { start: 0, end: span.end - span.start, ..*span }],
                ..sequence.clone()
            }
        };
        sequence.spans.iter().enumerate().map(part).collect()
    }

    proptest! {
        #[test]
        fn every_pair_is_in_one_sequence_as_it_is_alone(lengths in prop::collection::vec(0_u32..33, 0..40)) {
            let all: Vec<Sequence> = (0..).zip(&lengths).map(|(id, length)| alone(id, *length)).collect();
            let rows = shared(all.clone(), 40);
            prop_assert!(rows.iter().all(|row| row.tokens.len() <= 40 && row.loss_mask.len() == row.tokens.len()));
            let mut found: Vec<Sequence> = rows.iter().flat_map(parts).collect();
            found.sort_by_key(|sequence| sequence.spans[0].id);
            prop_assert_eq!(found, all);
        }
    }

    #[test]
    fn what_follows_a_pair_is_no_target() {
        let rows = shared(vec![alone(1, 1), alone(2, 2)], 40);
        assert_eq!(rows.len(), 1);
        let targets = rows[0].tokens[1..].iter().zip(&rows[0].loss_mask);
        let scored: Vec<u32> = targets.filter_map(|(token, counts)| counts.then_some(*token)).collect();
        assert_eq!(scored, [50, 2, 50, 51, 2]);
    }
}
