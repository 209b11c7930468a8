//! The spill: bodies that came before their turn, on disk until they are handed over.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that all spills of a client may take.
pub(super) struct Room {
    bytes_max: u64,
    taken: AtomicU64,
}

impl Room {
    pub(super) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { bytes_max, taken: AtomicU64::new(0) })
    }

    fn take(&self, bytes: u64) -> bool {
        let more = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= self.bytes_max);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

/// Bytes after which the next file is begun: a file is gone once all its bodies are handed over.
const FILE_BYTES: u64 = 64 << 20;

/// Files of bodies.
pub(super) struct Spill {
    folder: PathBuf,
    room: Arc<Room>,
    current: Mutex<Option<Arc<Segment>>>,
}

/// A file without a name: it is gone with the process, however that ends.
struct Segment {
    file: File,
    /// Where the next body goes.
    end: AtomicU64,
    room: Arc<Room>,
}

impl Spill {
    /// Makes an empty one; files come into this folder.
    pub(super) fn new(folder: PathBuf, room: Arc<Room>) -> Self {
        Self { folder, room, current: Mutex::default() }
    }

    /// Writes a body down; gives it back where there is no room, on the disk or of what was granted: in
    /// memory it is as good.
    pub(super) fn put(&self, body: Bytes) -> Result<Spilled, Bytes> {
        let length = body.len() as u64;
        let Ok(segment) = self.segment() else {
            return Err(body);
        };
        if !self.room.take(length) {
            return Err(body);
        }
        let offset = segment.end.fetch_add(length, Ordering::Relaxed);
        let written = segment.file.write_all_at(&body, offset);
        written.map(|()| Spilled { segment, offset, length }).map_err(|_| body)
    }

    fn segment(&self) -> io::Result<Arc<Segment>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(segment) = current.as_ref().filter(|s| s.end.load(Ordering::Relaxed) < FILE_BYTES) {
            return Ok(segment.clone());
        }
        std::fs::create_dir_all(&self.folder)?;
        tracing::debug!(folder = %self.folder.display(), "answers that wait for their turn go to the disk");
        let file = tempfile::tempfile_in(&self.folder)?;
        let segment = Arc::new(Segment { file, end: AtomicU64::new(0), room: self.room.clone() });
        *current = Some(segment.clone());
        Ok(segment)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.end.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// A body in a file.
pub(super) struct Spilled {
    segment: Arc<Segment>,
    offset: u64,
    length: u64,
}

impl Spilled {
    /// Reads the body back.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn read(self) -> io::Result<Bytes> {
        let mut body = vec![0; self.length as usize];
        self.segment.file.read_exact_at(&mut body, self.offset)?;
        Ok(body.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_as_they_were_and_room_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(10);
        let spill = Spill::new(folder.path().to_owned(), room.clone());
        let first = spill.put(Bytes::from_static(b"first")).ok().unwrap();
        let other = spill.put(Bytes::from_static(b"other")).ok().unwrap();
        assert_eq!(spill.put(Bytes::from_static(b"x")).err().unwrap(), "x");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files have no names");
        drop(spill);
        assert_eq!((other.read().unwrap(), first.read().unwrap()), ("other".into(), "first".into()));
        let again = Spill::new(folder.path().to_owned(), room);
        assert!(again.put(Bytes::from_static(b"0123456789")).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_bodies_in_memory() {
        let spill = Spill::new("/proc/none".into(), Room::new(10));
        assert_eq!(spill.put(Bytes::from_static(b"x")).err().unwrap(), "x");
    }
}
