//! A run's folder: its marker, its frozen configuration, and its stages as they were last run.
//!
//! ```text
//! kosmos.json     the marker, with the format of everything below
//! config.toml     the configuration of the last run, with all overrides
//! stages.json     its stages, with their settings: what reading commands find results by
//! retries.json    passes over images that `--retry-failed` added
//! run.lock        held by the `kosmos run` that is at work
//! data/ ledger/   see `corpus`
//! ```

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use corpus::format::{FORMAT, MIGRATED_SINCE, refusal};
use corpus::gc::MARKER;
use corpus::{Description, Inputs, Store, WorkFolder};
use serde::{Deserialize, Serialize};

use crate::config::{Loaded, load};
use crate::{Error, Result};

const CONFIG_FILE: &str = "config.toml";
const STAGES_FILE: &str = "stages.json";
const RETRIES_FILE: &str = "retries.json";
const LOCK_FILE: &str = "run.lock";

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
}

/// A run's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// Where parts and the ledger are.
    pub store: Store,
    /// Where scratch files, logs and locks are.
    pub work: WorkFolder,
}

/// As long as it lives, no other run is at work in the folder.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl Folder {
    /// Opens the folder of a new or an earlier run.
    pub fn create(path: &Path) -> Result<Self> {
        let is_ours = path.join(MARKER).exists();
        let is_empty = std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        if !is_ours && !is_empty {
            let message = format!("{} holds other files: name an empty folder with --dir", path.display());
            return Err(Error::Usage(message));
        }
        let store = Store::local(path)?;
        let marker = json(&Marker { format: FORMAT })?;
        store.put_if_absent(MARKER, marker.into())?;
        Self::attach(path)
    }

    /// Opens the folder of an earlier run; writes nothing.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Self::attach(path)?;
        if !folder.path.join(STAGES_FILE).exists() && !folder.store.folders("ledger")?.is_empty() {
            let message = format!(
                "{}: {STAGES_FILE} is missing, by which results are found; `kosmos run` with the run's configuration \
                 makes it again, and reads or fetches nothing anew",
                folder.path.display()
            );
            return Err(Error::Usage(message));
        }
        Ok(folder)
    }

    /// Opens the folder of a run of an earlier version; none if it is of the format of today.
    ///
    /// # Errors
    /// When it is no run's folder, or of a format that cannot be carried over.
    pub fn of_earlier_format(path: &Path) -> Result<Option<Self>> {
        let (folder, format) = Self::of_any_format(path)?;
        match format {
            FORMAT => Ok(None),
            _ => refused(path, refusal(format, MIGRATED_SINCE)).map(|()| Some(folder)),
        }
    }

    fn attach(path: &Path) -> Result<Self> {
        let (folder, format) = Self::of_any_format(path)?;
        refused(path, refusal(format, FORMAT)).map(|()| folder)
    }

    fn of_any_format(path: &Path) -> Result<(Self, u32)> {
        if !path.join(MARKER).exists() {
            return Err(Error::usage(format!("{} is not the folder of a run", path.display())));
        }
        let store = Store::local(path)?;
        let bytes = store.get(MARKER)?.unwrap_or_default();
        let marker: Marker = serde_json::from_slice(&bytes).map_err(Error::because(|| {
            format!("{MARKER} is damaged: it must hold {{\"format\":{FORMAT}}}")
        }))?;
        let work = WorkFolder::open(path)?;
        Ok((Self { path: work.path().to_owned(), store, work }, marker.format))
    }

    /// Returns the folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other runs and the garbage collection out of the folder until the lock is dropped.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.path.join(LOCK_FILE);
        let failed = || format!("cannot open {}", path.display());
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = options.map_err(Error::because(failed))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let who = std::fs::read_to_string(&path).unwrap_or_default();
                let who = if who.trim().is_empty() { "another process" } else { who.trim() };
                let message = format!("{} is in use by {who}: wait for it, or stop it", self.path.display());
                return Err(Error::Usage(message));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::because(|| format!("cannot lock {}", path.display()))(error));
            }
        }
        // Whoever meets the lock reads this; the lock does not depend on it.
        let _ = file.set_len(0);
        let _ = write!(file, "process {} on {}", std::process::id(), corpus::host_name());
        Ok(RunLock { _file: file })
    }

    /// Reads the configuration that the folder's stages were last run with.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn config(&self) -> Result<Loaded> {
        let path = self.path.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(Error::because(|| format!("cannot read {}", path.display())))?;
        load::parse(&path.display().to_string(), text)
    }

    /// Reads the stages as they were last run, in their order; none in a new folder.
    pub fn stages(&self) -> Result<Vec<Description>> {
        Ok(self.read(STAGES_FILE)?.unwrap_or_default())
    }

    /// Returns the datasets of all stages that are sealed as they were last run.
    pub fn sealed(&self) -> Result<Inputs> {
        Ok(corpus::sealed(&self.store, &self.stages()?)?)
    }

    /// Records the configuration of this run and its stages.
    pub fn freeze(&self, config_text: &str, stages: &[Description]) -> Result<()> {
        self.replace(CONFIG_FILE, config_text.as_bytes())?;
        self.replace(STAGES_FILE, &json(&stages)?)
    }

    /// Returns the passes over images that were added to those of the configuration.
    pub fn retry_passes(&self) -> Result<u32> {
        Ok(self.read(RETRIES_FILE)?.unwrap_or_default())
    }

    /// Records the passes over images that are added to those of the configuration.
    pub fn set_retry_passes(&self, passes: u32) -> Result<()> {
        self.replace(RETRIES_FILE, &json(&passes)?)
    }

    /// Reads one of the folder's own files; one that is there and cannot be read is never taken for none.
    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(Error::because(|| {
                format!("{name} is damaged: remove it, and `kosmos run` with the run's configuration makes it again")
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::because(|| format!("cannot read {}", path.display()))(error)),
        }
    }

    /// Replaces one of the folder's own files as a whole, on the disk before this returns.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let temporary = self.path.join(format!(".{name}.{}", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, self.path.join(name))?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(Error::because(|| format!("cannot write {}", self.path.join(name).display())))
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(Error::because(|| "cannot be written as JSON".to_owned()))
}

fn refused(path: &Path, refusal: Option<String>) -> Result<()> {
    refusal.map_or(Ok(()), |refusal| Err(Error::Usage(format!("{}: {refusal}", path.display()))))
}
