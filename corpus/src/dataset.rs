//! A sealed stage, read part by part.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::table::{Reader, Record, id_range};
use crate::verify::{Fault, verify_bytes};
use crate::{Error, Id, Manifest, Part, Result, Store};

/// The immutable output of one stage.
#[derive(Debug, Clone)]
pub struct Dataset {
    store: Store,
    manifest: Manifest,
    /// Parts that were compared with their digest.
    checked: Arc<Mutex<BTreeSet<String>>>,
}

impl Dataset {
    /// Opens the dataset that a manifest describes.
    pub fn new(store: Store, manifest: Manifest) -> Self {
        Self { store, manifest, checked: Arc::default() }
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the parts of a stream in input order.
    pub fn parts<'a>(&'a self, stream: &'a str) -> impl Iterator<Item = &'a Part> {
        self.manifest.parts.iter().filter(move |part| part.stream == stream)
    }

    /// Opens a part of this dataset, to be read as a whole: its digest is compared before, once in a process.
    ///
    /// # Errors
    /// When the part is missing, is not what the ledger says, or is not a table of this type.
    pub fn open<R: Record>(&self, part: &Part) -> Result<Reader<R>> {
        self.check(part)?;
        Reader::open(&part.path, self.store.open(&part.path)?)
    }

    /// Returns a file of this machine with the bytes of a part: the part itself, or a copy of it in `folder`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn local_file(&self, part: &Part, folder: &Path) -> Result<PathBuf> {
        self.store.local_file(&part.path, folder)
    }

    /// Opens a part at a row, as a resumed task does.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at<R: Record>(&self, part: &Part, row: u64) -> Result<Reader<R>> {
        self.check(part)?;
        Reader::open_at(&part.path, self.store.open(&part.path)?, row)
    }

    fn check(&self, part: &Part) -> Result<()> {
        if self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&part.path) {
            return Ok(());
        }
        if let Some(detail) = Fault::found(verify_bytes(&self.store, part))? {
            return Err(Error::Part { path: part.path.clone(), detail });
        }
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(part.path.clone());
        Ok(())
    }

    /// Reads a whole stream, part after part.
    pub fn rows<'a, R: Record>(&'a self, stream: &'a str) -> impl Iterator<Item = Result<R>> + 'a {
        self.parts(stream).flat_map(|part| match self.open::<R>(part) {
            Ok(reader) => Box::new(reader) as Box<dyn Iterator<Item = Result<R>>>,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })
    }

    /// Reads the rows of a stream whose row groups may hold ids of the range in the named
    /// column; the caller still has to look at each row.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn rows_near<R: Record>(
        &self,
        stream: &str,
        column: &str,
        ids: &RangeInclusive<Id>,
    ) -> Result<Vec<Reader<R>>> {
        self.parts(stream).map(|part| self.open_near(part, column, ids)).collect()
    }

    /// As [`Self::rows_near`], of one part.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_near<R: Record>(
        &self,
        part: &Part,
        column: &str,
        ids: &RangeInclusive<Id>,
    ) -> Result<Reader<R>> {
        Reader::open_ids(&part.path, self.store.open(&part.path)?, column, ids)
    }

    /// Returns a range that holds the ids of a part's column.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn id_range(&self, part: &Part, column: &str) -> Result<RangeInclusive<Id>> {
        id_range(&part.path, self.store.open(&part.path)?, column)
    }

    /// Reads a small file that is not a table, such as a tokenizer model.
    ///
    /// # Errors
    /// When it is missing or too large.
    pub fn file(&self, stream: &str) -> Result<Option<bytes::Bytes>> {
        match self.parts(stream).next() {
            Some(part) => self.store.get(&part.path),
            None => Ok(None),
        }
    }
}
