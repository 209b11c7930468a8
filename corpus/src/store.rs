//! Bytes by path: written once, listed, read by range. The only way to a dataset's files.
//!
//! Built on `object_store`, so that a folder and a bucket behave alike. Creation is
//! `PutMode::Create`, the one conditional write that local folders and S3 have in common.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::Runtime;

use crate::limits::LEDGER_BYTES_MAX;
use crate::scratch::Scratch;
use crate::{Error, Result};

/// Threads that wait for the store; calls from stages block on them.
const IO_THREADS: usize = 2;

/// A folder of objects with blocking calls; cheap to clone, usable from any thread that is
/// not itself an async task.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    runtime: Arc<Runtime>,
    folder: PathBuf,
    /// Made by the first task that writes.
    scratch: Arc<Mutex<Option<Scratch>>>,
    /// Folders that are known to be on the disk, up to the store's own.
    synced: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.folder.display())
    }
}

impl Store {
    /// Opens a local folder, made if it is missing; writes are flushed to the disk (fsync).
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn local(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let folder = folder.canonicalize().map_err(Error::io("resolve", folder))?;
        let objects = LocalFileSystem::new_with_prefix(&folder).map_err(failed("open", ""))?.with_fsync(true);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(Error::io("start threads for", &folder))?;
        Ok(Self {
            objects: Arc::new(objects),
            runtime: Arc::new(runtime),
            folder,
            scratch: Arc::default(),
            synced: Arc::default(),
        })
    }

    /// Returns the folder of this process for unfinished files, made by the first call; it goes with the
    /// last clone of this store.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match scratch.take() {
            Some(open) => open,
            None => Scratch::open(&self.folder.join("scratch"))?,
        };
        Ok(scratch.insert(open).folder().to_owned())
    }

    /// Returns the run's folder on this machine: for scratch files, logs and crash marks,
    /// which are not objects.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes an object unless the path is taken; returns true if and only if this call made it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put_if_absent(&self, path: &str, bytes: Bytes) -> Result<bool> {
        let options = PutOptions::from(PutMode::Create);
        let location = location(path)?;
        let put = self.objects.put_opts(&location, PutPayload::from_bytes(bytes), options);
        match self.wait(put) {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(failed("write", path)(source)),
        }
    }

    /// Puts a finished scratch file under a path as [`Self::put_if_absent`] does, by a second name for the
    /// same bytes where the file system allows it.
    ///
    /// # Errors
    /// When the file cannot be read or the store fails.
    pub fn put_file_if_absent(&self, path: &str, file: &Path) -> Result<bool> {
        let target = self.folder.join(location(path)?.as_ref());
        let parent = target.parent().unwrap_or(&self.folder);
        self.create_synced(parent)?;
        sync(file)?;
        match std::fs::hard_link(file, &target) {
            Ok(()) => sync(parent).map(|()| true),
            // Whoever made it may have died before this.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => sync(parent).map(|()| false),
            // Another file system, or one without links.
            Err(_) => {
                let bytes = std::fs::read(file).map_err(Error::io("read", file))?;
                self.put_if_absent(path, bytes.into())
            }
        }
    }

    /// Creates a folder and those above it, and flushes their names to the disk up to the store's own folder.
    fn create_synced(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        for path in folder.ancestors().take_while(|path| *path != self.folder) {
            if synced.contains(path) {
                return Ok(());
            }
            // A folder's name is in the one above it.
            path.parent().map_or(Ok(()), sync)?;
            synced.insert(path.to_owned());
        }
        Ok(())
    }

    /// Reads a whole small object (a ledger entry, a manifest), or `None` where there is none.
    ///
    /// # Errors
    /// When the store fails, or the object is above [`LEDGER_BYTES_MAX`].
    pub fn get(&self, path: &str) -> Result<Option<Bytes>> {
        let location = location(path)?;
        let get = async {
            let answer = self.objects.get(&location).await?;
            if answer.meta.size > LEDGER_BYTES_MAX {
                return Ok(None);
            }
            answer.bytes().await.map(Some)
        };
        match self.wait(get) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(Error::Ledger {
                path: path.to_owned(),
                detail: format!("larger than {LEDGER_BYTES_MAX} bytes"),
            }),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed("read", path)(source)),
        }
    }

    /// Opens an object for reads by range, as the parquet reader makes them: of a folder its file itself,
    /// since they are many and small.
    ///
    /// # Errors
    /// When there is no such object or it cannot be opened.
    pub fn open(&self, path: &str) -> Result<StoredFile> {
        let file = File::open(self.folder.join(location(path)?.as_ref()));
        let file = file.map_err(unreadable("open", path))?;
        let length = file.metadata().map_err(unreadable("open", path))?.len();
        Ok(StoredFile { file: Arc::new(file), path: path.to_owned(), length })
    }

    /// Lists the objects under a folder as (path, size in bytes), sorted by path.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, folder: &str) -> Result<Vec<(String, u64)>> {
        let location = location(folder)?;
        let listing = self
            .objects
            .list(Some(&location))
            .map_ok(|meta| (meta.location.to_string(), meta.size))
            .try_collect::<Vec<_>>();
        let mut found = self.wait(listing).map_err(failed("list", folder))?;
        found.sort();
        Ok(found)
    }

    /// Lists the names of the folders directly under a folder, sorted.
    ///
    /// # Errors
    /// When the store fails.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let location = location(folder)?;
        let listing =
            self.wait(self.objects.list_with_delimiter(Some(&location))).map_err(failed("list", folder))?;
        let names = listing.common_prefixes.iter();
        Ok(names.filter_map(|path| Some(path.filename()?.to_owned())).collect())
    }

    /// Puts a file in the place of a damaged or missing object; only repairs do this.
    pub(crate) fn replace_file(&self, path: &str, file: &Path) -> Result<()> {
        match self.delete(path) {
            Ok(()) | Err(Error::Store { source: object_store::Error::NotFound { .. }, .. }) => {}
            Err(error) => return Err(error),
        }
        self.put_file_if_absent(path, file).map(drop)
    }

    /// Removes an object; only garbage collection and repairs do this.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        self.wait(self.objects.delete(&location(path)?)).map_err(failed("delete", path))
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// Flushes a file or a folder to the disk.
fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io("flush", path))
}

fn location(path: &str) -> Result<StorePath> {
    StorePath::parse(path).map_err(|source| failed("name", path)(source.into()))
}

fn failed(action: &'static str, path: &str) -> impl FnOnce(object_store::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Store { action, path, source }
}

/// As [`failed`], of an object's file.
fn unreadable(action: &'static str, path: &str) -> impl FnOnce(std::io::Error) -> Error {
    let failed = failed(action, path);
    move |source| failed(object_store::Error::Generic { store: "folder", source: source.into() })
}

/// An object opened for reads by range.
#[derive(Debug, Clone)]
pub struct StoredFile {
    file: Arc<File>,
    path: String,
    length: u64,
}

impl StoredFile {
    /// Reads `length` bytes from `start`.
    ///
    /// # Errors
    /// When the range is outside the object or the file cannot be read.
    pub fn read(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start).map_err(unreadable("read", &self.path))?;
        Ok(bytes.into())
    }
}

impl Length for StoredFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for StoredFile {
    type T = RangeReader;

    fn get_read(&self, start: u64) -> parquet::errors::Result<RangeReader> {
        Ok(RangeReader { file: self.clone(), start, ahead: READ_AHEAD_BYTES_MIN, buffer: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.read(start, length).map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))
    }
}

/// Bytes fetched ahead by the first read: a page's header, which the parquet reader wants alone.
const READ_AHEAD_BYTES_MIN: u64 = 4 << 10;
/// Bytes fetched ahead when reads go on.
const READ_AHEAD_BYTES_MAX: u64 = 1 << 20;

/// Reads an object from a position to its end.
#[derive(Debug)]
pub struct RangeReader {
    file: StoredFile,
    start: u64,
    ahead: u64,
    buffer: Bytes,
}

impl Read for RangeReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.buffer.is_empty() {
            let left = self.file.length.saturating_sub(self.start);
            let length = left.min(self.ahead);
            if length == 0 {
                return Ok(0);
            }
            self.ahead = (self.ahead * 8).min(READ_AHEAD_BYTES_MAX);
            self.buffer = self.file.read(self.start, length as usize).map_err(std::io::Error::other)?;
            self.start += length;
        }
        let count = out.len().min(self.buffer.len());
        out[..count].copy_from_slice(&self.buffer.split_to(count));
        Ok(count)
    }
}

/// Opens a scratch file that vanishes with its handle's folder.
pub(crate) fn create_scratch(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    File::create(path).map_err(Error::io("create", path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_once_and_read_by_range() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        assert!(store.put_if_absent("a/b", Bytes::from_static(b"hello")).unwrap());
        assert!(!store.put_if_absent("a/b", Bytes::from_static(b"other")).unwrap());
        assert_eq!(store.get("a/b").unwrap().unwrap(), Bytes::from_static(b"hello"));
        assert_eq!(store.get("a/c").unwrap(), None);
        assert_eq!(store.list("a").unwrap(), [("a/b".to_owned(), 5)]);
        let file = store.open("a/b").unwrap();
        assert_eq!(file.read(1, 3).unwrap(), Bytes::from_static(b"ell"));
        let mut text = String::new();
        file.get_read(2).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "llo");
        assert!(store.list("nothing").unwrap().is_empty());
    }

    #[test]
    fn a_path_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        assert!(store.put_if_absent("../escape", Bytes::new()).is_err());
        assert!(store.get("a/../../escape").is_err());
    }
}
