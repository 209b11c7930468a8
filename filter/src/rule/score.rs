//! A number that a source states of a pair: similarity, safety, watermark, aesthetics, sides.

use corpus::record::{Pair, PairNumber};
use serde::{Deserialize, Serialize};

use super::Finding;

/// Value of an unknown score in verdicts; scores are never negative but for similarity, of which -1 is the least.
pub const UNKNOWN: f64 = -1.0;

/// Drops pairs whose score, or any other number of [`PairNumber`], is out of bounds; the reason is its name. Bounds are kept.
///
/// What the sources state: LAION's `similarity` (of CLIP ViT-B/32), `punsafe` and `pwatermark`, COYO's
/// `clip_similarity_vitl14`, `nsfw_score_opennsfw2`, `watermark_score` and `aesthetic_score_laion_v2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The score.
    pub of: PairNumber,
    /// Minimum score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f32>,
    /// Maximum score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f32>,
    /// The sources that the rule applies to; all if empty.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Pass pairs whose score is unknown.
    #[serde(default = "unknown_passes_default")]
    pub unknown_passes: bool,
}

fn unknown_passes_default() -> bool {
    true
}

impl Score {
    /// Compares the score.
    pub fn judge(&self, pair: &Pair) -> Finding<'static> {
        let score = pair.number(self.of);
        let (min, max) = (self.min.map(f64::from), self.max.map(f64::from));
        let is_within = |score: f64| min.is_none_or(|min| score >= min) && max.is_none_or(|max| score <= max);
        let passed = score.map_or(self.unknown_passes, is_within);
        let applies = self.sources.is_empty() || self.sources.contains(&pair.source);
        Finding::new(self.of.name(), score.unwrap_or(UNKNOWN), passed || !applies)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        match (self.min, self.max) {
            (None, None) => Err("score has neither min nor max: everything would pass".to_owned()),
            (Some(min), Some(max)) if min > max => Err(format!("score.min is {min}, above max = {max}")),
            (min, max) if [min, max].into_iter().flatten().any(f32::is_nan) => {
                Err("score.min and max must be numbers".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::tests::pair;

    fn score(of: PairNumber, min: Option<f32>, max: Option<f32>) -> Score {
        Score { of, min, max, sources: Vec::new(), unknown_passes: true }
    }

    #[test]
    fn a_score_is_held_against_its_bounds_where_it_is_known() {
        let known = Pair { similarity: Some(0.3), nsfw: Some(0.5), ..pair("laion", "a bird") };
        let passes = |rule: &Score, pair: &Pair| rule.judge(pair).passed;
        assert!(passes(&score(PairNumber::Similarity, Some(0.3), None), &known));
        assert!(!passes(&score(PairNumber::Similarity, Some(0.31), None), &known));
        assert!(!passes(&score(PairNumber::Nsfw, None, Some(0.4)), &known));
        let unknown = score(PairNumber::Watermark, None, Some(0.5));
        assert_eq!(unknown.judge(&known), Finding::new("watermark", UNKNOWN, true));
        assert!(!passes(&Score { unknown_passes: false, ..unknown.clone() }, &known));
        let elsewhere = Score { unknown_passes: false, sources: vec!["coyo".into()], ..unknown };
        assert!(passes(&elsewhere, &known));
    }

    #[test]
    fn bounds_that_cannot_work_are_refused() {
        assert!(score(PairNumber::Nsfw, None, None).validate().is_err());
        assert!(score(PairNumber::Nsfw, Some(0.6), Some(0.5)).validate().is_err());
        assert!(score(PairNumber::Nsfw, Some(f32::NAN), None).validate().is_err());
        assert_eq!(score(PairNumber::Nsfw, None, Some(0.5)).validate(), Ok(()));
    }
}
