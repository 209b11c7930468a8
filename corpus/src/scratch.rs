//! Unfinished files: one folder per process, held by a lock, removed once that process is gone.
//!
//! ```text
//! scratch/<host>-<pid>-<nonce>.lock    locked as long as the process lives
//! scratch/<host>-<pid>-<nonce>/        its unfinished files
//! ```
//!
//! A process id says nothing in another PID namespace, and a host name may be shared: the lock alone tells
//! whether somebody is at work. Only writers remove what others left behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::limits::FREE_BYTES_MIN;
use crate::unique::{host_name, nonce};
use crate::{Error, Result};

const LOCK: &str = "lock";

/// The folder of this process for unfinished files; removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    lock: PathBuf,
    _locked: File,
}

impl Scratch {
    /// Makes a folder under `all`, having removed those of processes that are gone.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn open(all: &Path) -> Result<Self> {
        std::fs::create_dir_all(all).map_err(Error::io("create", all))?;
        remove_leftovers(all)?;
        let folder = all.join(format!("{}-{}-{}", host_name(), std::process::id(), nonce()));
        let lock = folder.with_added_extension(LOCK);
        let locked = lock_of(&lock)?;
        std::fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
        Ok(Self { folder, lock, _locked: locked })
    }

    /// Returns the folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is a leftover for the next process.
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(&self.lock);
    }
}

/// Creates and locks a file. Another process may take a new file that is not locked yet for a leftover and
/// remove it: then the lock is on a file without a name, and another one is made.
pub(crate) fn lock_of(path: &Path) -> Result<File> {
    loop {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(Error::io("create", path))?;
        file.lock().map_err(Error::io("lock", path))?;
        let is_there = match (file.metadata(), std::fs::metadata(path)) {
            (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
            _ => false,
        };
        if is_there {
            return Ok(file);
        }
    }
}

/// Removes the folders whose locks nobody holds.
fn remove_leftovers(all: &Path) -> Result<()> {
    let entries = std::fs::read_dir(all).map_err(Error::io("list", all))?;
    for entry in entries {
        let lock = entry.map_err(Error::io("list", all))?.path();
        if lock.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        // It may be gone by now, with its process.
        let Ok(file) = OpenOptions::new().write(true).open(&lock) else { continue };
        match file.try_lock() {
            Ok(()) => {
                let folder = lock.with_extension("");
                if folder.exists() {
                    std::fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
                }
                std::fs::remove_file(&lock).map_err(Error::io("remove", &lock))?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &lock)(error)),
        }
    }
    Ok(())
}

/// Refuses to begin a stage on a disk that is nearly full.
///
/// # Errors
/// When less than [`FREE_BYTES_MIN`] bytes are free.
pub(crate) fn check_free_space(folder: &Path) -> Result<()> {
    let free = free_bytes(folder).map_err(Error::io("ask for the free space of", folder))?;
    if free < FREE_BYTES_MIN {
        let full = format!("{free} bytes free where {FREE_BYTES_MIN} are needed");
        let source = std::io::Error::new(std::io::ErrorKind::StorageFull, full);
        return Err(Error::io("write to", folder)(source));
    }
    Ok(())
}

fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: an all-zero statvfs is valid, and the path is a NUL-terminated string.
    let (code, answer) = unsafe {
        let mut answer: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut answer), answer)
    };
    match code {
        0 => Ok(answer.f_bavail * answer.f_frsize),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_once_nobody_holds_its_lock() {
        let run = tempfile::tempdir().unwrap();
        let all = run.path().join("scratch");
        let live = Scratch::open(&all).unwrap();
        let dead = all.join("elsewhere-1-ab");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("0-documents.parquet"), "half").unwrap();
        std::fs::write(all.join("elsewhere-1-ab.lock"), "").unwrap();
        // Of the process id of this very process, as it is in another PID namespace.
        let other = Scratch::open(&all).unwrap();
        assert!(live.folder().exists() && other.folder().exists() && !dead.exists());
        drop((live, other));
        assert_eq!(std::fs::read_dir(&all).unwrap().count(), 0);
    }
}
