//! Objects in a folder of this machine, or one that many machines have mounted. A put is on the disk when it returns.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::runtime::Runtime;

use super::{Answer, Backend, Found, Object, failed, runtime, temporary_name};
use crate::{Error, Result};

/// Times that a file's folder is made, which somebody may remove meanwhile since it is empty.
const CREATIONS_MAX: usize = 8;

/// A folder of files.
pub(super) struct Folder {
    objects: LocalFileSystem,
    runtime: Runtime,
    folder: PathBuf,
    /// Folders that are known to be on the disk, up to this one.
    synced: Mutex<BTreeSet<PathBuf>>,
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.display().fmt(f)
    }
}

impl Folder {
    /// Opens a folder, made if it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let folder = folder.canonicalize().map_err(Error::io("resolve", folder))?;
        let objects = LocalFileSystem::new_with_prefix(&folder).map_err(failed("open", ""))?.with_fsync(true);
        Ok(Self { objects, runtime: runtime()?, folder, synced: Mutex::default() })
    }

    fn path(&self, path: &StorePath) -> PathBuf {
        self.folder.join(path.as_ref())
    }

    fn put(&self, path: &StorePath, bytes: Bytes, mode: PutMode) -> Answer<()> {
        let put = self.objects.put_opts(path, PutPayload::from_bytes(bytes), PutOptions::from(mode));
        self.wait(put).map(drop)
    }

    /// Gives a file's bytes another name by `name`, having made the folder of that; both are on the disk then.
    fn named<T>(&self, target: &Path, name: impl Fn() -> std::io::Result<T>) -> std::io::Result<T> {
        let parent = target.parent().unwrap_or(&self.folder);
        for _ in 1..CREATIONS_MAX {
            self.create_synced(parent)?;
            match name() {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => return result.and_then(|made| sync(parent).map(|()| made)),
            }
        }
        name().and_then(|made| sync(parent).map(|()| made))
    }

    /// Creates a folder and those above it, and flushes their names to the disk up to the store's own folder.
    fn create_synced(&self, folder: &Path) -> std::io::Result<()> {
        let was_there = folder.is_dir();
        std::fs::create_dir_all(folder)?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        for path in folder.ancestors().take_while(|path| *path != self.folder) {
            // It may be another one than that which was flushed, and so may those above it.
            if was_there && synced.contains(path) {
                return Ok(());
            }
            // A folder's name is in the one above it.
            path.parent().map_or(Ok(()), sync)?;
            synced.insert(path.to_owned());
        }
        Ok(())
    }

    /// Removes folders from one up that are empty.
    fn remove_empty(&self, folder: Option<&Path>) {
        let above = folder.into_iter().flat_map(Path::ancestors);
        for path in above.take_while(|path| *path != self.folder && path.starts_with(&self.folder)) {
            if std::fs::remove_dir(path).is_err() {
                return;
            }
        }
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl Backend for Folder {
    fn local_path(&self, path: &StorePath) -> Option<PathBuf> {
        Some(self.path(path))
    }

    fn put_if_absent(&self, path: &StorePath, bytes: Bytes) -> Answer<bool> {
        match self.put(path, bytes, PutMode::Create) {
            Ok(()) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn put_file_if_absent(&self, path: &StorePath, file: &Path) -> Answer<bool> {
        let target = self.path(path);
        let link = |file: &Path| match std::fs::hard_link(file, &target) {
            Ok(()) => Ok(true),
            // Whoever made it may have died before it was flushed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        };
        sync(file).map_err(generic)?;
        match self.named(&target, || link(file)) {
            // Another file system.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
            result => return result.map_err(generic),
        }
        let temporary = temporary(&target);
        let put = self.named(&temporary, || copy(file, &temporary));
        let put = put.and_then(|()| self.named(&target, || link(&temporary)));
        let _ = std::fs::remove_file(&temporary);
        put.map_err(generic)
    }

    fn replace(&self, path: &StorePath, bytes: Bytes) -> Answer<()> {
        self.put(path, bytes, PutMode::Overwrite)
    }

    fn replace_file(&self, path: &StorePath, file: &Path) -> Answer<()> {
        let target = self.path(path);
        let temporary = temporary(&target);
        // Not by a link: what is renamed over another name of itself keeps both.
        let put = self.named(&temporary, || copy(file, &temporary));
        let put = put.and_then(|()| self.named(&target, || std::fs::rename(&temporary, &target)));
        if put.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        put.map_err(generic)
    }

    fn get(&self, path: &StorePath, bytes_max: u64) -> Answer<Option<Found>> {
        let get = async {
            let answer = self.objects.get(path).await?;
            match answer.meta.size > bytes_max {
                true => Ok(Found::TooLarge),
                false => answer.bytes().await.map(Found::Whole),
            }
        };
        match self.wait(get) {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file itself, since reads are many and small.
    fn open(&self, path: &StorePath) -> Answer<Arc<dyn Object>> {
        let file = File::open(self.path(path)).map_err(generic)?;
        let length = file.metadata().map_err(generic)?.len();
        Ok(Arc::new(Opened { file, length }))
    }

    fn list(&self, folder: &StorePath) -> Answer<Vec<(String, u64)>> {
        let listing = self.objects.list(Some(folder));
        self.wait(listing.map_ok(|meta| (meta.location.to_string(), meta.size)).try_collect())
    }

    fn names(&self, folder: &StorePath, each: &mut dyn FnMut(&str)) -> Answer<()> {
        walk(&self.path(folder), folder.as_ref(), each).map_err(generic)
    }

    fn folders(&self, folder: &StorePath) -> Answer<Vec<String>> {
        let listing = self.wait(self.objects.list_with_delimiter(Some(folder)))?;
        let names = listing.common_prefixes.iter();
        Ok(names.filter_map(|path| Some(path.filename()?.to_owned())).collect())
    }

    fn is_empty(&self, folder: &StorePath) -> Answer<bool> {
        match std::fs::read_dir(self.path(folder)) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(generic(error)),
        }
    }

    fn delete(&self, paths: Vec<StorePath>) -> Answer<()> {
        for file in paths.iter().map(|path| self.path(path)) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(generic(error)),
                _ => self.remove_empty(file.parent()),
            }
        }
        Ok(())
    }
}

/// An open file.
struct Opened {
    file: File,
    length: u64,
}

impl Object for Opened {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, start: u64, length: usize) -> Answer<Bytes> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start).map_err(generic)?;
        Ok(bytes.into())
    }
}

/// Collects the paths of the files in a folder and below, as they are called from `name` on.
fn walk(folder: &Path, name: &str, each: &mut dyn FnMut(&str)) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        // It may have been removed since it was listed.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // Nothing of ours has a name that is not UTF-8, or ends as those of files in work.
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        if is_in_work(&file_name) {
            continue;
        }
        let name = if name.is_empty() { file_name } else { format!("{name}/{file_name}") };
        let kind = entry.file_type()?;
        match kind.is_dir() || kind.is_symlink() && entry.path().is_dir() {
            true => walk(&entry.path(), &name, each)?,
            false => each(&name),
        }
    }
    Ok(())
}

/// Tells the names of [`temporary_name`] and of `object_store`'s own files that are being written.
fn is_in_work(name: &str) -> bool {
    let digits = name.split_once('#').map_or("", |(_, digits)| digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a file beside another one that no listing shows.
fn temporary(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(temporary_name(&name))
}

/// Copies a file to the disk.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    sync(to)
}

/// Flushes a file or a folder to the disk.
fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path).and_then(|file| file.sync_all())
}

fn generic(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "folder", source: source.into() }
}
