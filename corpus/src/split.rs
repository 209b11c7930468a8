//! Train or validation, decided by hash before packing, so that no cluster spans both.

use serde::{Deserialize, Serialize};

use crate::random;

/// The part of the corpus a record is used in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Seen in training.
    Train,
    /// Held out.
    Validation,
}

impl Split {
    /// Assigns the split of a cluster of near-duplicates (a record alone is its own cluster).
    pub fn of_cluster(seed: u64, cluster: &[u8], validation_share: f64) -> Self {
        if random::uniform(seed, "split", cluster) < validation_share {
            Self::Validation
        } else {
            Self::Train
        }
    }

    /// Returns the name that tables hold.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
        }
    }

    /// Returns the split of a name that a table holds.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Train, Self::Validation].into_iter().find(|split| split.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cluster_has_one_split_and_the_share_is_met() {
        assert_eq!(Split::of_cluster(1, b"x", 0.0), Split::Train);
        assert_eq!(Split::of_cluster(1, b"x", 1.0), Split::Validation);
        let held_out = (0..10_000_u32)
            .filter(|i| Split::of_cluster(1, &i.to_le_bytes(), 0.1) == Split::Validation)
            .count();
        assert!((900..1_100).contains(&held_out), "{held_out}");
        assert_eq!(Split::parse("validation"), Some(Split::Validation));
    }
}
