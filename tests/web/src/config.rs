//! How large the sample web is, and its seed.

use serde::{Deserialize, Serialize};

/// Distinct drawn images that pairs use, when nothing is said.
pub const IMAGES_DEFAULT: u32 = 16_000;
/// Lines of the Pile's files, when nothing is said.
pub const DOCUMENTS_DEFAULT: u32 = 4_000;
/// Whole responses in the crawls, when nothing is said.
pub const PAGES_DEFAULT: u32 = 1_200;

/// Fewest of anything: below this some planted kind would have no member.
const COUNT_MIN: u32 = 100;
/// Most of anything: the metadata of a world lies in memory.
const COUNT_MAX: u32 = 1_000_000;

/// Seed and size of a world; the same values make the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seed of all random choices.
    pub seed: u64,
    /// Number of distinct images that pairs can fetch; failing URLs are added on top.
    pub images: u32,
    /// Lines in the Pile's three files, including planted and broken ones.
    pub documents: u32,
    /// Number of complete WARC records of type `response`; damaged ones are added on top.
    pub pages: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { seed: 1, images: IMAGES_DEFAULT, documents: DOCUMENTS_DEFAULT, pages: PAGES_DEFAULT }
    }
}

impl Config {
    /// Says whether every count lies in 100..=1,000,000, the range in which all
    /// planted kinds have members and the metadata fits in memory.
    ///
    /// # Errors
    /// Names the first field outside the range. [`crate::World::new`] takes any
    /// size; below the range it merely plants less.
    pub fn validate(&self) -> Result<(), String> {
        for (field, count) in [("images", self.images), ("documents", self.documents), ("pages", self.pages)]
        {
            if !(COUNT_MIN..=COUNT_MAX).contains(&count) {
                return Err(format!("{field} is {count}, must be {COUNT_MIN}..={COUNT_MAX}"));
            }
        }
        Ok(())
    }
}
