//! How duplicates of images are found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::looks::DISTANCE_MAX;

/// Memory at least, so that sorting is not all seeking.
const MEMORY_MB_MIN: u32 = 64;

/// `[image_duplicates]`: images that show nothing new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LooksConfig {
    /// Bits in which perceptual hashes may differ; without it only equal bytes are duplicates.
    pub hamming_max: Option<u32>,
    /// Memory in MiB for four tasks at a time; what does not fit goes to disk.
    pub memory_mb: u32,
    /// By name, files or folders of images of evaluation sets: what looks like one of them is dropped.
    /// COYO-700M did so with ImageNet's and COCO's.
    pub evaluation: BTreeMap<String, PathBuf>,
}

impl Default for LooksConfig {
    fn default() -> Self {
        Self { hamming_max: Some(4), memory_mb: 1_024, evaluation: BTreeMap::new() }
    }
}

impl LooksConfig {
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

    /// Returns the bytes that a task may hold.
    pub(crate) fn task_bytes(&self) -> usize {
        (self.memory_mb as usize) << 20 >> 2
    }
}
