//! Digests of the files that settings name, remembered from process to process: models and lists are gigabytes, and
//! every command and every task of a cluster wants to know whether they are still the same.
//!
//! An entry is a file of its own, named after what tells one state of a file from the next: path, device, inode, size,
//! and the times of its last change of content and of status. Nothing sets the latter back but the machine's clock. A
//! file that changed within the last two seconds is not remembered: it may change again within the same tick.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Result;
use crate::digest::Digest;
use crate::unique::nonce;

/// Smaller files are hashed as fast as they are looked up.
const BYTES_MIN: u64 = 1 << 20;
/// Time without a change after which a file's times tell its next change.
const SETTLED: Duration = Duration::from_secs(2);
/// Entries of the folder at most; at the bound it is emptied.
const ENTRIES_MAX: usize = 4_096;

/// Where digests are remembered.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Has digests be remembered in a folder from now on. The first call counts; without one every process hashes anew.
pub fn remember_in(folder: PathBuf) {
    let _ = FOLDER.set(folder);
}

/// Returns the digest of a file, from memory if it did not change since.
///
/// # Errors
/// As [`Digest::of_file`].
pub(crate) fn digest(path: &Path) -> Result<Digest> {
    digest_by(FOLDER.get().map(PathBuf::as_path), path)
}

fn digest_by(folder: Option<&Path>, path: &Path) -> Result<Digest> {
    let Some((folder, state)) = folder.and_then(|folder| Some((folder, state(path)?))) else {
        return Ok(Digest::of_file(path)?.0);
    };
    let entry = folder.join(state.as_str());
    if let Some(digest) = std::fs::read_to_string(&entry).ok().and_then(|text| Digest::parse(&text)) {
        tracing::debug!(path = %path.display(), "a remembered digest is reused");
        return Ok(digest);
    }
    let digest = Digest::of_file(path)?.0;
    if self::state(path).is_some_and(|now| now == state)
        && let Err(error) = write(folder, &entry, &digest)
    {
        tracing::debug!(%error, path = %folder.display(), "a digest is not remembered");
    }
    Ok(digest)
}

/// Returns what names a file's present state, `None` if it is not worth or not fit for being remembered.
fn state(path: &Path) -> Option<Digest> {
    let path = path.canonicalize().ok()?;
    let metadata = std::fs::metadata(&path).ok().filter(|metadata| metadata.is_file())?;
    let changed = [(metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec())];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let is_settled = |&(seconds, _): &(i64, i64)| {
        u64::try_from(seconds).is_ok_and(|seconds| Duration::from_secs(seconds) + SETTLED < now)
    };
    if metadata.len() < BYTES_MIN || !changed.iter().all(is_settled) {
        return None;
    }
    let (device, inode, length) = (metadata.dev(), metadata.ino(), metadata.len());
    let state = format!("{device} {inode} {length} {changed:?} {}", path.display());
    Some(Digest::of(state.as_bytes()))
}

fn write(folder: &Path, entry: &Path, digest: &Digest) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.count() >= ENTRIES_MAX {
        std::fs::remove_dir_all(folder)?;
        std::fs::create_dir_all(folder)?;
    }
    let made = folder.join(nonce());
    std::fs::write(&made, digest.as_str())?;
    match std::fs::rename(&made, entry) {
        // Another process emptied the folder.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;

    use super::*;

    /// Writes a file whose content changed an hour ago; its status did so just now.
    fn write_old(path: &Path, byte: u8) {
        std::fs::write(path, vec![byte; BYTES_MIN as usize]).unwrap();
        let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
        File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    }

    #[test]
    fn a_file_that_settled_is_hashed_once_and_a_change_is_seen_though_its_time_is_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("model"), folder.path().join("kept"));
        write_old(&file, 1);
        let ones = Digest::of(&vec![1; BYTES_MIN as usize]);
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), ones);
        assert!(!kept.exists(), "its status changed just now");
        std::thread::sleep(SETTLED + Duration::from_millis(1_100));
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), ones);
        let entries: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(entries.len(), 1);
        // What is remembered is what is returned.
        let other = Digest::of(b"other");
        std::fs::write(&entries[0], other.as_str()).unwrap();
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), other);
        std::fs::write(&entries[0], "no digest").unwrap();
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), ones);
        write_old(&file, 2);
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), Digest::of(&vec![2; BYTES_MIN as usize]));
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_the_memory_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, kept) = (folder.path().join("model"), folder.path().join("kept"));
        write_old(&file, 1);
        std::fs::write(&kept, "a file").unwrap();
        std::thread::sleep(SETTLED + Duration::from_millis(1_100));
        assert_eq!(digest_by(Some(&kept), &file).unwrap(), Digest::of(&vec![1; BYTES_MIN as usize]));
    }
}
