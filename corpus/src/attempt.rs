//! Attempts at a range: how many ended without a word, killed from outside or for want of memory.
//!
//! Each holds a lock on a file of its own in the task's `keep` folder, `attempt-RANGE-NONCE`, and removes it when
//! it ends. A file that nobody holds is of an attempt that was interrupted.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::scratch::lock_of;
use crate::unique::nonce;
use crate::{Error, Result};

/// An attempt that is going on.
#[derive(Debug)]
pub(crate) struct Attempt {
    path: PathBuf,
    range: u32,
    _locked: File,
}

impl Attempt {
    /// Begins one at a range.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn begin(keep: &Path, range: u32) -> Result<Self> {
        std::fs::create_dir_all(keep).map_err(Error::io("create", keep))?;
        let path = keep.join(format!("{}{}", prefix(range), nonce()));
        Ok(Self { _locked: lock_of(&path)?, path, range })
    }

    /// Forgets the attempts at the range that were interrupted before: there is progress, which the next one
    /// will find.
    pub(crate) fn progressed(&self) {
        if let Some(keep) = self.path.parent() {
            forget(keep, self.range);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // What stays behind counts as one interruption, which harms nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Returns how many attempts at a range were interrupted.
pub(crate) fn interruptions(keep: &Path, range: u32) -> usize {
    interrupted(keep, range).len()
}

/// Forgets the attempts at a range that were interrupted.
pub(crate) fn forget(keep: &Path, range: u32) {
    for path in interrupted(keep, range) {
        let _ = std::fs::remove_file(path);
    }
}

fn interrupted(keep: &Path, range: u32) -> Vec<PathBuf> {
    let prefix = prefix(range);
    let is_ours = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix))
    };
    let is_free = |path: &PathBuf| File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    let entries = std::fs::read_dir(keep).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_ours).filter(is_free).collect()
}

fn prefix(range: u32) -> String {
    format!("attempt-{range:06}-")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_counts_once_it_was_interrupted_and_not_while_it_goes_on() {
        let keep = tempfile::tempdir().unwrap();
        let live = Attempt::begin(keep.path(), 3).unwrap();
        drop(Attempt::begin(keep.path(), 3).unwrap());
        assert_eq!(interruptions(keep.path(), 3), 0);
        for name in ["attempt-000003-a", "attempt-000003-b", "attempt-000004-c", "other"] {
            std::fs::write(keep.path().join(name), "").unwrap();
        }
        assert_eq!((interruptions(keep.path(), 3), interruptions(keep.path(), 4)), (2, 1));
        live.progressed();
        assert_eq!((interruptions(keep.path(), 3), interruptions(keep.path(), 4)), (0, 1));
        assert!(live.path.exists());
    }
}
