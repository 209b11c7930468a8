//! How duplicates of images are found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{MEMORY_MB_DEFAULT, MEMORY_MB_MIN};
use crate::image_hashes::DISTANCE_MAX;

/// `[image_duplicates]`: images that show nothing new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageDuplicatesConfig {
    /// Bits in which perceptual hashes may differ; without it only equal bytes are duplicates.
    pub hamming_max: Option<u32>,
    /// Memory in MiB of the whole process for this step, divided by the tasks that run at a time; each has 1 MiB or
    /// more. Changes no result. What does not fit goes to disk.
    pub memory_mb: u32,
    /// By name, files or folders of images of evaluation sets: what looks like one of them is dropped.
    /// COYO-700M did so with ImageNet's and COCO's.
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
