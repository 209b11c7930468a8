//! A local file while it is read: rows of its old and its new content are never committed together.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corpus::{Cancel, Dataset, Error, FileState, Fingerprint, Ledger, Result};

use crate::changes::{listed_states, local_change, modified};

/// What the files of a source were like when they were listed, read once in a process.
#[derive(Clone, Default)]
pub(crate) struct Listed(Arc<Mutex<Option<OfListing>>>);

struct OfListing {
    of: (String, Fingerprint),
    states: Arc<BTreeMap<String, FileState>>,
}

impl Listed {
    /// Returns the states by path or URL.
    pub(crate) fn states(
        &self,
        ledger: &Ledger,
        listing: &Dataset,
    ) -> Result<Arc<BTreeMap<String, FileState>>> {
        let manifest = listing.manifest();
        let of = (manifest.stage.clone(), manifest.fingerprint.clone());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.of == of) {
            return Ok(Arc::clone(&known.states));
        }
        let by_url = |state: FileState| (state.url.clone(), state);
        let states: BTreeMap<_, _> = listed_states(ledger, listing)?.into_iter().map(by_url).collect();
        let states = Arc::new(states);
        *known = Some(OfListing { of, states: Arc::clone(&states) });
        Ok(states)
    }
}

/// A local file from the beginning of its task on: whether it is still the one that is read.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    path: PathBuf,
    was: (u64, Option<u64>),
}

impl Watch {
    /// Begins to watch a file that must be what it was when it was listed.
    ///
    /// # Errors
    /// What is different, or that the file cannot be read.
    pub(crate) fn begin(
        path: &Path,
        listed: &FileState,
        cancel: &Cancel,
    ) -> Result<std::result::Result<Self, String>> {
        let was = now(path).map_err(Error::io("read", path))?;
        let change = local_change(path, listed, cancel)?;
        Ok(change.map_or_else(|| Ok(Self { path: path.to_owned(), was }), Err))
    }

    /// Returns what changed since then. A file that is gone is read to its end all the same.
    pub(crate) fn change(&self) -> io::Result<Option<String>> {
        match now(&self.path) {
            Ok(is) if is == self.was => Ok(None),
            Ok((bytes, _)) => {
                Ok(Some(format!("it has {bytes} bytes, had {}, and was written to", self.was.0)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn now(path: &Path) -> io::Result<(u64, Option<u64>)> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), modified(&metadata)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use corpus::mirror::Mirrors;

    use super::*;
    use crate::Client;
    use crate::changes::file_state;
    use crate::fetch::Config;

    #[test]
    fn a_file_that_is_written_to_is_told_and_one_that_is_removed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let client = Client::new(&Config::default(), Mirrors::default()).unwrap();
        let cancel = Cancel::default();
        let listed = file_state(&client, path.to_str().unwrap(), false, &cancel).unwrap().unwrap();
        let watch = Watch::begin(&path, &listed, &cancel).unwrap().unwrap();
        assert_eq!(watch.change().unwrap(), None);
        fs::write(&path, "onetwo").unwrap();
        assert!(watch.change().unwrap().unwrap().starts_with("it has 6 bytes, had 3"));
        assert!(Watch::begin(&path, &listed, &cancel).unwrap().unwrap_err().contains("6 bytes"));
        fs::remove_file(&path).unwrap();
        assert_eq!(watch.change().unwrap(), None);
    }
}
