//! Captions of held-out pairs: generated, written, and compared with the pairs' own.

use std::collections::BTreeMap;

use corpus::Output;
use corpus::record::{CAPTIONS, Generated, Sequence};
use model::{Learner, Prompt};
use serde::{Deserialize, Serialize};
use shard::tokenizer::TokenizerError;

use crate::evaluate::held_out::HeldOut;
use crate::evaluate::prompt::CaptionPrompt;
use crate::evaluate::words::named;
use crate::validation::held_out;
use crate::{Error, Kind, Result};

/// The unit in which pairs are counted.
const UNIT: &str = CAPTIONS.name();

/// How well captions agree with the pairs' own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaptionScores {
    /// Captions generated.
    pub captions: u64,
    /// Captions that are the pair's own, but for spaces at the ends.
    pub exact_matches: u64,
    /// `exact_matches / captions`; null without captions.
    pub exact_match_share: Option<f64>,
    /// Agreement on each group of words, by the group's name.
    pub words: BTreeMap<String, WordScore>,
}

/// Agreement on one group of words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WordScore {
    /// Pairs whose own caption names a word of the group.
    pub named: u64,
    /// Those of them whose generated caption names the same word.
    pub agreed: u64,
    /// `agreed / named`; null if none is named.
    pub share: Option<f64>,
}

/// Captions the images of held-out pairs, if there are any.
///
/// # Errors
/// When a row cannot be what packing writes, or the network fails.
pub(crate) fn measure(
    data: &HeldOut<'_>,
    learner: &mut dyn Learner,
    out: &mut Output<'_>,
) -> Result<CaptionScores> {
    let mut captions = Captions { out, scores: CaptionScores::new(&data.config.words), index: 0 };
    let Some(pairs) = data.shards.get(&Kind::Pairs) else { return Ok(captions.scores) };
    let mut rows = held_out(pairs, data.config.pairs_max)?;
    let mut words = Vec::new();
    let failed = |error: TokenizerError| Error::Tokenizer { reason: error.to_string() };
    data.tokenizer.encoder().tokens(&data.config.prompt, &mut words).map_err(failed)?;
    let at_once = data.config.generate.rows_max.max(1) as usize;
    loop {
        data.cancel.check()?;
        let rows: Vec<Sequence> = rows.by_ref().take(at_once).collect::<corpus::Result<_>>()?;
        if rows.is_empty() {
            return Ok(captions.scores);
        }
        let asked: Vec<CaptionPrompt> =
            rows.iter().map(|row| CaptionPrompt::new(row, &data.layout, &words)).collect::<Result<_>>()?;
        let prompts: Vec<Prompt<'_>> = asked.iter().map(CaptionPrompt::prompt).collect();
        let answers = learner.generate(&prompts, &data.config.generate)?;
        for (asked, answer) in asked.iter().zip(&answers) {
            let text = |tokens: &[u32]| data.tokenizer.text(tokens).map_err(failed);
            let row = Generated { id: asked.id, reference: text(&asked.reference)?, caption: text(answer)? };
            captions.add(row, &data.config.words)?;
        }
    }
}

/// Where captions are counted, scored and written.
struct Captions<'o, 'a> {
    out: &'o mut Output<'a>,
    scores: CaptionScores,
    index: u64,
}

impl Captions<'_, '_> {
    fn add(&mut self, row: Generated, groups: &BTreeMap<String, Vec<String>>) -> Result<()> {
        self.scores.add(&row, groups);
        self.index += 1;
        // A rerun generates all captions again, but those in the ledger stay as they are.
        if self.index <= self.out.position() {
            return Ok(());
        }
        self.out.read(UNIT);
        self.out.write(CAPTIONS, row)?;
        self.out.keep(UNIT);
        Ok(self.out.advance(1)?)
    }
}

impl CaptionScores {
    /// Returns scores of nothing, with every group of words.
    fn new(groups: &BTreeMap<String, Vec<String>>) -> Self {
        let words = groups.keys().map(|name| (name.clone(), WordScore::default())).collect();
        Self { words, ..Self::default() }
    }

    fn add(&mut self, row: &Generated, groups: &BTreeMap<String, Vec<String>>) {
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
        let mut scores = CaptionScores::new(&groups);
        let captions = [
            ("a red circle", "a red circle "),
            ("a red circle", "a blue circle"),
            ("two squares", "two red squares"),
            ("a blue cross", "nothing"),
        ];
        for (reference, caption) in captions {
            let (reference, caption) = (reference.to_owned(), caption.to_owned());
            scores.add(&Generated { id: Id::from_bits(0), reference, caption }, &groups);
        }
        assert_eq!(scores.exact_match_share, Some(0.25));
        let score = |named, agreed, share| WordScore { named, agreed, share };
        assert_eq!(scores.words["colour"], score(3, 1, Some(1.0 / 3.0)));
        assert_eq!(scores.words["count"], score(1, 1, Some(1.0)));
    }

    #[test]
    fn nothing_measured_has_no_share_and_keeps_its_group() {
        let groups = BTreeMap::from([("shape".to_owned(), vec!["circle".to_owned()])]);
        let scores = CaptionScores::new(&groups);
        assert_eq!((scores.words["shape"].share, scores.exact_match_share), (None, None));
    }
}
