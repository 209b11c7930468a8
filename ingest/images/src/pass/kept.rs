//! What earlier attempts at a range had when they were killed: the next one takes it from there
//! instead of asking the net again.
//!
//! ```text
//! keep/<task>/range-<first target>-<process>-<n>.kept    one file per attempt, appended to
//! record = payload length u64 | xxh3 of key and payload u128 | key u128 | payload
//! payload = length of JSON u32 | JSON | encoded image
//! ```
//!
//! This is a convenience and never more: a record that is cut off or damaged counts as none, and an
//! attempt that cannot write here goes on without. Transient failures are not kept, so they are tried
//! again. Files of a range are removed once it is committed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use corpus::record::Target;
use xxhash_rust::xxh3::xxh3_128;

use super::saved;
use crate::Key;
use crate::outcome::Outcome;

/// Bytes that are kept of a range at most; what is beyond is fetched again.
const KEPT_BYTES_MAX: u64 = 1 << 30;
/// Files that are looked for a free name for at most: attempts of one process at one range.
const ATTEMPTS_MAX: u32 = 1_000;
/// Length of a record before its payload.
const HEADER_BYTES: usize = 40;
const PREFIX: &str = "range-";
const SUFFIX: &str = ".kept";

/// The outcomes of one range that were kept, and the file that this attempt adds to.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    start: u64,
    files: Vec<PathBuf>,
    found: BTreeMap<Key, Place>,
    bytes: u64,
    writing: Writing,
}

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
    payload_bytes: u64,
}

#[derive(Debug)]
enum Writing {
    NotBegun,
    Open(File),
    /// The disk refused.
    GivenUp,
}

impl Kept {
    /// Finds what was kept of the range that begins at a target, and removes what was of those before.
    pub(super) fn open(folder: &Path, start: u64) -> Self {
        let mut kept = Self {
            folder: folder.to_owned(),
            start,
            files: Vec::new(),
            found: BTreeMap::new(),
            bytes: 0,
            writing: Writing::NotBegun,
        };
        for (path, of_range) in files(folder) {
            if of_range < start {
                // Another attempt may have removed it, or still write to it: in vain.
                let _ = std::fs::remove_file(&path);
            } else if of_range == start {
                kept.index(path);
            }
        }
        if !kept.found.is_empty() {
            tracing::debug!(
                start,
                outcomes = kept.found.len(),
                "outcomes of an attempt that was killed are reused"
            );
        }
        kept
    }

    /// Returns true if and only if there is an outcome of the key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.found.contains_key(key)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Returns the outcome that was kept of a target, unless it is damaged or gone.
    pub(super) fn get(&self, target: &Target) -> Option<Outcome> {
        let place = self.found.get(&target.key)?;
        let file = File::open(self.files.get(place.file)?).ok()?;
        let mut record = vec![0; HEADER_BYTES + usize::try_from(place.payload_bytes).ok()?];
        file.read_exact_at(&mut record, place.offset).ok()?;
        let (header, payload) = record.split_first_chunk::<HEADER_BYTES>()?;
        let (found, _) = Header::parse(header);
        (found == Header::of(&target.key, payload)).then(|| saved::decode(target, payload))?
    }

    /// Keeps an outcome for the next attempt, if it can; returns whether it did.
    pub(super) fn add(&mut self, key: &Key, outcome: &Outcome) -> bool {
        if outcome.is_transient() {
            return false;
        }
        let Some(payload) = saved::encode(outcome) else {
            return false;
        };
        let length = (HEADER_BYTES + payload.len()) as u64;
        if self.bytes + length > KEPT_BYTES_MAX {
            return false;
        }
        self.bytes += length;
        let record = [Header::of(key, &payload).bytes(key).as_slice(), &payload].concat();
        if let Writing::NotBegun = self.writing {
            self.writing = create(&self.folder, self.start).map_or(Writing::GivenUp, Writing::Open);
        }
        if let Writing::Open(file) = &mut self.writing
            && file.write_all(&record).is_err()
        {
            self.writing = Writing::GivenUp;
        }
        matches!(self.writing, Writing::Open(_))
    }

    /// Reads the headers of a file up to its end or the first record that is cut off.
    fn index(&mut self, path: PathBuf) {
        let Ok(file) = File::open(&path) else { return };
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let (index, mut offset) = (self.files.len(), 0);
        let mut header = [0; HEADER_BYTES];
        while file.read_exact_at(&mut header, offset).is_ok() {
            let (Header { payload_bytes, .. }, key) = Header::parse(&header);
            let end =
                offset.checked_add(HEADER_BYTES as u64).and_then(|start| start.checked_add(payload_bytes));
            let Some(end) = end.filter(|end| *end <= length) else { break };
            self.found.entry(key).or_insert(Place { file: index, offset, payload_bytes });
            offset = end;
        }
        self.bytes += length;
        self.files.push(path);
    }
}

/// What a record begins with, beside its key.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    payload_bytes: u64,
    digest: u128,
}

impl Header {
    fn of(key: &Key, payload: &[u8]) -> Self {
        let digest = xxh3_128(&[key.as_slice(), payload].concat());
        Self { payload_bytes: payload.len() as u64, digest }
    }

    fn bytes(&self, key: &Key) -> Vec<u8> {
        [&self.payload_bytes.to_le_bytes()[..], &self.digest.to_le_bytes(), key].concat()
    }

    fn parse(bytes: &[u8; HEADER_BYTES]) -> (Self, Key) {
        let (mut payload_bytes, mut digest, mut key) = ([0; 8], [0; 16], Key::default());
        payload_bytes.copy_from_slice(&bytes[..8]);
        digest.copy_from_slice(&bytes[8..24]);
        key.copy_from_slice(&bytes[24..]);
        let header =
            Self { payload_bytes: u64::from_le_bytes(payload_bytes), digest: u128::from_le_bytes(digest) };
        (header, key)
    }
}

/// Returns the files of our own naming in a folder, with the first target of their range, by name.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(PathBuf, u64)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (start, _) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
            Some((entry.path(), start.parse().ok()?))
        })
        .collect();
    files.sort();
    files
}

/// Makes a file that no other attempt has.
fn create(folder: &Path, start: u64) -> Option<File> {
    std::fs::create_dir_all(folder).ok()?;
    let process = std::process::id();
    let path = |attempt: u32| folder.join(format!("{PREFIX}{start:010}-{process}-{attempt}{SUFFIX}"));
    (0..ATTEMPTS_MAX)
        .find_map(|attempt| File::options().append(true).create_new(true).open(path(attempt)).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;
    use corpus::record::{EncodedImage, Fetched, Image};

    use super::*;
    use crate::outcome::Failure;

    fn target(number: u8) -> Target {
        Target { key: [number; 16], url: format!("https://x.example/{number}.png"), uses: Vec::new() }
    }

    fn outcome(number: u8) -> Outcome {
        let Target { key, url, .. } = target(number);
        let row = Fetched {
            key,
            url: url.clone(),
            status: "kept".to_owned(),
            reason: None,
            http_status: Some(200),
            body_bytes: Some(1 << 40),
            content_type: Some("image/png".to_owned()),
            final_url: Some("https://y.example/".to_owned()),
        };
        let image = Image {
            id: corpus::record::key_prefix(&key),
            key,
            url,
            image: EncodedImage {
                bytes: Bytes::from(vec![number; 1_000]),
                path: Some(format!("{number}.png")),
            },
            width: 1,
            height: 2,
            original_width: 3,
            original_height: 4,
            sha256: "5".to_owned(),
            perceptual_hash: u64::MAX - 6,
            sharpness: 0.1 + 1e-8,
            colour_spread: 8,
            uses: Vec::new(),
        };
        Outcome { row, md5: Some("9".to_owned()), judged: Ok(image) }
    }

    fn failure(number: u8, is_transient: bool) -> Outcome {
        let failure = Failure { reason: "http_404".to_owned(), detail: "404".to_owned(), is_transient };
        Outcome { md5: None, judged: Err(failure), ..outcome(number) }
    }

    #[test]
    fn what_was_kept_comes_back_whole_and_transient_failures_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path(), 1_000);
        for (number, outcome) in [(1, outcome(1)), (2, failure(2, false)), (3, failure(3, true))] {
            kept.add(&[number; 16], &outcome);
        }
        // Two attempts at once have files of their own.
        Kept::open(folder.path(), 1_000).add(&[4; 16], &outcome(4));
        let again = Kept::open(folder.path(), 1_000);
        assert_eq!(again.get(&target(1)), Some(outcome(1)));
        assert_eq!(again.get(&target(2)), Some(failure(2, false)));
        assert_eq!(again.get(&target(4)), Some(outcome(4)));
        assert!(!again.has(&[3; 16]) && again.get(&target(3)).is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn ranges_are_kept_apart_and_those_that_are_committed_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for start in [0, 1_000, 2_000] {
            let mut kept = Kept::open(folder.path(), 0);
            kept.start = start;
            kept.add(&[1; 16], &outcome(1));
        }
        std::fs::write(folder.path().join("notes"), "of somebody else").unwrap();
        assert!(Kept::open(folder.path(), 1_000).has(&[1; 16]));
        let names: Vec<u64> = files(folder.path()).into_iter().map(|(_, start)| start).collect();
        assert_eq!(names, [1_000, 2_000]);
        assert!(!Kept::open(folder.path(), 3_000).has(&[1; 16]));
        assert!(folder.path().join("notes").exists());
    }

    #[test]
    fn a_record_that_is_cut_off_or_damaged_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path(), 0);
        assert!((1..=2).all(|number| kept.add(&[number; 16], &outcome(number))));
        let path = files(folder.path()).remove(0).0;
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let again = Kept::open(folder.path(), 0);
            assert!(!again.has(&[2; 16]));
            assert_eq!(again.get(&target(1)).is_some(), length >= whole.len() / 2, "{length} bytes");
        }
        for place in 0..whole.len() / 2 {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(Kept::open(folder.path(), 0).get(&target(1)), None, "byte {place}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut kept = Kept::open(&file, 0);
        kept.add(&[1; 16], &outcome(1));
        assert!(!Kept::open(&file, 0).has(&[1; 16]));
    }
}
