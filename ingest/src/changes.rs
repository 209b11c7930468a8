//! Changes: whether the files of a source are still those that were listed.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use corpus::ledger::FileState;
use corpus::{Cancel, Dataset, Error, Ledger, Result};
use xxhash_rust::xxh3::Xxh3;

use crate::Client;
use crate::fetch::source::{file_fault, source_error};
use crate::location::Location;

/// Bytes hashed at once.
const HASH_BYTES: usize = 1 << 20;

/// A file that is no longer what it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The path or URL, as the listing has it.
    pub url: String,
    /// What is different.
    pub detail: String,
}

/// Returns what a file is like; none of a remote one unless its server is to be asked.
///
/// A local file is read once, as a whole, for the hash of its content; one that cannot be read has none.
pub(crate) fn file_state(
    client: &Client,
    url: &str,
    check_remote: bool,
    cancel: &Cancel,
) -> Result<Option<FileState>> {
    match client.locate(url) {
        Location::File(path) => {
            let metadata = match std::fs::metadata(&path) {
                // A link that leads nowhere, or in a circle: failed when it is read.
                Err(_) if path.is_symlink() => return Ok(None),
                Err(error) if is_denied(&error) => return Ok(None),
                metadata => metadata.map_err(Error::io("read", &path))?,
            };
            let content = match File::open(&path) {
                Err(error) if is_denied(&error) => None,
                file => {
                    let file = file.map_err(Error::io("read", &path))?;
                    match content_hash(file, &path, cancel) {
                        // It fails where it is read, and the other files do not.
                        Err(Error::Io { .. }) => None,
                        hash => Some(hash?),
                    }
                }
            };
            let (bytes, modified_unix_nanos) = (Some(metadata.len()), modified(&metadata));
            Ok(Some(FileState { url: url.to_owned(), bytes, modified_unix_nanos, etag: None, content }))
        }
        Location::Remote(_) if check_remote => match client.told(url) {
            Ok(told) => {
                let etag = told.etag.filter(|_| !client.is_mirrored(url));
                Ok(Some(FileState { url: url.to_owned(), bytes: told.length, etag, ..FileState::default() }))
            }
            // A missing file is failed when it is read.
            Err(error) if file_fault(&error).is_some() => Ok(None),
            Err(error) => Err(source_error(url, &error)),
        },
        Location::Remote(_) => Ok(None),
    }
}

/// Returns the files that changed since they were listed.
///
/// A local file is the same if its size and modification time are; at equal size and another time its
/// content decides, so a `touch` is no change. With `check_remote` the server of every remote file is
/// asked (one request each): another size is a change, and so is another strong entity tag, if both
/// come from the URL's own host. Tags of a mirror are its own, and are never compared.
///
/// # Errors
/// When a file that is there cannot be read, or a server does not answer.
pub fn changed_files(client: &Client, states: &[FileState], check_remote: bool) -> Result<Vec<Changed>> {
    let mut changed = Vec::new();
    for state in states {
        let detail = match client.locate(&state.url) {
            Location::File(path) => local_change(&path, state, &Cancel::default())?,
            Location::Remote(_) if check_remote => remote_change(client, state)?,
            Location::Remote(_) => None,
        };
        changed.extend(detail.map(|detail| Changed { url: state.url.clone(), detail }));
    }
    Ok(changed)
}

/// Returns what the files of a listing were like when they were listed.
///
/// # Errors
/// When its entries cannot be read.
pub fn listed_states(ledger: &Ledger, listing: &Dataset) -> Result<Vec<FileState>> {
    let manifest = listing.manifest();
    let mut states = Vec::new();
    for task in 0..manifest.task_count {
        let entries = ledger.entries(&manifest.stage, &manifest.fingerprint, task)?;
        states.extend(entries.into_iter().flat_map(|entry| entry.context.files));
    }
    Ok(states)
}

/// Returns what is different about a local file since it was listed.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn local_change(path: &Path, state: &FileState, cancel: &Cancel) -> Result<Option<String>> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("it is gone".to_owned())),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    if let Some(detail) = size_change(Some(metadata.len()), state) {
        return Ok(Some(detail));
    }
    let was_touched = state.modified_unix_nanos.is_some() && modified(&metadata) != state.modified_unix_nanos;
    let open = || File::open(path);
    Ok(match &state.content {
        Some(content) if was_touched => {
            let file = open().map_err(Error::io("read", path))?;
            let is_other = content_hash(file, path, cancel)? != *content;
            is_other.then(|| "its content is different, at the same size".to_owned())
        }
        Some(_) => None,
        // It was listed as a file of this machine, and could not be opened.
        None if state.modified_unix_nanos.is_some() => {
            open().is_ok().then(|| "it could not be opened, and now it can".to_owned())
        }
        None => None,
    })
}

fn remote_change(client: &Client, state: &FileState) -> Result<Option<String>> {
    let told = match client.told(&state.url) {
        Ok(told) => told,
        Err(error) => {
            return match file_fault(&error) {
                Some(fault) => Ok(Some(fault.detail)),
                None => Err(source_error(&state.url, &error)),
            };
        }
    };
    if let Some(detail) = size_change(told.length, state) {
        return Ok(Some(detail));
    }
    let etag = told.etag.filter(|_| !client.is_mirrored(&state.url));
    Ok(match (&state.etag, etag) {
        (Some(was), Some(is)) if *was != is => Some(format!("its entity tag is {is}, was {was}")),
        _ => None,
    })
}

fn size_change(bytes: Option<u64>, state: &FileState) -> Option<String> {
    match (bytes, state.bytes) {
        (Some(is), Some(was)) if is != was => Some(format!("it has {is} bytes, had {was}")),
        _ => None,
    }
}

pub(crate) fn modified(metadata: &Metadata) -> Option<u64> {
    let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(time.as_nanos()).ok()
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Returns the XXH3 hash of a file's content, 128 bits as hexadecimal digits.
///
/// # Errors
/// When it cannot be read, or a stop was asked for.
fn content_hash(mut file: File, path: &Path, cancel: &Cancel) -> Result<String> {
    let (mut hash, mut buffer) = (Xxh3::new(), vec![0; HASH_BYTES]);
    loop {
        cancel.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(format!("{:032x}", hash.digest128())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", path)(error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use corpus::mirror::Mirrors;

    use super::*;
    use crate::fetch::Config;

    fn client() -> Client {
        Client::new(&Config::default(), Mirrors::default()).unwrap()
    }

    fn set_time(path: &Path, time: SystemTime) {
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn a_touch_is_no_change_and_other_content_of_equal_size_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let client = client();
        let state = file_state(&client, path.to_str().unwrap(), false, &Cancel::default()).unwrap().unwrap();
        assert_eq!((state.bytes, state.content.as_ref().map(String::len)), (Some(3), Some(32)));
        let changes = || {
            let changed = changed_files(&client, std::slice::from_ref(&state), false).unwrap();
            changed.into_iter().map(|changed| changed.detail).collect::<Vec<_>>().join("")
        };
        assert_eq!(changes(), "");
        set_time(&path, SystemTime::now() - Duration::from_secs(1_000));
        assert_eq!(changes(), "");
        fs::write(&path, "two").unwrap();
        assert_eq!(changes(), "its content is different, at the same size");
        fs::write(&path, "three").unwrap();
        assert_eq!(changes(), "it has 5 bytes, had 3");
        fs::remove_file(&path).unwrap();
        assert_eq!(changes(), "it is gone");
    }

    #[test]
    fn a_file_that_could_not_be_opened_has_changed_once_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let state = file_state(&client(), path.to_str().unwrap(), false, &Cancel::default());
        let state = FileState { content: None, ..state.unwrap().unwrap() };
        let change = local_change(&path, &state, &Cancel::default()).unwrap();
        assert_eq!(change.as_deref(), Some("it could not be opened, and now it can"));
    }

    #[test]
    fn a_hash_is_given_up_when_a_stop_is_asked_for() {
        let cancel = Cancel::default();
        cancel.request();
        let path = std::env::current_exe().unwrap();
        let state = file_state(&client(), path.to_str().unwrap(), false, &cancel);
        assert!(matches!(state, Err(Error::Cancelled)));
    }

    #[test]
    fn a_remote_file_is_not_asked_for_unless_wanted() {
        // Nobody listens there: a request would fail.
        let url = "http://127.0.0.1:9/a".to_owned();
        let state = FileState { url, bytes: Some(1), ..FileState::default() };
        assert_eq!(changed_files(&client(), &[state], false).unwrap(), []);
    }
}
