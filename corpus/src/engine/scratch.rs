//! Unfinished files: one folder per process, removed once that process is gone.

use std::path::{Path, PathBuf};

use crate::limits::FREE_BYTES_MIN;
use crate::output::host_name;
use crate::{Error, Result, Store};

/// Returns the folder for unfinished files of this process.
pub(super) fn folder(store: &Store) -> PathBuf {
    let name = format!("{}-{}", host_name(), std::process::id());
    store.folder().join("scratch").join(name)
}

/// Removes this process's folder once no task is left in it.
pub(super) fn remove_if_empty(store: &Store) {
    // It stays if something is in it, or was never made.
    let _ = std::fs::remove_dir(folder(store));
}

/// Removes the unfinished files of processes of this machine that are no more.
///
/// Folders of other machines are left alone: whether those processes live cannot be known here.
///
/// # Errors
/// When the folder cannot be listed or a leftover not removed.
pub fn remove_leftovers(store: &Store) -> Result<()> {
    let all = store.folder().join("scratch");
    let Ok(entries) = std::fs::read_dir(&all) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(Error::io("list", &all))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let process = name.strip_prefix(&format!("{}-", host_name()));
        let is_alive = |id: &str| Path::new("/proc").join(id).exists();
        if process.is_some_and(|id| id.parse::<u32>().is_ok() && !is_alive(id)) {
            std::fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Refuses to begin a stage on a disk that is nearly full.
pub(super) fn check_free_space(store: &Store) -> Result<()> {
    let folder = store.folder();
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
    fn only_folders_of_dead_processes_of_this_machine_are_removed() {
        let run = tempfile::tempdir().unwrap();
        let store = Store::local(run.path()).unwrap();
        let make = |name: &str| {
            let path = store.folder().join("scratch").join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let mine = make(&format!("{}-{}", host_name(), std::process::id()));
        let dead = make(&format!("{}-{}", host_name(), u32::MAX));
        let elsewhere = make("another-machine-4294967295");
        remove_leftovers(&store).unwrap();
        assert_eq!((mine.exists(), dead.exists(), elsewhere.exists()), (true, false, true));
    }
}
