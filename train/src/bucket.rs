//! Buckets: sequences of one pass, of about one length, so that little is padded.

use corpus::record::Sequence;

use crate::Amount;

/// Cuts sequences into passes of at most this amount. By tokens, the shortest come first: a pass is padded to the longest
/// of its own.
pub fn buckets(mut sequences: Vec<Sequence>, pass: Amount) -> Vec<Vec<Sequence>> {
    if let Amount::Tokens(_) = pass {
        sequences.sort_by_key(|sequence| sequence.tokens.len());
    }
    let mut passes: Vec<Vec<Sequence>> = Vec::new();
    let mut longest = 0;
    for sequence in sequences {
        let columns = inputs(&sequence);
        match passes.last_mut().filter(|last| pass.holds(last.len() + 1, longest.max(columns))) {
            Some(last) => {
                longest = longest.max(columns);
                last.push(sequence);
            }
            None => {
                longest = columns;
                passes.push(vec![sequence]);
            }
        }
    }
    passes
}

/// Returns the inputs of a sequence: its last token is a target alone.
pub fn inputs(sequence: &Sequence) -> usize {
    sequence.tokens.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::text;

    fn sequences(lengths: &[usize]) -> Vec<Sequence> {
        (0..).zip(lengths).map(|(id, length)| text(id, *length)).collect()
    }

    fn lengths(passes: &[Vec<Sequence>]) -> Vec<Vec<usize>> {
        passes.iter().map(|pass| pass.iter().map(|sequence| sequence.tokens.len()).collect()).collect()
    }

    #[test]
    fn by_tokens_lengths_come_together_and_by_sequences_the_order_stays() {
        let found = buckets(sequences(&[4, 11, 3, 11, 5]), Amount::tokens(20));
        assert_eq!(lengths(&found), [vec![3, 4, 5], vec![11, 11]]);
        let found = buckets(sequences(&[4, 11, 3, 11, 5]), Amount::Sequences(2));
        assert_eq!(lengths(&found), [vec![4, 11], vec![3, 11], vec![5]]);
        let found = buckets(sequences(&[30, 3]), Amount::tokens(1));
        assert_eq!(lengths(&found), [[3], [30]], "a sequence that is longer than a pass has one of its own");
    }

    proptest! {
        #[test]
        fn every_sequence_is_in_one_pass_and_no_pass_is_too_large(
            all in prop::collection::vec(2_usize..40, 0..60), tokens in 1_u64..200,
        ) {
            let found = buckets(sequences(&all), Amount::tokens(tokens));
            let mut ids: Vec<u64> = found.concat().iter().map(|sequence| sequence.spans[0].id.to_bits()).collect();
            ids.sort_unstable();
            prop_assert_eq!(ids, (0..all.len() as u64).collect::<Vec<_>>());
            for pass in &found {
                let longest = pass.iter().map(inputs).max().unwrap_or(0);
                prop_assert!(pass.len() == 1 || (pass.len() * longest) as u64 <= tokens);
            }
        }
    }
}
