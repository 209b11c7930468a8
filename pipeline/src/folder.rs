//! A run's folder: its marker, its frozen configuration, and its stages as they were last run.
//!
//! ```text
//! kosmos.json     the marker, with the format of everything below
//! config.toml     the configuration of the last run, with all overrides
//! stages.json     its stages, with their settings: what reading commands find results by
//! retries.json    passes over images that `--retry-failed` added
//! lease/          of a run in an object store: who is at work, renewed as long as he is
//! data/ ledger/   see `corpus`
//! run.lock        in the working folder: held by the `kosmos run` of this machine that is at work
//! ```

use std::fs::{File, TryLockError};
use std::io::Write;

use corpus::format::{FORMAT, MIGRATED_SINCE, refusal};
use corpus::gc::MARKER;
use corpus::store::Place;
use corpus::{Cancel, Description, Inputs, Store, WorkFolder};
use serde::{Deserialize, Serialize};

use crate::config::{Loaded, load};
use crate::lease::Lease;
use crate::location::Location;
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
    place: Place,
    /// Where parts, the ledger, and the files above are.
    pub store: Store,
    /// Where scratch files, logs and locks are.
    pub work: WorkFolder,
}

/// As long as it lives, no other run is at work in the folder.
#[derive(Debug)]
pub struct RunLock {
    /// Of a run in an object store. It is given back before the file is.
    lease: Option<Lease>,
    _file: File,
}

impl RunLock {
    /// Has the loss of the lock ask for a stop; a lock of this machine cannot be lost.
    pub fn stops(&self, cancel: &Cancel) {
        if let Some(lease) = &self.lease {
            lease.stops(cancel);
        }
    }

    /// Returns true if and only if another run may be at work by now.
    pub fn is_lost(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_lost)
    }
}

impl Folder {
    /// Opens the folder of a new or an earlier run.
    pub fn create(location: &Location<'_>) -> Result<Self> {
        let store = location.store()?;
        if store.get(MARKER)?.is_none() && !store.is_empty("")? {
            let message = format!("{store} holds other files: name an empty folder with --dir");
            return Err(Error::Usage(message));
        }
        let marker = json(&Marker { format: FORMAT })?;
        store.put_if_absent(MARKER, marker.into())?;
        Self::attach(location)
    }

    /// Opens the folder of an earlier run; writes nothing.
    pub fn open(location: &Location<'_>) -> Result<Self> {
        let folder = Self::attach(location)?;
        if folder.store.get(STAGES_FILE)?.is_none() && !folder.store.folders("ledger")?.is_empty() {
            let message = format!(
                "{}: {STAGES_FILE} is missing, by which results are found; `kosmos run` with the run's configuration \
                 makes it again, and reads or fetches nothing anew",
                folder.store
            );
            return Err(Error::Usage(message));
        }
        Ok(folder)
    }

    /// Opens the folder of a run of an earlier version; none if it is of the format of today.
    ///
    /// # Errors
    /// When it is no run's folder, or of a format that cannot be carried over.
    pub fn of_earlier_format(location: &Location<'_>) -> Result<Option<Self>> {
        let (folder, format) = Self::of_any_format(location)?;
        match format {
            FORMAT => Ok(None),
            _ => folder.refused(refusal(format, MIGRATED_SINCE)).map(Some),
        }
    }

    fn attach(location: &Location<'_>) -> Result<Self> {
        let (folder, format) = Self::of_any_format(location)?;
        folder.refused(refusal(format, FORMAT))
    }

    fn refused(self, refusal: Option<String>) -> Result<Self> {
        match refusal {
            Some(refusal) => Err(Error::Usage(format!("{}: {refusal}", self.place))),
            None => Ok(self),
        }
    }

    fn of_any_format(location: &Location<'_>) -> Result<(Self, u32)> {
        let place = location.place().clone();
        let not_ours = || Error::usage(format!("{place} is not the folder of a run"));
        // Opening a folder would make it.
        if place.folder().is_some_and(|path| !path.join(MARKER).exists()) {
            return Err(not_ours());
        }
        let store = location.store()?;
        let bytes = store.get(MARKER)?.ok_or_else(not_ours)?;
        let marker: Marker = serde_json::from_slice(&bytes).map_err(Error::because(|| {
            format!("{MARKER} is damaged: it must hold {{\"format\":{FORMAT}}}")
        }))?;
        Ok((Self { place, store, work: location.work()? }, marker.format))
    }

    /// Returns where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Keeps other runs and the garbage collection out of the folder until the lock is dropped: those of this machine
    /// by a lock of the working folder, all others by a lease where the run is in an object store.
    pub fn lock(&self) -> Result<RunLock> {
        self.work.create()?;
        let path = self.work.path().join(LOCK_FILE);
        let failed = || format!("cannot open {}", path.display());
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = options.map_err(Error::because(failed))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let who = std::fs::read_to_string(&path).unwrap_or_default();
                let who = if who.trim().is_empty() { "another process" } else { who.trim() };
                let message = format!("{} is in use by {who}: wait for it, or stop it", self.place);
                return Err(Error::Usage(message));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::because(|| format!("cannot lock {}", path.display()))(error));
            }
        }
        // Whoever meets the lock reads this; the lock does not depend on it.
        let who = format!("process {} on {}", std::process::id(), corpus::host_name());
        let _ = file.set_len(0);
        let _ = file.write_all(who.as_bytes());
        let lease = match self.place {
            Place::Folder(_) => None,
            Place::Url(_) => Some(Lease::take(&self.store, &who, &self.work.identity()?)?),
        };
        Ok(RunLock { lease, _file: file })
    }

    /// Reads the configuration that the folder's stages were last run with.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn config(&self) -> Result<Loaded> {
        let name = format!("{}/{CONFIG_FILE}", self.place);
        let missing = || Error::usage(format!("cannot read {name}: it is missing"));
        let bytes = self.store.get(CONFIG_FILE)?.ok_or_else(missing)?;
        let text =
            String::from_utf8(bytes.into()).map_err(Error::because(|| format!("cannot read {name}")))?;
        load::parse(&name, text)
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
        self.store.replace(CONFIG_FILE, config_text.to_owned().into())?;
        Ok(self.store.replace(STAGES_FILE, json(&stages)?.into())?)
    }

    /// Returns the passes over images that were added to those of the configuration.
    pub fn retry_passes(&self) -> Result<u32> {
        Ok(self.read(RETRIES_FILE)?.unwrap_or_default())
    }

    /// Records the passes over images that are added to those of the configuration.
    pub fn set_retry_passes(&self, passes: u32) -> Result<()> {
        Ok(self.store.replace(RETRIES_FILE, json(&passes)?.into())?)
    }

    /// Reads one of the folder's own files; one that is there and cannot be read is never taken for none.
    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let damaged = || {
            format!(
                "{name} is damaged: remove it, and `kosmos run` with the run's configuration makes it again"
            )
        };
        let bytes = self.store.get(name)?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(Error::because(damaged))).transpose()
    }
}

/// Returns a value as the folder's files hold it.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(Error::because(|| "cannot be written as JSON".to_owned()))
}
