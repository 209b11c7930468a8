//! Archives on this machine's disk: downloaded once, whole, within a bound.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use corpus::record::SourceFile;
use corpus::stage::Cancel;
use corpus::{Error, Result};

use super::format::Raw;
use crate::fetch::source::source_error;
use crate::location::Location;
use crate::source::Source;

/// Time between two looks at whether a run that waits for room was asked to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;

/// Where the archives of a source are read from.
pub(super) struct Archives {
    source: Source,
    raw: Option<Raw>,
    /// Bytes of archives on the disk that this process may not remove yet.
    used: Mutex<u64>,
    freed: Condvar,
}

/// An archive that can be read.
pub(super) struct Archive<'a> {
    archives: &'a Archives,
    url: String,
    /// The copy on this machine, with the bytes it counts for.
    copy: Option<(PathBuf, u64)>,
}

impl Archives {
    pub(super) fn new(source: Source, raw: Option<Raw>) -> Self {
        Self { source, raw, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Opens an archive, having downloaded it where archives are kept.
    ///
    /// # Errors
    /// When it cannot be had, the disk refuses, or it is larger than the bound.
    pub(super) fn open(&self, file: &SourceFile, cancel: &Cancel) -> Result<Archive<'_>> {
        let streams = || Archive { archives: self, url: file.url.clone(), copy: None };
        let Some(raw) = &self.raw else {
            return Ok(streams());
        };
        if matches!(self.source.client.locate(&file.url), Location::File(_)) {
            return Ok(streams());
        }
        let folder = raw.dir.join(&self.source.name);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        // Named by its index, never by what a URL says.
        let path = folder.join(format!("{:06}.archive", file.index));
        let bytes = self.download(&file.url, &path, raw, cancel)?;
        Ok(Archive { archives: self, url: file.url.clone(), copy: Some((path, bytes)) })
    }

    fn download(&self, url: &str, path: &Path, raw: &Raw, cancel: &Cancel) -> Result<u64> {
        let broken = |error: &io::Error| source_error(url, error);
        if let Ok(there) = fs::metadata(path) {
            self.take(there.len(), raw, cancel)?;
            return Ok(there.len());
        }
        let length = self.source.client.length(url).map_err(|error| broken(&error))?;
        let no_length =
            || broken(&io::Error::other("the server tells no length; leave out format.crawl.raw"));
        let length = length.ok_or_else(no_length)?;
        if length > raw.bytes_max {
            let detail = format!("an archive of {length} bytes is above format.crawl.raw.bytes_max");
            return Err(Error::Settings { stage: self.source.name.clone(), detail });
        }
        self.take(length, raw, cancel)?;
        let partial = path.with_extension("partial");
        self.fill(url, &partial, length, cancel).inspect_err(|_| self.give(length))?;
        fs::rename(&partial, path).map_err(Error::io("rename", path))?;
        Ok(length)
    }

    /// Downloads what is not there yet.
    fn fill(&self, url: &str, partial: &Path, length: u64, cancel: &Cancel) -> Result<()> {
        let written = |error| Error::io("write", partial)(error);
        let mut file =
            OpenOptions::new().create(true).append(true).open(partial).map_err(Error::io("open", partial))?;
        let mut there = file.metadata().map_err(Error::io("read", partial))?.len();
        if there > length {
            // Of another file than is there now.
            file.set_len(0).map_err(written)?;
            there = 0;
        }
        let mut reader = self.source.client.open_at(url, there)?;
        let mut buffer = vec![0; COPY_BYTES];
        while there < length {
            cancel.check()?;
            let count = reader.read(&mut buffer).map_err(|error| source_error(url, &error))?;
            if count == 0 {
                return Err(source_error(
                    url,
                    &io::Error::other(format!("ends after {there} of {length} bytes")),
                ));
            }
            file.write_all(&buffer[..count]).map_err(written)?;
            there += count as u64;
        }
        file.sync_all().map_err(written)
    }

    /// Waits until there is room; where archives stay, room never comes back.
    fn take(&self, bytes: u64, raw: &Raw, cancel: &Cancel) -> Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used + bytes > raw.bytes_max {
            if raw.keep {
                let detail =
                    format!("archives to keep are above format.crawl.raw.bytes_max = {}", raw.bytes_max);
                return Err(Error::Settings { stage: self.source.name.clone(), detail });
            }
            cancel.check()?;
            let waited = self.freed.wait_timeout(used, LOOK_EVERY);
            used = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(used, _)| used);
        }
        *used += bytes;
        Ok(())
    }

    fn give(&self, bytes: u64) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.freed.notify_all();
    }
}

impl Archive<'_> {
    /// Returns a reader from the beginning.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn reader(&self) -> Result<Box<dyn Read + '_>> {
        match &self.copy {
            Some((path, _)) => Ok(Box::new(File::open(path).map_err(Error::io("open", path))?)),
            None => Ok(Box::new(self.archives.source.client.open(&self.url)?)),
        }
    }

    /// Removes the copy, unless archives are kept; called once the task is committed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn done(&self) -> Result<()> {
        match (&self.copy, &self.archives.raw) {
            (Some((path, _)), Some(raw)) if !raw.keep => {
                fs::remove_file(path).map_err(Error::io("remove", path))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Archive<'_> {
    fn drop(&mut self) {
        let keeps = self.archives.raw.as_ref().is_some_and(|raw| raw.keep);
        if let (Some((_, bytes)), false) = (&self.copy, keeps) {
            self.archives.give(*bytes);
        }
    }
}
