//! How far a training of a run's folder is.

use corpus::{Description, Stage};
use train::checkpoint::Checkpoints;

use crate::{Folder, Result};

/// Returns the newest checkpoint's step, if a training with the settings of this stage is unfinished.
///
/// # Errors
/// When the folder cannot be read.
pub fn interrupted_at(folder: &Folder, stage: &dyn Stage) -> Result<Option<u64>> {
    let (stage, sealed) = (Description::of(stage)?, folder.sealed()?);
    if stage.dataset(&folder.store, &sealed)?.is_some() {
        return Ok(None);
    }
    match stage.current(&folder.store, &sealed)? {
        Some(fingerprint) => Ok(Checkpoints::newest_step(&folder.store, &fingerprint)?),
        None => Ok(None),
    }
}
