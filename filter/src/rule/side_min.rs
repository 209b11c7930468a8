//! The shorter side of an image, as its source states it.

use corpus::record::Pair;
use serde::{Deserialize, Serialize};

use super::Finding;

/// The shorter side at least, in pixels, by default: what the loader of KOSMOS-2's code asks of LAION-2B.
pub const SIDE_PIXELS_MIN_DEFAULT: u32 = 200;

/// Drops pairs whose image is stated to be small or of unknown size; the reason is `side_min`.
///
/// Follows `laion2b_loader.py` of microsoft/unilm: rows of LAION-2B are dropped where width or
/// height is below 200 or not a number; other sets are not filtered by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideMin {
    /// The sources that the rule applies to. Other pairs pass, but are measured.
    pub sources: Vec<String>,
    /// Minimum length of the shorter side, in pixels.
    #[serde(default = "side_pixels_min_default")]
    pub side_pixels_min: u32,
}

fn side_pixels_min_default() -> u32 {
    SIDE_PIXELS_MIN_DEFAULT
}

impl SideMin {
    /// Compares the shorter side, 0 where one is unknown.
    pub fn judge(&self, pair: &Pair) -> Finding<'static> {
        let side = pair.width.unwrap_or(0).min(pair.height.unwrap_or(0));
        let passed = side >= self.side_pixels_min || !self.sources.contains(&pair.source);
        Finding::new("side_min", f64::from(side), passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::tests::pair;

    #[test]
    fn both_sides_have_to_be_known_and_large_enough() {
        let rule = SideMin { sources: vec!["laion2b".into()], side_pixels_min: 200 };
        let judge = |source: &str, width, height| {
            let finding = rule.judge(&Pair { width, height, ..pair(source, "a bird") });
            (finding.value, finding.passed)
        };
        assert_eq!(judge("laion2b", Some(200), Some(300)), (200.0, true));
        assert_eq!(judge("laion2b", Some(640), Some(199)), (199.0, false));
        assert_eq!(judge("laion2b", Some(640), None), (0.0, false));
        assert_eq!(judge("coyo", Some(640), Some(199)), (199.0, true));
        assert_eq!(judge("cc3m", None, None), (0.0, true));
    }
}
