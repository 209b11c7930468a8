//! An object opened for reads by range, and files of this machine.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

use super::{Object, failed};
use crate::unique::nonce;
use crate::{Error, Result};

/// An object opened for reads by range.
///
/// The parquet reader tells of any failure in words of its own, so that one of the store would look like a damaged
/// table: the store's is remembered here.
#[derive(Clone)]
pub struct StoredFile {
    object: Arc<dyn Object>,
    path: String,
    failure: Arc<Mutex<Option<Error>>>,
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredFile({}, {} bytes)", self.path, self.object.length())
    }
}

impl StoredFile {
    pub(super) fn new(object: Arc<dyn Object>, path: &str) -> Self {
        Self { object, path: path.to_owned(), failure: Arc::default() }
    }

    /// Reads `length` bytes from `start`.
    ///
    /// # Errors
    /// When the range is outside the object or it cannot be read.
    pub fn read(&self, start: u64, length: usize) -> Result<Bytes> {
        self.object.read(start, length).map_err(failed("read", &self.path))
    }

    /// Returns the store's error by which a read of the parquet reader failed, if one did.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn read_for_parquet(&self, start: u64, length: usize) -> std::io::Result<Bytes> {
        self.read(start, length).map_err(|error| {
            let told = std::io::Error::other(error.to_string());
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            told
        })
    }

    /// Copies all of it into a file of this machine, so many bytes at a time.
    pub(super) fn copy_to(&self, path: &Path, bytes_at_once: u64) -> Result<()> {
        let mut file = create_local(path)?;
        let mut start = 0;
        while start < self.len() {
            let length = bytes_at_once.min(self.len() - start);
            let bytes = self.read(start, length as usize)?;
            file.write_all(&bytes).map_err(Error::io("write", path))?;
            start += length;
        }
        Ok(())
    }
}

impl Length for StoredFile {
    fn len(&self) -> u64 {
        self.object.length()
    }
}

impl ChunkReader for StoredFile {
    type T = RangeReader;

    fn get_read(&self, start: u64) -> parquet::errors::Result<RangeReader> {
        Ok(RangeReader { file: self.clone(), start, ahead: READ_AHEAD_BYTES_MIN, buffer: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        Ok(self.read_for_parquet(start, length)?)
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
            let left = self.file.len().saturating_sub(self.start);
            let length = left.min(self.ahead);
            if length == 0 {
                return Ok(0);
            }
            self.ahead = (self.ahead * 8).min(READ_AHEAD_BYTES_MAX);
            self.buffer = self.file.read_for_parquet(self.start, length as usize)?;
            self.start += length;
        }
        let count = out.len().min(self.buffer.len());
        out[..count].copy_from_slice(&self.buffer.split_to(count));
        Ok(count)
    }
}

/// Creates a file of this machine, and its folder.
pub(crate) fn create_local(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    File::create(path).map_err(Error::io("create", path))
}

/// Returns a name for a file that is to get another one, which nobody else uses and no listing shows.
pub(crate) fn temporary_name(name: &str) -> String {
    // As `object_store` names its own: what ends with # and digits is in work.
    let digits: String = nonce().bytes().map(|byte| format!("{byte:03}")).collect();
    format!("{name}#{digits}")
}
