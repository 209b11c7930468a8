//! A spool: strings of bytes in a scratch file, written one after the other and read at their places.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};
use bytes::Bytes;

/// Takes bytes; [`Self::finish`] makes them readable.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
}

/// Where bytes lie in a spool.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    offset: u64,
    length: usize,
}

/// A spool that is read.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    file: File,
}

impl Spool {
    /// Creates the file, and its folder; one of the same name is replaced.
    pub fn create(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let options = File::options().read(true).write(true).create(true).truncate(true).open(path);
        let file = BufWriter::new(options.map_err(Error::io("create", path))?);
        Ok(Self { path: path.to_owned(), file, length: 0 })
    }

    /// Appends bytes; returns their place.
    pub fn add(&mut self, bytes: &[u8]) -> Result<Place> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))?;
        let place = Place { offset: self.length, length: bytes.len() };
        self.length += bytes.len() as u64;
        Ok(place)
    }

    /// Ends the file; what was put into it can be read.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self) -> Result<Spooled> {
        let Self { path, file, .. } = self;
        let file = file.into_inner().map_err(|error| Error::io("write", &path)(error.into_error()))?;
        Ok(Spooled { path, file })
    }
}

impl Spooled {
    /// Reads what [`Spool::add`] put at a place.
    pub fn read(&self, place: Place) -> Result<Bytes> {
        let mut bytes = vec![0; place.length];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(Error::io("read", &self.path))?;
        Ok(bytes.into())
    }
}
