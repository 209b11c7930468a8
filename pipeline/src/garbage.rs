//! What a run's folder holds and no current stage needs.

use corpus::gc::Garbage;
use train::checkpoint;
use train::flow::TRAIN;

use crate::{Folder, Result};

/// Results and checkpoints of earlier settings.
#[derive(Debug)]
pub struct Unneeded {
    results: Garbage,
    checkpoints: Vec<(String, u64)>,
}

impl Unneeded {
    /// Finds old results of stages that are finished with the current settings, and checkpoints of trainings that are
    /// not the current one, which is left alone while its inputs are not finished.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn find(folder: &Folder) -> Result<Self> {
        let (sealed, stages) = (folder.sealed()?, folder.stages()?);
        let current =
            sealed.0.iter().map(|(name, dataset)| (name.clone(), dataset.manifest().fingerprint.clone()));
        let results = corpus::gc::find(&folder.store, &current.collect())?;
        let training = match stages.iter().find(|stage| stage.name == TRAIN) {
            Some(stage) => stage.current(&folder.store, &sealed)?,
            None => None,
        };
        let checkpoints = match training {
            Some(current) => checkpoint::garbage(&folder.store, &current)?,
            None => Vec::new(),
        };
        Ok(Self { results, checkpoints })
    }

    /// Returns its files: stage, path, size in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let all = self.results.files.iter().chain(&self.checkpoints);
        all.map(|(path, size)| (stage_of(path), path.as_str(), *size))
    }

    /// Deletes it; the folder must be locked.
    ///
    /// # Errors
    /// When the store refuses; some of it is gone then.
    pub fn delete(&self, folder: &Folder) -> Result<()> {
        corpus::gc::sweep(&folder.store, &self.results)?;
        Ok(checkpoint::sweep(&folder.store, &self.checkpoints)?)
    }
}

/// Returns the second component: `data/STAGE/...`, `ledger/STAGE/...`, `checkpoints/...`.
fn stage_of(path: &str) -> &str {
    match path.split_once('/') {
        Some(("checkpoints", _)) => TRAIN,
        Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
        None => path,
    }
}
