//! Bytes by path: written once, listed, read by range. The only way to a dataset's files.
//!
//! ```text
//! folder   a folder of this machine: hard links, positioned reads
//! memory   nothing but memory, for tests
//! s3       a bucket of S3, or of a server that speaks as S3 does
//! remote   what buckets have in common: conditional puts, uploads in pieces, ranges read ahead
//! file     StoredFile             an object opened for reads by range, as the parquet reader makes them
//! ```
//!
//! Creation is create-if-absent, the one conditional write that local folders and object stores have in common: of
//! several who put one path exactly one is told that it was theirs.

mod file;
mod folder;
mod memory;
mod place;
mod remote;
mod s3;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path as StorePath;
use tokio::runtime::Runtime;

pub use file::{RangeReader, StoredFile};
pub(crate) use file::{create_local, temporary_name};
pub use place::{Place, PlaceUrl};

use crate::digest::Digest;
use crate::limits::LEDGER_BYTES_MAX;
use crate::{Error, Result};

/// Threads that wait for the store; calls from stages block on them.
const IO_THREADS: usize = 2;
/// Bytes of an object that are copied to this machine at a time.
const COPY_BYTES: u64 = 16 << 20;

/// Looks up a variable of the environment, which names credentials and servers.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// An object store, by the scheme of its URLs.
struct Scheme {
    name: &'static str,
    /// Says what is wrong with what stands behind `://`.
    check: fn(&str) -> std::result::Result<(), String>,
    /// Names the server: two may have a bucket of one name.
    server: fn(Variables<'_>) -> String,
    open: fn(&str, Variables<'_>) -> Result<Arc<dyn Backend>>,
}

/// The object stores that there are. A new one is its file, and its entry here.
const SCHEMES: [Scheme; 1] = [s3::SCHEME];

/// What a backend answers.
type Answer<T> = std::result::Result<T, object_store::Error>;

/// A place for objects. What is said of a call holds for all processes on all machines that use the place at once.
///
/// A backend is one file; an object store that `object_store` knows is what its file opens, behind
/// [`remote::Remote`].
trait Backend: Send + Sync + fmt::Display {
    /// Returns the file that an object is or would be, where it is one of this machine.
    fn local_path(&self, _path: &StorePath) -> Option<PathBuf> {
        None
    }

    /// Writes an object unless the path is taken; true if and only if this call made it.
    fn put_if_absent(&self, path: &StorePath, bytes: Bytes) -> Answer<bool>;

    /// As [`Self::put_if_absent`], the bytes of a file, of which only pieces are in memory. The path holds their
    /// digest: whoever puts it puts the same, so that what is there may be written once more.
    fn put_file_if_absent(&self, path: &StorePath, file: &Path) -> Answer<bool>;

    /// Writes an object in the place of what is there: readers see the one or the other, whole.
    fn replace(&self, path: &StorePath, bytes: Bytes) -> Answer<()>;

    /// As [`Self::replace`], the bytes of a file.
    fn replace_file(&self, path: &StorePath, file: &Path) -> Answer<()>;

    /// Reads a whole object of so many bytes at most.
    fn get(&self, path: &StorePath, bytes_max: u64) -> Answer<Option<Found>>;

    /// Opens an object for reads by range.
    fn open(&self, path: &StorePath) -> Answer<Arc<dyn Object>>;

    /// Lists the objects under a folder with their sizes, in any order; none where there is no such folder.
    fn list(&self, folder: &StorePath) -> Answer<Vec<(String, u64)>>;

    /// Tells the paths of the objects under a folder, in any order, without a look at each of them.
    fn names(&self, folder: &StorePath, each: &mut dyn FnMut(&str)) -> Answer<()>;

    /// Lists the names of the folders directly under a folder, in any order.
    fn folders(&self, folder: &StorePath) -> Answer<Vec<String>>;

    /// Returns true if and only if nothing is in a folder, or below.
    fn is_empty(&self, folder: &StorePath) -> Answer<bool>;

    /// Removes objects, those that are there.
    fn delete(&self, paths: Vec<StorePath>) -> Answer<()>;
}

/// An object that is read by range.
trait Object: Send + Sync {
    /// Returns its length in bytes.
    fn length(&self) -> u64;

    /// Reads `length` bytes from `start`; all of them or none.
    fn read(&self, start: u64, length: usize) -> Answer<Bytes>;
}

/// What a bounded read found.
enum Found {
    Whole(Bytes),
    TooLarge,
}

/// A folder of objects with blocking calls; cheap to clone, usable from any thread that is
/// not itself an async task.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

/// Says where it is.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.backend.fmt(f)
    }
}

impl Store {
    /// Opens a place; a folder is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Place`] when variables do not say how the place is reached; as [`Self::local`].
    pub fn open_at(place: &Place, variables: Variables<'_>) -> Result<Self> {
        let url = match place {
            Place::Folder(folder) => return Self::local(folder),
            Place::Url(url) => url,
        };
        match SCHEMES.iter().find(|known| known.name == url.scheme) {
            Some(known) => Ok(Self { backend: (known.open)(&url.rest, variables)? }),
            None => {
                Err(Error::Place { place: place.to_string(), detail: "it is of no known kind".to_owned() })
            }
        }
    }

    /// Opens a local folder, made if it is missing; writes are flushed to the disk (fsync).
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn local(folder: &Path) -> Result<Self> {
        Ok(Self { backend: Arc::new(folder::Folder::open(folder)?) })
    }

    /// Makes a store that goes with its last clone.
    ///
    /// # Errors
    /// When its threads cannot be started.
    pub fn memory() -> Result<Self> {
        Ok(Self { backend: Arc::new(memory::open()?) })
    }

    /// Returns the file that an object is or would be on this machine; none where the store is elsewhere.
    pub fn local_path(&self, path: &str) -> Option<PathBuf> {
        self.backend.local_path(&location(path).ok()?)
    }

    /// Returns a file of this machine with an object's bytes: the object itself, or a copy of it in `folder`.
    ///
    /// # Errors
    /// When there is no such object, or it cannot be copied.
    pub fn local_file(&self, path: &str, folder: &Path) -> Result<PathBuf> {
        if let Some(local) = self.local_path(path) {
            return Ok(local);
        }
        let object = self.open(path)?;
        let copy = folder.join(path.rsplit('/').next().unwrap_or(path));
        object.copy_to(&copy, COPY_BYTES)?;
        Ok(copy)
    }

    /// Writes an object unless the path is taken; returns true if and only if this call made it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put_if_absent(&self, path: &str, bytes: Bytes) -> Result<bool> {
        self.backend.put_if_absent(&location(path)?, bytes).map_err(failed("write", path))
    }

    /// Puts a finished scratch file under a path that holds its digest, as [`Self::put_if_absent`] does, by a second
    /// name for the same bytes where the file system allows it. A file of any size is never in memory.
    ///
    /// # Errors
    /// When the path does not hold the digest, the file cannot be read, or the store fails.
    pub fn put_file_if_absent(&self, path: &str, file: &Path, digest: &Digest) -> Result<bool> {
        let location = named(path, digest)?;
        self.backend.put_file_if_absent(&location, file).map_err(failed("write", path))
    }

    /// Writes an object in the place of what is there, if anything is: for what a run says of itself and no dataset
    /// holds. Readers see the old or the new one, whole.
    ///
    /// # Errors
    /// When the store fails.
    pub fn replace(&self, path: &str, bytes: Bytes) -> Result<()> {
        self.backend.replace(&location(path)?, bytes).map_err(failed("write", path))
    }

    /// Puts a file in the place of a damaged or missing object, as [`Self::put_file_if_absent`] names it; only repairs
    /// do this.
    ///
    /// # Errors
    /// As [`Self::put_file_if_absent`].
    pub fn replace_file(&self, path: &str, file: &Path, digest: &Digest) -> Result<()> {
        let location = named(path, digest)?;
        self.backend.replace_file(&location, file).map_err(failed("write", path))
    }

    /// Reads a whole small object (a ledger entry, a manifest), or `None` where there is none.
    ///
    /// # Errors
    /// When the store fails, or the object is above [`LEDGER_BYTES_MAX`].
    pub fn get(&self, path: &str) -> Result<Option<Bytes>> {
        let found = self.backend.get(&location(path)?, LEDGER_BYTES_MAX).map_err(failed("read", path))?;
        match found {
            None => Ok(None),
            Some(Found::Whole(bytes)) => Ok(Some(bytes)),
            Some(Found::TooLarge) => Err(Error::Ledger {
                path: path.to_owned(),
                detail: format!("larger than {LEDGER_BYTES_MAX} bytes"),
            }),
        }
    }

    /// Opens an object for reads by range, as the parquet reader makes them.
    ///
    /// # Errors
    /// When there is no such object or it cannot be opened.
    pub fn open(&self, path: &str) -> Result<StoredFile> {
        let object = self.backend.open(&location(path)?).map_err(failed("open", path))?;
        Ok(StoredFile::new(object, path))
    }

    /// Lists the objects under a folder as (path, size in bytes), sorted by path.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, folder: &str) -> Result<Vec<(String, u64)>> {
        let mut found = self.backend.list(&location(folder)?).map_err(failed("list", folder))?;
        found.sort();
        Ok(found)
    }

    /// Lists the paths of the objects under a folder, sorted, without a look at each of them: there may be millions.
    ///
    /// # Errors
    /// When the store fails.
    pub fn names(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.each_name(folder, |name| found.push(name.to_owned()))?;
        found.sort_unstable();
        Ok(found)
    }

    /// As [`Self::names`], one after the other in any order: none of them is held.
    ///
    /// # Errors
    /// When the store fails.
    pub fn each_name(&self, folder: &str, mut each: impl FnMut(&str)) -> Result<()> {
        self.backend.names(&location(folder)?, &mut each).map_err(failed("list", folder))
    }

    /// Lists the names of the folders directly under a folder, sorted.
    ///
    /// # Errors
    /// When the store fails.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = self.backend.folders(&location(folder)?).map_err(failed("list", folder))?;
        found.sort_unstable();
        Ok(found)
    }

    /// Returns true if and only if nothing is in a folder, or below.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_empty(&self, folder: &str) -> Result<bool> {
        self.backend.is_empty(&location(folder)?).map_err(failed("list", folder))
    }

    /// Removes an object, if it is there. Results are removed by garbage collection and repairs alone.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn delete(&self, path: &str) -> Result<()> {
        self.delete_all(std::iter::once(path))
    }

    /// As [`Self::delete`], of many objects.
    ///
    /// # Errors
    /// When the store refuses; some are gone then.
    pub fn delete_all<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Result<()> {
        let mut paths = paths.peekable();
        let Some(first) = paths.peek().copied() else { return Ok(()) };
        let locations = paths.map(location).collect::<Result<_>>()?;
        self.backend.delete(locations).map_err(failed("delete", first))
    }
}

/// Starts the threads on which a backend waits.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("store")
        .enable_all()
        .build()
        .map_err(Error::io("start threads for", "the store"))
}

fn location(path: &str) -> Result<StorePath> {
    StorePath::parse(path).map_err(|source| failed("name", path)(source.into()))
}

/// Returns the location of an object whose name must hold the digest of its bytes.
fn named(path: &str, digest: &Digest) -> Result<StorePath> {
    match path.contains(digest.short()) {
        true => location(path),
        false => {
            let detail = format!("the name does not hold the digest {}", digest.short());
            Err(failed("name", path)(object_store::Error::NotSupported { source: detail.into() }))
        }
    }
}

fn failed(action: &'static str, path: &str) -> impl FnOnce(object_store::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Store { action, path, source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        assert!(store.put_if_absent("../escape", Bytes::new()).is_err());
        assert!(store.get("a/../../escape").is_err());
    }

    #[test]
    fn a_file_is_put_under_its_digest_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::memory().unwrap();
        let (file, digest) = (folder.path().join("file"), Digest::of(b"bytes"));
        std::fs::write(&file, "bytes").unwrap();
        assert!(store.put_file_if_absent("data/part", &file, &digest).is_err());
        let path = format!("data/part-{}", digest.short());
        assert!(store.put_file_if_absent(&path, &file, &digest).unwrap());
        assert!(!store.put_file_if_absent(&path, &file, &digest).unwrap());
    }
}
