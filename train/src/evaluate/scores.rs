//! Scores: how well captions agree with the pairs' own, and the losses.

use std::collections::BTreeMap;

use corpus::record::Generated;
use model::Loss;
use serde::{Deserialize, Serialize};

use crate::Kind;
use crate::evaluate::words::named;
use crate::validation::mean;

/// Everything that the evaluation measures; written as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Captions generated.
    pub captions: u64,
    /// Captions that are the pair's own, but for spaces at the ends.
    pub exact_matches: u64,
    /// `exact_matches / captions`; null without captions.
    pub exact_match_share: Option<f64>,
    /// Agreement on each group of words, by the group's name.
    pub words: BTreeMap<String, WordScore>,
    /// Loss on held-out sequences, by kind; kinds without any are left out.
    pub losses: BTreeMap<Kind, KindLoss>,
}

/// Agreement on one group of words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordScore {
    /// Pairs whose own caption names a word of the group.
    pub named: u64,
    /// Those of them whose generated caption names the same word.
    pub agreed: u64,
    /// `agreed / named`; null if none is named.
    pub share: Option<f64>,
}

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

impl Scores {
    /// Returns scores of nothing, with every group of words.
    pub(crate) fn new(groups: &BTreeMap<String, Vec<String>>) -> Self {
        let words = groups.keys().map(|name| (name.clone(), WordScore::default())).collect();
        Self { words, ..Self::default() }
    }

    /// Adds a caption.
    pub(crate) fn add_caption(&mut self, row: &Generated, groups: &BTreeMap<String, Vec<String>>) {
        self.captions += 1;
        self.exact_matches += u64::from(row.caption.trim() == row.reference.trim());
        self.exact_match_share = share(self.exact_matches, self.captions);
        for (name, group) in groups {
            if let Some(wanted) = named(group, &row.reference) {
                let score = self.words.entry(name.clone()).or_default();
                score.named += 1;
                score.agreed += u64::from(named(group, &row.caption) == Some(wanted));
                score.share = share(score.agreed, score.named);
            }
        }
    }

    /// Adds the loss of a kind.
    pub(crate) fn add_loss(&mut self, kind: Kind, sequences: u64, loss: Loss) {
        let nll_per_token = mean(loss);
        let loss = KindLoss { sequences, loss_tokens: loss.token_count, nll_per_token };
        self.losses.insert(kind, loss);
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use corpus::Id;

    use super::*;

    #[test]
    fn agreement_is_measured_only_where_the_reference_names_a_word() {
        let groups = BTreeMap::from([
            ("colour".to_owned(), ["red", "blue"].map(str::to_owned).to_vec()),
            ("count".to_owned(), ["two".to_owned()].to_vec()),
        ]);
        let mut scores = Scores::new(&groups);
        let captions = [
            ("a red circle", "a red circle "),
            ("a red circle", "a blue circle"),
            ("two squares", "two red squares"),
            ("a blue cross", "nothing"),
        ];
        for (reference, caption) in captions {
            let (reference, caption) = (reference.to_owned(), caption.to_owned());
            scores.add_caption(&Generated { id: Id::from_bits(0), reference, caption }, &groups);
        }
        assert_eq!(scores.exact_match_share, Some(0.25));
        let score = |named, agreed, share| WordScore { named, agreed, share };
        assert_eq!(scores.words["colour"], score(3, 1, Some(1.0 / 3.0)));
        assert_eq!(scores.words["count"], score(1, 1, Some(1.0)));
    }

    #[test]
    fn nothing_measured_has_no_share_and_keeps_its_group() {
        let groups = BTreeMap::from([("shape".to_owned(), vec!["circle".to_owned()])]);
        let mut scores = Scores::new(&groups);
        scores.add_loss(Kind::Text, 0, Loss::default());
        assert_eq!((scores.words["shape"].share, scores.exact_match_share), (None, None));
        assert_eq!(scores.losses[&Kind::Text].nll_per_token, None);
    }
}
