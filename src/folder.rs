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
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context;
use corpus::crash::Crashes;
use corpus::gc::MARKER;
use corpus::probe::Prober;
use corpus::{Description, Inputs, Store};
use serde::{Deserialize, Serialize};

use crate::config::{Loaded, load};
use crate::exit::Usage;
use crate::flow::{Flow, RunContext};

/// Version of the folder's layout.
const FOLDER_FORMAT: u32 = 2;
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
pub(crate) struct Folder {
    path: PathBuf,
    pub(crate) store: Store,
}

/// As long as it lives, no other run is at work in the folder.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: File,
}

impl Prober for Folder {
    fn try_range(&self, stage: &str, index: u32, mark: &Path) -> std::io::Result<ExitStatus> {
        let mut task = Command::new(std::env::current_exe()?);
        task.arg("task").arg(&self.path).args([stage, &index.to_string()]).arg("--probe").arg(mark);
        task.stdin(Stdio::null()).stdout(Stdio::null()).status()
    }
}

impl Folder {
    /// Opens the folder of a new or an earlier run.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let is_ours = path.join(MARKER).exists();
        let is_empty = std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        if !is_ours && !is_empty {
            let message = format!("{} holds other files: name an empty folder with --dir", path.display());
            return Err(Usage(message).into());
        }
        let store = Store::local(path)?;
        let marker = serde_json::to_vec(&Marker { format: FOLDER_FORMAT })?;
        store.put_if_absent(MARKER, marker.into())?;
        Self::attach(path)
    }

    /// Opens the folder of an earlier run; writes nothing.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let folder = Self::attach(path)?;
        if !folder.path.join(STAGES_FILE).exists() && !folder.store.folders("ledger")?.is_empty() {
            let message = format!(
                "{}: {STAGES_FILE} is missing, by which results are found; `kosmos run` with the run's configuration \
                 makes it again, and reads or fetches nothing anew",
                folder.path.display()
            );
            return Err(Usage(message).into());
        }
        Ok(folder)
    }

    fn attach(path: &Path) -> anyhow::Result<Self> {
        if !path.join(MARKER).exists() {
            return Err(Usage(format!("{} is not the folder of a run", path.display())).into());
        }
        let store = Store::local(path)?;
        let bytes = store.get(MARKER)?.unwrap_or_default();
        let marker: Marker = serde_json::from_slice(&bytes)
            .with_context(|| format!("{MARKER} is damaged: it must hold {{\"format\":{FOLDER_FORMAT}}}"))?;
        if marker.format != FOLDER_FORMAT {
            let message = format!(
                "{} was written in format {}, this program reads format {FOLDER_FORMAT}",
                path.display(),
                marker.format
            );
            return Err(Usage(message).into());
        }
        Ok(Self { path: store.folder().to_owned(), store })
    }

    /// Returns the folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to watch for records on which the process dies; of a process that tries them one by one, with the
    /// file into which each is written.
    pub(crate) fn crashes(&self, mark: Option<&Path>) -> anyhow::Result<Crashes> {
        let path = self.path.join("crashes");
        let Some(mark) = mark else {
            return Ok(Crashes::watch(&path)?);
        };
        let limits = self.config()?.config.limits;
        corpus::probe::confine(limits.record_memory_mb << 20);
        Ok(Crashes::alone(&path, mark)?)
    }

    /// Keeps other runs and the garbage collection out of the folder until the lock is dropped.
    pub(crate) fn lock(&self) -> anyhow::Result<RunLock> {
        let path = self.path.join(LOCK_FILE);
        let failed = || format!("cannot open {}", path.display());
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = options.with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let who = std::fs::read_to_string(&path).unwrap_or_default();
                let who = if who.trim().is_empty() { "another process" } else { who.trim() };
                let message = format!("{} is in use by {who}: wait for it, or stop it", self.path.display());
                return Err(Usage(message).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // Whoever meets the lock reads this; the lock does not depend on it.
        let _ = file.set_len(0);
        let _ = write!(file, "process {} on {}", std::process::id(), corpus::host_name());
        Ok(RunLock { _file: file })
    }

    /// Reads the configuration that the folder's stages were last run with.
    fn config(&self) -> anyhow::Result<Loaded> {
        let path = self.path.join(CONFIG_FILE);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        load::parse(&path.display().to_string(), text)
    }

    /// Makes the stages of the last run again, to run some of them; they live no longer than their context.
    pub(crate) fn flow(&self) -> anyhow::Result<(RunContext, Flow)> {
        let loaded = self.config()?;
        loaded.enter()?;
        let context = RunContext::start(&loaded.config)?;
        let flow = Flow::new(&loaded.config, &context, self.retry_passes()?)?;
        Ok((context, flow))
    }

    /// Reads the stages as they were last run, in their order; none in a new folder.
    pub(crate) fn stages(&self) -> anyhow::Result<Vec<Description>> {
        Ok(self.read(STAGES_FILE)?.unwrap_or_default())
    }

    /// Returns the datasets of all stages that are sealed as they were last run.
    pub(crate) fn sealed(&self) -> anyhow::Result<Inputs> {
        Ok(corpus::sealed(&self.store, &self.stages()?)?)
    }

    /// Records the configuration of this run and its stages.
    pub(crate) fn freeze(&self, config_text: &str, stages: &[Description]) -> anyhow::Result<()> {
        self.replace(CONFIG_FILE, config_text.as_bytes())?;
        self.replace(STAGES_FILE, &serde_json::to_vec_pretty(stages)?)
    }

    /// Returns the passes over images that were added to those of the configuration.
    pub(crate) fn retry_passes(&self) -> anyhow::Result<u32> {
        Ok(self.read(RETRIES_FILE)?.unwrap_or_default())
    }

    /// Records the passes over images that are added to those of the configuration.
    pub(crate) fn set_retry_passes(&self, passes: u32) -> anyhow::Result<()> {
        self.replace(RETRIES_FILE, &serde_json::to_vec(&passes)?)
    }

    /// Reads one of the folder's own files; one that is there and cannot be read is never taken for none.
    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let path = self.path.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{name} is damaged: remove it, and `kosmos run` with the run's configuration makes it again")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Replaces one of the folder's own files as a whole, on the disk before this returns.
    fn replace(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let temporary = self.path.join(format!(".{name}.{}", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, self.path.join(name))?;
            File::open(&self.path)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", self.path.join(name).display()))
    }
}
