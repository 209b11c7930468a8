//! How duplicates of images are found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{MEMORY_MB_DEFAULT, MEMORY_MB_MIN};
use crate::image_hashes::DISTANCE_MAX;

/// `[image_duplicates]`: detection of duplicate images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageDuplicatesConfig {
    /// Maximum number of bits in which the perceptual hashes of duplicates may differ. If absent, only images
    /// with equal bytes are duplicates.
    pub hamming_max: Option<u32>,
    /// Memory in MiB for this step, shared by the parallel tasks of a process; each gets at least 1 MiB. Does
    /// not affect the result. What does not fit is written to disk.
    pub memory_mb: u32,
    /// Image files of evaluation sets, or folders of them, by name. Images that look like one of these are
    /// dropped, as in COYO-700M (ImageNet and COCO).
    pub evaluation: BTreeMap<String, PathBuf>,
}

impl Default for ImageDuplicatesConfig {
    fn default() -> Self {
        Self { hamming_max: Some(4), memory_mb: MEMORY_MB_DEFAULT, evaluation: BTreeMap::new() }
    }
}

impl ImageDuplicatesConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// With the key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), String> {
        if let Some(hamming_max) = self.hamming_max.filter(|bits| *bits > DISTANCE_MAX) {
            return Err(format!("hamming_max is {hamming_max}, must be {DISTANCE_MAX} at most"));
        }
        if self.memory_mb < MEMORY_MB_MIN {
            return Err(format!("memory_mb is {}, must be at least {MEMORY_MB_MIN}", self.memory_mb));
        }
        Ok(())
    }
}
