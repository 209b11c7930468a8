//! The working folder: what a run leaves on this machine beside its objects.
//!
//! ```text
//! scratch/    unfinished files, a folder per process
//! keep/       what attempts at a task leave to later ones of the same task
//! logs/       a line per attempt at a task, and what it says it is doing
//! crashes     records on which the process died
//! identity    tells the folder from all others, of a run in an object store
//! ```
//!
//! Of a run in a local folder it is that folder itself; of one in an object store a folder of this machine, and another
//! machine that goes on with the run has its own. Nothing in here decides a byte.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::scratch::Scratch;
use crate::unique::nonce;
use crate::{Error, Fingerprint, Result, host_name};

/// Folder of what attempts leave to later ones of the same task.
const KEEP: &str = "keep";

/// A run's folder on this machine for what is no object; cheap to clone.
#[derive(Debug, Clone)]
pub struct WorkFolder {
    path: PathBuf,
    /// Made by the first task that writes.
    scratch: Arc<Mutex<Option<Scratch>>>,
}

impl WorkFolder {
    /// Names a folder; it is made when something is written into it.
    ///
    /// # Errors
    /// When its place cannot be told.
    pub fn at(path: &Path) -> Result<Self> {
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(_) => std::path::absolute(path).map_err(Error::io("resolve", path))?,
        };
        Ok(Self { path, scratch: Arc::default() })
    }

    /// Makes the folder, if it is missing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(&self) -> Result<()> {
        std::fs::create_dir_all(&self.path).map_err(Error::io("create", &self.path))
    }

    /// Returns what tells this folder from all others, whatever machine they are on; it is made up by the first call.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn identity(&self) -> Result<String> {
        self.create()?;
        let path = self.path.join("identity");
        if !path.exists() {
            let (made_up, text) = (self.path.join(format!("identity-{}", nonce())), host_name());
            let written = std::fs::write(&made_up, format!("{text}-{}", nonce()));
            // It is there as a whole or not at all, and of several who make it up one counts.
            let linked = written.and_then(|()| std::fs::hard_link(&made_up, &path));
            let _ = std::fs::remove_file(&made_up);
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::io("write", &path)(error));
                }
                _ => {}
            }
        }
        std::fs::read_to_string(&path).map_err(Error::io("read", &path))
    }

    /// Returns the folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of this process for unfinished files, made by the first call; it goes with the last clone of
    /// this.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self) -> Result<PathBuf> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match scratch.take() {
            Some(open) => open,
            None => Scratch::open(&self.path.join("scratch"))?,
        };
        Ok(scratch.insert(open).folder().to_owned())
    }

    /// Returns the file of records on which the process died.
    pub fn crashes(&self) -> PathBuf {
        self.path.join("crashes")
    }

    /// Returns the path of a task's log.
    pub fn log(&self, stage: &str, fingerprint: &Fingerprint, task: u32) -> PathBuf {
        let folder = self.path.join("logs").join(stage);
        folder.join(fingerprint.as_str()).join(format!("{task:08}.log"))
    }

    /// Returns the path of a file that says what a running task is doing, beside its log.
    pub fn note(&self, stage: &str, fingerprint: &Fingerprint, task: u32) -> PathBuf {
        self.log(stage, fingerprint, task).with_extension("note")
    }

    /// Returns the folder of what attempts at a task leave to later ones.
    pub(crate) fn keep(&self, task: &str) -> PathBuf {
        self.path.join(KEEP).join(task)
    }

    /// Removes the folder of what tasks keep, if none of them keeps anything.
    pub(crate) fn remove_empty_keep(&self) {
        // It holds something as long as a task is unfinished.
        let _ = std::fs::remove_dir(self.path.join(KEEP));
    }
}
