//! What the vision tower starts with: the same weights wherever features are computed, and where training begins.

use corpus::{Error, NamedFile, Result};
use model::{Backend, Settings, Tower, TowerConfig, WeightsSource};

/// The setting that says so.
const KEY: &str = "model.tower.weights";

/// The vision tower's weights at the start.
#[derive(Debug, Clone)]
pub enum TowerStart {
    /// Random ones of this seed.
    Random {
        /// The seed.
        seed: u64,
    },
    /// A safetensors file of Hugging Face's `CLIPVisionModel`.
    File(NamedFile),
}

impl TowerStart {
    /// Returns the start that settings name; nothing is opened.
    pub fn of(source: &WeightsSource) -> Self {
        match source {
            WeightsSource::Random { seed } => Self::Random { seed: *seed },
            WeightsSource::File { path, sha256 } => {
                Self::File(NamedFile::new(path).stated(sha256.as_deref()))
            }
        }
    }

    /// Returns what tells the weights of a stage from others: the digest of their file, none of random ones.
    ///
    /// # Errors
    /// When the file cannot be read, or has other bytes than stated.
    pub fn digest(&self, stage: &str) -> Result<Option<&str>> {
        match self {
            Self::Random { .. } => Ok(None),
            Self::File(file) => {
                let digest = file.digest().map_err(Error::of_setting(stage, KEY))?;
                Ok(Some(digest.as_str()))
            }
        }
    }

    /// Opens a tower with these weights.
    ///
    /// # Errors
    /// When the file changed since its digest was asked for, or does not fit the tower.
    pub fn open(
        &self,
        stage: &str,
        backend: &dyn Backend,
        tower: &TowerConfig,
        settings: &Settings,
    ) -> Result<Box<dyn Tower>> {
        let opened = match self {
            Self::Random { seed } => backend.random_tower(tower, *seed, settings),
            Self::File(file) => {
                file.check(stage)?;
                backend.open_tower(file.path(), tower, settings)
            }
        };
        opened.map_err(|error| Error::work(stage, error))
    }
}
