//! How elongated an image is, by the sizes that its source states.

use corpus::record::Pair;
use serde::{Deserialize, Serialize};

use super::Finding;

/// Drops pairs whose image is too elongated; the reason is `aspect`. Pairs of unknown size pass, with the
/// value 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aspect {
    /// Maximum ratio of the longer side to the shorter one.
    pub ratio_max: f64,
}

impl Aspect {
    /// Compares the ratio of the sides.
    pub fn judge(&self, pair: &Pair) -> Finding<'static> {
        let ratio = pair.width.zip(pair.height).map_or(0.0, |(width, height)| {
            f64::from(width.max(height)) / f64::from(width.min(height).max(1))
        });
        Finding::new("aspect", ratio, ratio <= self.ratio_max)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        match self.ratio_max >= 1.0 {
            true => Ok(()),
            false => Err(format!("aspect.ratio_max is {}, must be 1 or more", self.ratio_max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::tests::pair;

    #[test]
    fn the_longer_side_counts_whichever_it_is() {
        let judge = |width, height| {
            Aspect { ratio_max: 3.0 }.judge(&Pair { width, height, ..pair("coyo", "a bird") }).passed
        };
        assert!(judge(Some(300), Some(100)));
        assert!(!judge(Some(100), Some(301)));
        assert!(judge(None, Some(1)));
        assert!(Aspect { ratio_max: 0.5 }.validate().is_err());
        assert!(Aspect { ratio_max: f64::NAN }.validate().is_err());
    }
}
