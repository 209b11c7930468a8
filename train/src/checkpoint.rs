//! A checkpoint: everything that training needs to go on as if it had not stopped.
//!
//! ```text
//! checkpoints/<fingerprint>/step-00000500/model-<digest>.safetensors
//!                                         optimizer-<digest>.safetensors
//!                                         steps-<digest>.parquet    the rows of `steps` so far
//!                                         state.json                counters, positions; the other files' sizes and
//!                                                                   digests
//! ```
//!
//! A checkpoint is made of objects of the run's store, so a training goes on wherever the store is reached from. Its
//! files are written into the task's scratch folder and put under names that hold their digests; `state.json` is put
//! last, and by it they are a checkpoint. Of another attempt's only whole checkpoints are ever removed: those beyond the
//! number to be kept.

mod garbage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use garbage::{garbage, sweep};

use corpus::digest::Digest;
use corpus::record::TrainStep;
use corpus::table::{Reader, Writer};
use corpus::{Fingerprint, Store};
use model::Learner;
use serde::{Deserialize, Serialize};

use crate::loader::LoaderState;
use crate::validation::ValidationLoss;
use crate::{Error, Result};

/// Version of `state.json`; others are refused.
const FORMAT: u32 = 2;
/// The version whose files have plain names; it is read, too.
const FORMAT_PLAIN_NAMES: u32 = 1;
/// Bytes of a `state.json` at most: positions of a thousand sources are far below.
const STATE_BYTES_MAX: usize = 64 << 20;

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

/// A complete checkpoint. Copies of its files that were made on this machine go with it.
#[derive(Debug)]
pub struct Checkpoint {
    /// How far training had come.
    pub state: State,
    weights: PathBuf,
    optimizer: PathBuf,
    _copies: Copies,
}

impl Checkpoint {
    /// Returns the path of the weights.
    pub fn weights(&self) -> &Path {
        &self.weights
    }

    /// Returns the path of the optimiser's state.
    pub fn optimizer(&self) -> &Path {
        &self.optimizer
    }
}

/// A folder that is removed with this.
#[derive(Debug)]
struct Copies(PathBuf);

impl Drop for Copies {
    fn drop(&mut self) {
        // It is in the task's scratch folder, which the engine removes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The checkpoints of one fingerprint in a run's store.
#[derive(Debug)]
pub struct Checkpoints {
    store: Store,
    fingerprint: Fingerprint,
    /// Where files are before they are put, and copies of those of a store elsewhere.
    scratch: PathBuf,
    kept: u32,
}

impl Checkpoints {
    /// Returns the checkpoints of a fingerprint; touches nothing until one is saved.
    pub fn of(store: &Store, fingerprint: &Fingerprint, scratch: &Path, kept: u32) -> Self {
        Self { store: store.clone(), fingerprint: fingerprint.clone(), scratch: scratch.join(FOLDER), kept }
    }

    /// Returns the newest step that has a checkpoint, by names alone: it may turn out damaged.
    ///
    /// # Errors
    /// When the store cannot list.
    pub fn newest_step(store: &Store, fingerprint: &Fingerprint) -> Result<Option<u64>> {
        Ok(published(store, fingerprint)?.last().copied())
    }

    /// Returns a file with the weights of a step's checkpoint.
    ///
    /// # Errors
    /// When it has none, or a damaged one.
    pub fn weights(&self, step: u64) -> Result<PathBuf> {
        let file = self.state_file(step)?;
        self.checked(&file, MODEL, &self.scratch.join("weights"))
    }

    /// Publishes a checkpoint, then removes the oldest ones beyond those to be kept.
    ///
    /// One of the same step that is there already stays, unless it is damaged.
    ///
    /// # Errors
    /// When the disk or the store refuses; earlier checkpoints are then still there.
    pub fn save(&self, state: &State, learner: &dyn Learner) -> Result<()> {
        let folder = self.scratch.join("unfinished");
        std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let written = Copies(folder);
        let files = write(&written.0, state, learner)?;
        let fingerprint = self.fingerprint.clone();
        let file = StateFile { format: FORMAT, fingerprint, files, state: state.clone() };
        if !self.publish(&written.0, &file, false)? && self.read(state.step).is_err() {
            self.publish(&written.0, &file, true)?;
        }
        drop(written);
        let published = published(&self.store, &self.fingerprint)?;
        let surplus = published.len().saturating_sub(self.kept as usize);
        published.iter().take(surplus).try_for_each(|step| self.remove(*step))
    }

    /// Puts the files of a checkpoint, in the place of what is there if that is to be replaced; returns whether it was
    /// not there.
    fn publish(&self, folder: &Path, file: &StateFile, replaces: bool) -> Result<bool> {
        let step = file.state.step;
        for (name, checked) in &file.files {
            let (path, local) = (self.path(step, &file_name(FORMAT, name, checked)), folder.join(name));
            match replaces {
                true => self.store.replace_file(&path, &local, &checked.digest)?,
                false => drop(self.store.put_file_if_absent(&path, &local, &checked.digest)?),
            }
        }
        let path = self.path(step, STATE);
        let json = serde_json::to_vec_pretty(file).map_err(|error| self.damaged(step, error.to_string()))?;
        match replaces {
            true => Ok(self.store.replace(&path, json.into()).map(|()| true)?),
            false => Ok(self.store.put_if_absent(&path, json.into())?),
        }
    }

    /// Removes a checkpoint; it is none any more once its first file is gone.
    fn remove(&self, step: u64) -> Result<()> {
        self.store.delete(&self.path(step, STATE))?;
        let names = self.store.names(&self.path(step, ""))?;
        Ok(self.store.delete_all(names.iter().map(String::as_str).filter(|path| garbage::is_ours(path)))?)
    }

    /// Returns the newest checkpoint that is complete and undamaged; `log` is told of others.
    ///
    /// # Errors
    /// When the store cannot list.
    pub fn newest(&self, mut log: impl FnMut(&str)) -> Result<Option<Checkpoint>> {
        for step in published(&self.store, &self.fingerprint)?.into_iter().rev() {
            match self.read(step) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error) => log(&format!("passed over: {error}")),
            }
        }
        Ok(None)
    }

    fn read(&self, step: u64) -> Result<Checkpoint> {
        let mut file = self.state_file(step)?;
        let copies = Copies(self.scratch.join("copies"));
        let weights = self.checked(&file, MODEL, &copies.0)?;
        let optimizer = self.checked(&file, OPTIMIZER, &copies.0)?;
        self.checked(&file, STEPS, &copies.0)?;
        let path = self.path(step, &self.name_of(&file, STEPS)?);
        let rows = Reader::open(&path, self.store.open(&path)?)?;
        file.state.steps = rows.collect::<corpus::Result<_>>()?;
        Ok(Checkpoint { state: file.state, weights, optimizer, _copies: copies })
    }

    /// Reads what makes a step's files a checkpoint.
    fn state_file(&self, step: u64) -> Result<StateFile> {
        let bytes = self.store.get(&self.path(step, STATE))?;
        let bytes = bytes.filter(|bytes| bytes.len() <= STATE_BYTES_MAX);
        let bytes = bytes.ok_or_else(|| self.damaged(step, format!("{STATE} is missing or too large")))?;
        let file: StateFile = serde_json::from_slice(&bytes)
            .map_err(|error| self.damaged(step, format!("{STATE}: {error}")))?;
        let is_known = matches!(file.format, FORMAT | FORMAT_PLAIN_NAMES);
        match is_known && file.fingerprint == self.fingerprint && file.state.step == step {
            true => Ok(file),
            false => Err(self.damaged(step, format!("{STATE} is of another format, run or step"))),
        }
    }

    /// Returns a file of this machine that is one of a checkpoint's, as it was published.
    fn checked(&self, file: &StateFile, name: &str, copies: &Path) -> Result<PathBuf> {
        let step = file.state.step;
        let path = self.path(step, &self.name_of(file, name)?);
        let local = self.store.local_file(&path, copies)?;
        let (digest, bytes) = Digest::of_file(&local)?;
        match file.files.get(name) == Some(&Checked { bytes, digest }) {
            true => Ok(local),
            false => Err(self.damaged(step, format!("{name} is not the file that was published"))),
        }
    }

    fn name_of(&self, file: &StateFile, name: &str) -> Result<String> {
        let checked = file.files.get(name);
        let checked = checked.ok_or_else(|| self.damaged(file.state.step, format!("{name} is missing")))?;
        Ok(file_name(file.format, name, checked))
    }

    /// Returns the path of a checkpoint's object in the store.
    fn path(&self, step: u64, name: &str) -> String {
        let folder = format!("{FOLDER}/{}/{}", self.fingerprint, folder_name(step));
        if name.is_empty() { folder } else { format!("{folder}/{name}") }
    }

    fn damaged(&self, step: u64, reason: String) -> Error {
        Error::Checkpoint { path: self.path(step, "").into(), reason }
    }
}

/// Writes a checkpoint's files into a folder of this machine.
fn write(folder: &Path, state: &State, learner: &dyn Learner) -> Result<BTreeMap<String, Checked>> {
    learner.save(&folder.join(MODEL), &folder.join(OPTIMIZER))?;
    let mut writer: Writer<TrainStep> = Writer::create(&folder.join(STEPS))?;
    state.steps.iter().try_for_each(|row| writer.push(row.clone()))?;
    writer.finish()?;
    let digest = |name: &str| {
        let (digest, bytes) = Digest::of_file(&folder.join(name))?;
        Ok((name.to_owned(), Checked { bytes, digest }))
    };
    DATA_FILES.into_iter().map(digest).collect()
}

/// Returns the steps that have a checkpoint, in order.
fn published(store: &Store, fingerprint: &Fingerprint) -> Result<Vec<u64>> {
    let names = store.names(&format!("{FOLDER}/{fingerprint}"))?;
    let folders =
        names.iter().filter_map(|path| path.strip_suffix(STATE)?.strip_suffix('/')?.rsplit('/').next());
    let mut steps: Vec<u64> = folders.filter_map(parse_step).collect();
    steps.sort_unstable();
    Ok(steps)
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

/// Returns the name of a checkpoint's file in the store.
fn file_name(format: u32, name: &str, checked: &Checked) -> String {
    match name.split_once('.') {
        Some((stem, extension)) if format != FORMAT_PLAIN_NAMES => {
            format!("{stem}-{}.{extension}", checked.digest.short())
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
