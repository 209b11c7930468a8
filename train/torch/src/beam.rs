//! A beam: the hypotheses of one prompt while it is continued.
//!
//! Of the `2 * width` best continuations, an end among the first `width` finishes
//! its hypothesis, and the first `width` others stay alive. The search is over when
//! `width` have finished and no living one scores better than the worst of them, which
//! is Hugging Face's rule (fairseq stops at `width`, even at poor ones). Width 1 is greedy.

/// One continuation and the sum of its tokens' log-probabilities.
#[derive(Debug, Clone, PartialEq)]
struct Hypothesis {
    tokens: Vec<u32>,
    score: f64,
}

/// How a beam is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Search {
    pub(crate) width: usize,
    pub(crate) end_token: u32,
    pub(crate) length_penalty: f64,
}

impl Search {
    /// Returns how many of a row's best tokens a beam can make use of.
    pub(crate) fn candidates(&self) -> usize {
        2 * self.width
    }

    fn normalised(&self, score: f64, len: usize) -> f64 {
        score / (len as f64).powf(self.length_penalty)
    }
}

/// The hypotheses of one prompt.
#[derive(Debug)]
pub(crate) struct Beam {
    search: Search,
    alive: Vec<Hypothesis>,
    /// At most `width`, best first; scores are normalised by length.
    finished: Vec<Hypothesis>,
}

/// What the network must compute next: the hypothesis to go on from, and its new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Continuation {
    /// Index among the hypotheses that were alive before.
    pub(crate) parent: usize,
    /// The token added to it.
    pub(crate) token: u32,
}

impl Beam {
    pub(crate) fn new(search: Search) -> Self {
        let start = Hypothesis { tokens: Vec::new(), score: 0.0 };
        Self { search, alive: vec![start], finished: Vec::new() }
    }

    /// Returns how many rows of candidates the beam takes.
    pub(crate) fn row_count(&self) -> usize {
        self.alive.len()
    }

    /// Takes, for each hypothesis alive, its best next tokens with their log-probabilities;
    /// returns the hypotheses now alive, none when the search is over.
    pub(crate) fn advance(&mut self, best: &[Vec<(u32, f64)>]) -> Vec<Continuation> {
        let mut candidates: Vec<(f64, Continuation)> = Vec::new();
        for (parent, (hypothesis, best)) in self.alive.iter().zip(best).enumerate() {
            candidates.extend(best.iter().map(|&(token, log_probability)| {
                (hypothesis.score + log_probability, Continuation { parent, token })
            }));
        }
        // Ties go to the better parent and the smaller token.
        candidates
            .sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1.parent, a.1.token).cmp(&(b.1.parent, b.1.token))));
        candidates.truncate(self.search.candidates());
        let (mut alive, mut continuations) = (Vec::new(), Vec::new());
        for (rank, (score, continuation)) in candidates.into_iter().enumerate() {
            let Some(parent) = self.alive.get(continuation.parent) else { continue };
            if continuation.token == self.search.end_token {
                if rank < self.search.width {
                    let score = self.search.normalised(score, parent.tokens.len() + 1);
                    self.finished.push(Hypothesis { tokens: parent.tokens.clone(), score });
                }
            } else if alive.len() < self.search.width {
                let mut tokens = parent.tokens.clone();
                tokens.push(continuation.token);
                alive.push(Hypothesis { tokens, score });
                continuations.push(continuation);
            }
        }
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.finished.truncate(self.search.width);
        if self.is_over(&alive) {
            continuations.clear();
            alive.clear();
        }
        self.alive = alive;
        continuations
    }

    fn is_over(&self, alive: &[Hypothesis]) -> bool {
        let hopeful = |worst: &Hypothesis| {
            alive.iter().any(|h| self.search.normalised(h.score, h.tokens.len()) > worst.score)
        };
        self.finished.len() >= self.search.width && !self.finished.last().is_some_and(hopeful)
    }

    /// Returns the best continuation, without the end token; one cut off by the length limit
    /// only when none has finished.
    pub(crate) fn best(self) -> Vec<u32> {
        let search = self.search;
        let cut_off = self.alive.into_iter().map(|hypothesis| {
            let score = search.normalised(hypothesis.score, hypothesis.tokens.len().max(1));
            Hypothesis { score, ..hypothesis }
        });
        let pool: Vec<Hypothesis> = if self.finished.is_empty() { cut_off.collect() } else { self.finished };
        pool.into_iter()
            .reduce(|best, other| if other.score > best.score { other } else { best })
            .map_or_else(Vec::new, |hypothesis| hypothesis.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 2;

    fn search(width: usize) -> Search {
        Search { width, end_token: END, length_penalty: 1.0 }
    }

    #[test]
    fn width_one_takes_the_best_token_and_stops_at_the_end() {
        let mut beam = Beam::new(search(1));
        let next = beam.advance(&[vec![(7, -0.1), (END, -0.2)]]);
        assert_eq!(next, [Continuation { parent: 0, token: 7 }]);
        assert_eq!(beam.advance(&[vec![(END, -0.1), (8, -0.2)]]), []);
        assert_eq!(beam.best(), [7]);
    }

    #[test]
    fn a_wider_beam_finds_what_greedy_misses() {
        // Greedy takes 5 (p .6), after which everything is unlikely; 6 (p .4) leads on surely.
        let mut beam = Beam::new(search(2));
        let next = beam.advance(&[vec![(5, 0.6_f64.ln()), (6, 0.4_f64.ln())]]);
        assert_eq!((next.len(), beam.row_count()), (2, 2));
        let unlikely = vec![(8, 0.3_f64.ln()), (9, 0.3_f64.ln())];
        let certain = vec![(END, 0.99_f64.ln()), (8, 0.01_f64.ln())];
        beam.advance(&[unlikely.clone(), certain]);
        beam.advance(&[vec![(END, -3.0), (8, -3.0)], vec![(END, -3.0), (8, -3.0)]]);
        assert_eq!(beam.best(), [6]);
    }

    #[test]
    fn poor_early_ends_do_not_stop_a_better_hypothesis() {
        let mut beam = Beam::new(search(2));
        beam.advance(&[vec![(5, -0.1), (END, -2.0), (6, -9.0)]]);
        let next = beam.advance(&[vec![(7, -0.1), (END, -3.0)], vec![(END, -9.0), (8, -9.0)]]);
        assert_eq!(next[0], Continuation { parent: 0, token: 7 });
        assert_eq!(beam.advance(&[vec![(END, -0.1), (8, -9.0)], vec![(8, -9.0)]]), []);
        assert_eq!(beam.best(), [5, 7]);
    }

    #[test]
    fn a_search_that_was_cut_off_gives_its_best_hypothesis() {
        let mut beam = Beam::new(search(2));
        beam.advance(&[vec![(5, -1.0), (6, -0.5)]]);
        assert_eq!(beam.best(), [6]);
    }
}
