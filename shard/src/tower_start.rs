//! What the vision tower starts with: the same weights wherever features are computed, and where training begins.

use std::path::PathBuf;

use corpus::{Error, FileStream, NamedFile, Result, Task};
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
    /// Such a file that a stage downloaded.
    Downloaded {
        /// The stage.
        stage: String,
    },
}

/// The file of a downloaded tower.
pub const TOWER_WEIGHTS: FileStream =
    FileStream { name: "weights", extension: "safetensors", media_type: "application/safetensors" };
/// The stage that downloads one.
pub const TOWER: &str = "tower";

impl TowerStart {
    /// Returns the start that settings name; nothing is opened.
    pub fn of(source: &WeightsSource) -> Self {
        match source {
            WeightsSource::Random { seed } => Self::Random { seed: *seed },
            WeightsSource::File { path, sha256 } => {
                Self::File(NamedFile::new(path).stated(sha256.as_deref()))
            }
            WeightsSource::Download { .. } => Self::Downloaded { stage: TOWER.to_owned() },
        }
    }

    /// Returns the stage that the weights come from, if it is one.
    pub fn input(&self) -> Option<&str> {
        match self {
            Self::Downloaded { stage } => Some(stage),
            Self::Random { .. } | Self::File(_) => None,
        }
    }

    /// Returns what tells the weights of a stage from others: the digest of their file. Those of a stage are known by
    /// their stage, as all inputs are.
    ///
    /// # Errors
    /// When the file cannot be read, or has other bytes than stated.
    pub fn digest(&self, stage: &str) -> Result<Option<&str>> {
        match self {
            Self::Random { .. } | Self::Downloaded { .. } => Ok(None),
            Self::File(file) => {
                let digest = file.digest().map_err(Error::of_setting(stage, KEY))?;
                Ok(Some(digest.as_str()))
            }
        }
    }

    /// Returns a file of this machine with the weights; `None` of random ones.
    ///
    /// # Errors
    /// When the file changed since its digest was asked for, or is missing.
    pub fn file(&self, task: &Task<'_>) -> Result<Option<PathBuf>> {
        match self {
            Self::Random { .. } => Ok(None),
            Self::File(file) => {
                file.check(task.stage)?;
                Ok(Some(file.path().to_owned()))
            }
            Self::Downloaded { stage } => {
                let dataset = task.inputs.get(stage)?;
                let part = dataset.file_part(TOWER_WEIGHTS)?.ok_or_else(|| Error::Settings {
                    stage: task.stage.to_owned(),
                    detail: format!("stage {stage} has no weights"),
                })?;
                dataset.local_file(&part, &task.scratch).map(Some)
            }
        }
    }

    /// Opens a tower with these weights.
    ///
    /// # Errors
    /// As [`Self::file`], or when the weights do not fit the tower.
    pub fn open(
        &self,
        task: &Task<'_>,
        backend: &dyn Backend,
        tower: &TowerConfig,
        settings: &Settings,
    ) -> Result<Box<dyn Tower>> {
        let opened = match (self, self.file(task)?) {
            (_, Some(file)) => backend.open_tower(&file, tower, settings),
            (Self::Random { seed }, None) => backend.random_tower(tower, *seed, settings),
            (_, None) => {
                return Err(Error::Settings {
                    stage: task.stage.to_owned(),
                    detail: format!("{KEY} is missing"),
                });
            }
        };
        opened.map_err(|error| Error::work(task.stage, error))
    }
}
