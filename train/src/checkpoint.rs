//! A checkpoint: everything that training needs to go on as if it had not stopped.
//!
//! ```text
//! checkpoints/<fingerprint>/step-00000500/model.safetensors
//!                                         optimizer.safetensors
//!                                         steps.parquet           the rows of `steps` so far
//!                                         state.json              counters, positions; the other
//!                                                                 files' sizes and digests
//! checkpoints/<fingerprint>/step-00001000-4711-0.tmp              being written by process 4711, or left
//!                                                                 behind: nobody's but its writer's
//! ```
//!
//! A checkpoint is written into a temporary folder of its own, flushed to the disk, and published by
//! renaming the folder: it is there as a whole or not at all. Of another attempt's folders only published
//! checkpoints are ever removed: those beyond the number to be kept, and damaged ones of the same step.

mod garbage;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

pub use garbage::{garbage, sweep};

use corpus::digest::Digest;
use corpus::record::TrainStep;
use corpus::table::{Reader, Writer};
use corpus::{Fingerprint, Store};
use serde::{Deserialize, Serialize};

use crate::learner::Learner;
use crate::loader::LoaderState;
use crate::validation::ValidationLoss;
use crate::{Error, Result};

/// Version of `state.json`; others are refused.
const FORMAT: u32 = 1;
/// Bytes of a `state.json` at most: positions of a thousand sources are far below.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// Temporary names that are tried for one checkpoint at most: what a process of the same id left behind.
const ATTEMPTS_MAX: u32 = 1_000;

/// The folder of all checkpoints, in a run's.
const FOLDER: &str = "checkpoints";
const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STEPS: &str = "steps.parquet";
const STATE: &str = "state.json";
const DATA_FILES: [&str; 3] = [MODEL, OPTIMIZER, STEPS];

/// How far training has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Completed steps.
    pub step: u64,
    /// Input tokens so far, scored or not, without padding.
    pub tokens_seen: u64,
    /// Steps in a row, up to this one, without a finite loss and gradient.
    pub nonfinite_steps: u32,
    /// How far the shards were used.
    pub loader: LoaderState,
    /// All validations so far.
    pub validations: Vec<ValidationLoss>,
    /// One row for every step so far; in a file of its own.
    #[serde(skip)]
    pub steps: Vec<TrainStep>,
}

/// Size and digest of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checked {
    bytes: u64,
    digest: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    format: u32,
    fingerprint: Fingerprint,
    files: BTreeMap<String, Checked>,
    state: State,
}

/// A complete checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    /// How far training had come.
    pub state: State,
    folder: PathBuf,
}

impl Checkpoint {
    /// Returns the path of the weights.
    pub fn weights(&self) -> PathBuf {
        self.folder.join(MODEL)
    }

    /// Returns the path of the optimiser's state.
    pub fn optimizer(&self) -> PathBuf {
        self.folder.join(OPTIMIZER)
    }
}

/// The checkpoints of one fingerprint in a run's folder.
#[derive(Debug)]
pub struct Checkpoints {
    store: Store,
    fingerprint: Fingerprint,
    folder: PathBuf,
    kept: u32,
}

impl Checkpoints {
    /// Returns the checkpoints of a fingerprint; touches nothing until one is saved.
    pub fn of(store: &Store, fingerprint: &Fingerprint, kept: u32) -> Self {
        let folder = store.folder().join(FOLDER).join(fingerprint.as_str());
        Self { store: store.clone(), fingerprint: fingerprint.clone(), folder, kept }
    }

    /// Returns the newest step that has a checkpoint, by names alone: it may turn out damaged.
    pub fn newest_step(store: &Store, fingerprint: &Fingerprint) -> Option<u64> {
        let published = Self::of(store, fingerprint, 0).published().ok()?;
        published.last().map(|(_, step)| *step)
    }

    /// Returns where the weights of a step are, if it has a checkpoint.
    pub fn weights(&self, step: u64) -> PathBuf {
        self.folder.join(folder_name(step)).join(MODEL)
    }

    /// Publishes a checkpoint, then removes the oldest ones beyond those to be kept.
    ///
    /// One of the same step that is there already stays, unless it is damaged.
    ///
    /// # Errors
    /// When the disk refuses; earlier checkpoints are then still there.
    pub fn save(&self, state: &State, learner: &impl Learner) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(Error::io("create", &self.folder))?;
        let temporary = self.create_temporary(state.step)?;
        let saved =
            self.write(&temporary, state, learner).and_then(|()| self.publish(&temporary, state.step));
        // Nothing is there any more once it was published.
        remove(&temporary)?;
        saved?;
        sync(&self.folder)?;
        let published = self.published()?;
        let surplus = published.len().saturating_sub(self.kept as usize);
        published.iter().take(surplus).try_for_each(|(name, _)| remove(&self.folder.join(name)))
    }

    /// Makes a folder that no other attempt has.
    fn create_temporary(&self, step: u64) -> Result<PathBuf> {
        let (name, process) = (folder_name(step), std::process::id());
        let mut attempt = 0;
        loop {
            let folder = self.folder.join(format!("{name}-{process}-{attempt}.tmp"));
            match std::fs::create_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS_MAX => {
                    attempt += 1
                }
                Err(error) => return Err(Error::io("create", folder)(error)),
                Ok(()) => return Ok(folder),
            }
        }
    }

    fn publish(&self, temporary: &Path, step: u64) -> Result<()> {
        let name = folder_name(step);
        let published = self.folder.join(&name);
        match std::fs::rename(temporary, &published) {
            // Another attempt's of the same step, which is the same.
            Err(_) if self.read(&name, step).is_ok() => Ok(()),
            Err(_) => {
                remove(&published)?;
                std::fs::rename(temporary, &published).map_err(Error::io("publish", published))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Returns the newest checkpoint that is complete and undamaged; `log` is told of others.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn newest(&self, mut log: impl FnMut(&str)) -> Result<Option<Checkpoint>> {
        for (name, step) in self.published()?.into_iter().rev() {
            match self.read(&name, step) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error) => log(&format!("passed over: {error}")),
            }
        }
        Ok(None)
    }

    fn write(&self, folder: &Path, state: &State, learner: &impl Learner) -> Result<()> {
        learner.save(&folder.join(MODEL), &folder.join(OPTIMIZER))?;
        let mut writer: Writer<TrainStep> = Writer::create(&folder.join(STEPS))?;
        state.steps.iter().try_for_each(|row| writer.push(row.clone()))?;
        writer.finish()?;
        let mut files = BTreeMap::new();
        for name in DATA_FILES {
            let path = folder.join(name);
            sync(&path)?;
            let (digest, bytes) = Digest::of_file(&path)?;
            files.insert(name.to_owned(), Checked { bytes, digest });
        }
        let fingerprint = self.fingerprint.clone();
        let file = StateFile { format: FORMAT, fingerprint, files, state: state.clone() };
        let json = serde_json::to_vec_pretty(&file).map_err(|e| damaged(folder, e.to_string()))?;
        let path = folder.join(STATE);
        std::fs::write(&path, json).map_err(Error::io("write", &path))?;
        sync(&path)?;
        sync(folder)
    }

    fn read(&self, name: &str, step: u64) -> Result<Checkpoint> {
        let folder = self.folder.join(name);
        let mut file: StateFile = serde_json::from_slice(&read_bounded(&folder.join(STATE))?)
            .map_err(|error| damaged(&folder, format!("{STATE}: {error}")))?;
        let expected = (FORMAT, &self.fingerprint, step);
        if (file.format, &file.fingerprint, file.state.step) != expected {
            return Err(damaged(&folder, format!("{STATE} is of another format, run or step")));
        }
        for name in DATA_FILES {
            let (digest, bytes) = Digest::of_file(&folder.join(name))?;
            if file.files.get(name) != Some(&Checked { bytes, digest }) {
                return Err(damaged(&folder, format!("{name} is not the file that was published")));
            }
        }
        let path = format!("{FOLDER}/{}/{name}/{STEPS}", self.fingerprint);
        let rows = Reader::open(&path, self.store.open(&path)?)?;
        file.state.steps = rows.collect::<corpus::Result<_>>()?;
        Ok(Checkpoint { state: file.state, folder })
    }

    /// Returns (name, step) of the published checkpoints, by step.
    fn published(&self) -> Result<Vec<(String, u64)>> {
        let listing = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing.map_err(Error::io("list", &self.folder))?,
        };
        let mut found = Vec::new();
        for entry in listing {
            let entry = entry.map_err(Error::io("list", &self.folder))?;
            if let Ok(name) = entry.file_name().into_string()
                && let Some(step) = parse_step(&name)
            {
                found.push((name, step));
            }
        }
        found.sort_by_key(|(_, step)| *step);
        Ok(found)
    }
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", folder)(error)),
        _ => Ok(()),
    }
}

fn folder_name(step: u64) -> String {
    format!("step-{step:08}")
}

/// Returns the step of a published checkpoint's name.
fn parse_step(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("step-")?;
    let plain = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(STATE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// Waits until a file or a folder's names are on the disk.
fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io("flush", path))
}

fn damaged(folder: &Path, reason: String) -> Error {
    Error::Checkpoint { path: folder.to_owned(), reason }
}

#[cfg(test)]
mod tests;
