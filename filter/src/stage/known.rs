//! What users know records by, in a scratch file: names and sketches of a whole group take too much memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use corpus::{Error, Result};

/// Bytes of the two lengths before an entry.
const LENGTHS_BYTES: usize = 8;
/// The length of what is not there.
const NONE: u32 = u32::MAX;

/// What is known of a representative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Its own id at its source, or else its URL.
    pub(super) name: Option<String>,
    /// A byte for every minimum of its signature.
    pub(super) sketch: Option<Bytes>,
}

/// Writes entries one behind the other.
pub(super) struct KnownWriter {
    path: PathBuf,
    file: BufWriter<File>,
    end: u64,
}

/// Reads them at their places.
pub(super) struct KnownReader {
    path: PathBuf,
    file: File,
}

impl KnownWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let options = File::options().read(true).write(true).create_new(true).open(path);
        let file = BufWriter::new(options.map_err(Error::io("create", path))?);
        Ok(Self { path: path.to_owned(), file, end: 0 })
    }

    /// Adds an entry; returns its place in bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn add(&mut self, known: &Known) -> Result<u64> {
        let place = self.end;
        let fields = [known.name.as_deref().map(str::as_bytes), known.sketch.as_deref()];
        for field in fields {
            let length = field.map_or(NONE, |bytes| bytes.len() as u32);
            self.write(&length.to_le_bytes())?;
        }
        fields.into_iter().flatten().try_for_each(|bytes| self.write(bytes))?;
        Ok(place)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.end += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))
    }

    /// Returns what reads the entries.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn finish(self) -> Result<KnownReader> {
        let Self { path, file, .. } = self;
        let file = file.into_inner().map_err(|error| Error::io("write", &path)(error.into_error()))?;
        Ok(KnownReader { path, file })
    }
}

impl KnownReader {
    /// Reads the entry at a place that [`KnownWriter::add`] returned.
    ///
    /// # Errors
    /// When the disk refuses, or no entry starts there.
    pub(super) fn at(&self, place: u64) -> Result<Known> {
        let mut lengths = [[0; LENGTHS_BYTES / 2]; 2];
        self.read(place, lengths.as_flattened_mut())?;
        let [name, sketch] = lengths.map(u32::from_le_bytes);
        let bytes = |length: u32| if length == NONE { 0 } else { length as usize };
        let mut text = vec![0; bytes(name)];
        let mut minima = vec![0; bytes(sketch)];
        let start = place + LENGTHS_BYTES as u64;
        self.read(start, &mut text)?;
        self.read(start + text.len() as u64, &mut minima)?;
        let text = String::from_utf8(text).map_err(|error| Error::work("representatives", error))?;
        Ok(Known { name: (name != NONE).then_some(text), sketch: (sketch != NONE).then(|| minima.into()) })
    }

    fn read(&self, place: u64, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(bytes, place).map_err(Error::io("read", &self.path))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_in_any_order_and_nothing_differs_from_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = KnownWriter::create(&folder.path().join("known")).unwrap();
        let names = [None, Some(""), Some("key 1"), Some("größer")];
        let sketches = [None, Some(Bytes::new()), Some(Bytes::from_static(&[0, 255, 7]))];
        let mut written = Vec::new();
        for name in names {
            for sketch in &sketches {
                let known = Known { name: name.map(str::to_owned), sketch: sketch.clone() };
                written.push((writer.add(&known).unwrap(), known));
            }
        }
        let reader = writer.finish().unwrap();
        for (place, known) in written.iter().rev() {
            assert_eq!(reader.at(*place).unwrap(), *known);
        }
    }
}
