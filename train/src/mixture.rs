//! The mixture: from which source the next sequence is taken, by weight.
//!
//! Deterministic, without a random number: the source that is furthest behind its share comes next, so that shares hold
//! over every stretch and the state is one count per source. What is counted is tokens: sequences of one source may be
//! filled better than those of another, and weights are shares of tokens (paper table 20).

/// Weights of sources, and how many tokens were drawn from each.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    shares: Vec<f64>,
    tokens: Vec<u64>,
}

impl Mixture {
    /// Begins a mixture, or goes on where one with these counts of tokens stopped.
    ///
    /// Weights are at least 0 and need no certain sum; where that is 0, all count the same.
    /// A missing count is 0.
    pub fn new(weights: &[f64], tokens: &[u64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let equal = 1.0 / weights.len() as f64;
        let share = |weight: &f64| if sum > 0.0 { weight / sum } else { equal };
        Self {
            shares: weights.iter().map(share).collect(),
            tokens: (0..weights.len()).map(|source| tokens.get(source).copied().unwrap_or(0)).collect(),
        }
    }

    /// Returns the next source: the one with the largest deficit, of equal ones the first.
    ///
    /// Returns 0 where there are no sources.
    pub fn next(&self) -> usize {
        let next = self.tokens.iter().sum::<u64>() + 1;
        let deficit = |(share, tokens): (&f64, &u64)| share * next as f64 - *tokens as f64;
        let mut best: Option<(usize, f64)> = None;
        for (source, deficit) in self.shares.iter().zip(&self.tokens).map(deficit).enumerate() {
            let wanted = self.shares.get(source).is_some_and(|share| *share > 0.0);
            if wanted && best.is_none_or(|(_, most)| deficit > most) {
                best = Some((source, deficit));
            }
        }
        best.map_or(0, |(source, _)| source)
    }

    /// Counts tokens that were drawn from a source.
    pub fn drew(&mut self, source: usize, tokens: u64) {
        if let Some(count) = self.tokens.get_mut(source) {
            *count += tokens;
        }
    }

    /// Returns how many tokens were drawn from each source.
    pub fn tokens(&self) -> &[u64] {
        &self.tokens
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draw(mixture: &mut Mixture, tokens: u64) -> usize {
        let source = mixture.next();
        mixture.drew(source, tokens);
        source
    }

    #[test]
    fn sources_alternate_by_their_shares() {
        let mut mixture = Mixture::new(&[2.0, 1.0, 1.0], &[]);
        let order: Vec<usize> = (0..8).map(|_| draw(&mut mixture, 1)).collect();
        assert_eq!(order, [0, 1, 2, 0, 0, 1, 2, 0]);
    }

    #[test]
    fn a_source_of_weight_zero_is_never_drawn() {
        let mut mixture = Mixture::new(&[0.0, 3.0], &[]);
        assert!((0..10).all(|_| draw(&mut mixture, 7) == 1));
        let mut equal = Mixture::new(&[0.0, 0.0], &[]);
        assert_eq!([draw(&mut equal, 1), draw(&mut equal, 1)], [0, 1]);
    }

    #[test]
    fn a_source_of_short_sequences_is_drawn_more_often_for_the_same_share() {
        let mut mixture = Mixture::new(&[1.0, 1.0], &[]);
        let mut drawn = [0, 0];
        for _ in 0..1_000 {
            let source = mixture.next();
            mixture.drew(source, [2_048, 512][source]);
            drawn[source] += 1;
        }
        assert_eq!(drawn, [200, 800]);
    }

    #[test]
    fn the_weights_of_the_paper_hold_to_a_tenth_of_a_point() {
        let weights = [
            0.21857, 0.17692, 0.16205, 0.14714, 0.10677, 0.10130, 0.05393, 0.01138, 0.00987, 0.00971, 0.00235,
        ];
        let mut mixture = Mixture::new(&weights, &[]);
        for turn in 0..1_000_000_u64 {
            let source = mixture.next();
            mixture.drew(source, 1_000 + (turn.wrapping_mul(0x9e37_79b9) >> 7) % 1_049);
        }
        let (sum, total) = (weights.iter().sum::<f64>(), mixture.tokens().iter().sum::<u64>() as f64);
        for (weight, tokens) in weights.iter().zip(mixture.tokens()) {
            assert!((weight / sum - *tokens as f64 / total).abs() < 0.001);
        }
    }

    proptest! {
        #[test]
        fn every_stretch_from_the_start_keeps_the_shares(
            weights in prop::collection::vec(0.01..1.0_f64, 1..12), lengths in prop::collection::vec(1..2_048_u64, 1..500),
        ) {
            let mut mixture = Mixture::new(&weights, &[]);
            for length in &lengths {
                draw(&mut mixture, *length);
            }
            let (sum, total) = (weights.iter().sum::<f64>(), lengths.iter().sum::<u64>() as f64);
            let longest = lengths.iter().copied().max().unwrap_or(0) as f64;
            for (weight, tokens) in weights.iter().zip(mixture.tokens()) {
                let expected = weight / sum * total;
                let off = (*tokens as f64 - expected).abs();
                prop_assert!(off <= weights.len() as f64 * longest, "{tokens} drawn, {expected} expected");
            }
        }

        #[test]
        fn a_resumed_mixture_goes_on_as_if_it_had_not_stopped(
            weights in prop::collection::vec(0.01..1.0_f64, 1..6), before in 0..50_u64,
        ) {
            let mut mixture = Mixture::new(&weights, &[]);
            for turn in 0..before {
                draw(&mut mixture, 1 + turn % 7);
            }
            let mut resumed = Mixture::new(&weights, mixture.tokens());
            for _ in 0..20 {
                prop_assert_eq!(draw(&mut mixture, 3), draw(&mut resumed, 3));
            }
        }
    }
}
