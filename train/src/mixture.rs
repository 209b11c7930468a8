//! The mixture: from which source the next sequence is taken, by weight.
//!
//! Deterministic, without a random number: the source that is furthest behind its share comes
//! next, so that shares hold over every stretch and the state is one count per source.

/// Weights of sources, and how often each was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    shares: Vec<f64>,
    drawn: Vec<u64>,
}

impl Mixture {
    /// Begins a mixture, or goes on where one with these counts stopped.
    ///
    /// Weights are at least 0 and need no certain sum; where that is 0, all count the same.
    /// A missing count is 0.
    pub fn new(weights: &[f64], drawn: &[u64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let equal = 1.0 / weights.len() as f64;
        let share = |weight: &f64| if sum > 0.0 { weight / sum } else { equal };
        Self {
            shares: weights.iter().map(share).collect(),
            drawn: (0..weights.len()).map(|source| drawn.get(source).copied().unwrap_or(0)).collect(),
        }
    }

    /// Draws the next source: the one with the largest deficit, of equal ones the first.
    ///
    /// Returns 0 where there are no sources.
    pub fn draw(&mut self) -> usize {
        let next = self.drawn.iter().sum::<u64>() + 1;
        let deficit = |(share, drawn): (&f64, &u64)| share * next as f64 - *drawn as f64;
        let mut best: Option<(usize, f64)> = None;
        for (source, deficit) in self.shares.iter().zip(&self.drawn).map(deficit).enumerate() {
            let wanted = self.shares.get(source).is_some_and(|share| *share > 0.0);
            if wanted && best.is_none_or(|(_, most)| deficit > most) {
                best = Some((source, deficit));
            }
        }
        let source = best.map_or(0, |(source, _)| source);
        if let Some(count) = self.drawn.get_mut(source) {
            *count += 1;
        }
        source
    }

    /// Returns how often each source was drawn.
    pub fn drawn(&self) -> &[u64] {
        &self.drawn
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sources_alternate_by_their_shares() {
        let mut mixture = Mixture::new(&[2.0, 1.0, 1.0], &[]);
        let order: Vec<usize> = (0..8).map(|_| mixture.draw()).collect();
        assert_eq!(order, [0, 1, 2, 0, 0, 1, 2, 0]);
    }

    #[test]
    fn a_source_of_weight_zero_is_never_drawn() {
        let mut mixture = Mixture::new(&[0.0, 3.0], &[]);
        assert!((0..10).all(|_| mixture.draw() == 1));
        let mut equal = Mixture::new(&[0.0, 0.0], &[]);
        assert_eq!([equal.draw(), equal.draw()], [0, 1]);
    }

    proptest! {
        #[test]
        fn every_stretch_from_the_start_keeps_the_shares(
            weights in prop::collection::vec(0.01..1.0_f64, 1..12), draws in 1..500_u64,
        ) {
            let mut mixture = Mixture::new(&weights, &[]);
            for _ in 0..draws {
                mixture.draw();
            }
            let sum: f64 = weights.iter().sum();
            for (weight, drawn) in weights.iter().zip(mixture.drawn()) {
                let expected = weight / sum * draws as f64;
                let off = (*drawn as f64 - expected).abs();
                prop_assert!(off < weights.len() as f64, "{drawn} drawn, {expected} expected");
            }
        }

        #[test]
        fn a_resumed_mixture_goes_on_as_if_it_had_not_stopped(
            weights in prop::collection::vec(0.01..1.0_f64, 1..6), before in 0..50_u32,
        ) {
            let mut mixture = Mixture::new(&weights, &[]);
            for _ in 0..before {
                mixture.draw();
            }
            let mut resumed = Mixture::new(&weights, mixture.drawn());
            for _ in 0..20 {
                prop_assert_eq!(mixture.draw(), resumed.draw());
            }
        }
    }
}
