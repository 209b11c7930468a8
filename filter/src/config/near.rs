//! How near-duplicates are found.

use serde::{Deserialize, Serialize};

use super::{MEMORY_MB_DEFAULT, validate_sort};
use crate::near::{Scheme, Shape, Unit};

/// `[text.near]`: near-duplicates by MinHash and bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NearConfig {
    /// Bands, rows and shingles of a known pipeline; `bands`, `rows`, `unit` and `shingle` override them.
    pub preset: Preset,
    /// Bands per signature.
    pub bands: Option<u32>,
    /// Minima per band. Two texts are linked if all minima of a band are equal.
    pub rows: Option<u32>,
    /// What shingles consist of.
    pub unit: Option<Unit>,
    /// Words or characters per shingle.
    pub shingle: Option<u32>,
    /// How shingles are hashed.
    pub scheme: Scheme,
    /// Number of partitions of the key space, 1 to 4,096. Does not affect
    /// the result.
    pub partitions: u32,
    /// Memory in MiB for this step, shared by the parallel tasks of a process; each gets at least 1 MiB. Does
    /// not affect the result.
    pub memory_mb: u32,
    /// Two linked texts are duplicates from this exact Jaccard similarity of their shingles. If absent, all
    /// linked texts are.
    pub jaccard_min: Option<f64>,
    /// Approximate number of documents of which the run adds edited copies, to measure its own recall.
    pub selfcheck: u32,
}

/// Parameters of known pipelines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// FineWeb: 14 bands of 8 rows, five-word shingles. Finds half of the pairs with a Jaccard similarity of
    /// 0.72, and 99.3 % of those with 0.87.
    #[default]
    Fineweb,
    /// `tools/openwebtext` in Megatron-LM, the tool family of KOSMOS-1's text: 10 bands of 10 rows, shingles
    /// of five characters.
    Megatron,
}

/// Bands times rows at most.
const MINIMA_MAX: u32 = 4_096;
/// Words or characters of a shingle at most.
const SHINGLE_MAX: u32 = 64;

impl Default for NearConfig {
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            bands: None,
            rows: None,
            unit: None,
            shingle: None,
            scheme: Scheme::default(),
            partitions: 16,
            memory_mb: MEMORY_MB_DEFAULT,
            jaccard_min: None,
            selfcheck: 0,
        }
    }
}

impl NearConfig {
    /// Returns bands, rows and shingles.
    pub fn shape(&self) -> Shape {
        let (bands, rows, unit) = match self.preset {
            Preset::Fineweb => (14, 8, Unit::Words),
            Preset::Megatron => (10, 10, Unit::Characters),
        };
        Shape {
            bands: self.bands.unwrap_or(bands),
            rows: self.rows.unwrap_or(rows),
            unit: self.unit.unwrap_or(unit),
            shingle: self.shingle.unwrap_or(5),
        }
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        let Shape { bands, rows, unit, shingle } = self.shape();
        if bands == 0 || rows == 0 || bands.saturating_mul(rows) > MINIMA_MAX {
            return Err(format!(
                "near.bands is {bands} of {rows} rows each: together they must be from 1 to {MINIMA_MAX} rows"
            ));
        }
        if !(1..=SHINGLE_MAX).contains(&shingle) {
            return Err(format!("near.shingle is {shingle}, must be from 1 to {SHINGLE_MAX}"));
        }
        validate_sort(self.partitions, self.memory_mb).map_err(|error| format!("near.{error}"))?;
        if let Some(jaccard) = self.jaccard_min.filter(|least| !(0.0..=1.0).contains(least)) {
            return Err(format!("near.jaccard_min is {jaccard}, must be from 0 to 1"));
        }
        if self.scheme == Scheme::Datatrove && unit == Unit::Characters {
            return Err("near.scheme \"datatrove\" takes shingles of words alone".to_owned());
        }
        Ok(())
    }
}
