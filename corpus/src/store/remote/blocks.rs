//! Blocks of objects that were fetched: a table is read by many small ranges, an object store by few large ones.
//!
//! Blocks are counted from an object's end, so that the last bytes, which are read first and tell the length, are one of
//! them. Objects never change, so nothing in here is ever wrong; what this process replaces or removes it forgets.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use super::super::Answer;

/// Bytes of a block.
pub(super) const BLOCK_BYTES: u64 = 1 << 20;
/// Bytes of all blocks that are kept.
const KEPT_BYTES_MAX: usize = 256 << 20;
/// Blocks that are fetched at once where an object is read on.
const AHEAD_BLOCKS: u64 = 4;
/// Bytes of a read that is passed on as it is: whoever asks for so many has a buffer of his own.
const DIRECT_BYTES_MIN: u64 = AHEAD_BLOCKS * BLOCK_BYTES;

/// The blocks of all objects of a store.
#[derive(Default)]
pub(super) struct Blocks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// By object and number, with when it was used last.
    blocks: HashMap<(Arc<str>, u64), (Bytes, u64)>,
    /// By when they were used last.
    used: BTreeMap<u64, (Arc<str>, u64)>,
    lengths: HashMap<Arc<str>, u64>,
    bytes: usize,
    clock: u64,
}

impl Blocks {
    /// Returns an object's length, if it was opened and its end is still here.
    pub(super) fn length(&self, path: &str) -> Option<u64> {
        self.lock().lengths.get(path).copied()
    }

    /// Keeps an object's length and its last block.
    pub(super) fn put_last(&self, path: &str, length: u64, bytes: Bytes) {
        let path: Arc<str> = path.into();
        let mut kept = self.lock();
        kept.lengths.insert(path.clone(), length);
        kept.put((path, 0), bytes);
    }

    /// Forgets an object.
    pub(super) fn forget(&self, path: &str) {
        let mut kept = self.lock();
        kept.lengths.remove(path);
        let numbers: Vec<(Arc<str>, u64)> =
            kept.blocks.keys().filter(|(of, _)| **of == *path).cloned().collect();
        numbers.iter().for_each(|key| kept.remove(key));
    }

    /// Reads a range of an object of a known length, from blocks or by `fetch`.
    pub(super) fn read(
        &self,
        (path, length): (&str, u64),
        range: Range<u64>,
        fetch: impl Fn(Range<u64>) -> Answer<Bytes>,
    ) -> Answer<Bytes> {
        if range.end - range.start >= DIRECT_BYTES_MIN {
            return fetch(range);
        }
        let path: Arc<str> = path.into();
        let mut read = BytesMut::new();
        let mut start = range.start;
        while start < range.end {
            let number = (length - 1 - start) / BLOCK_BYTES;
            let block = match self.get(&path, number) {
                Some(block) => block,
                None => self.fetch((&path, length), number, &fetch)?,
            };
            let begin = span(length, number).start;
            let (from, to) = (start - begin, range.end.min(begin + block.len() as u64) - begin);
            let bytes = block.slice(from as usize..to as usize);
            start = begin + to;
            if start == range.end && read.is_empty() {
                return Ok(bytes);
            }
            read.extend_from_slice(&bytes);
        }
        Ok(read.freeze())
    }

    /// Fetches a block, and those behind it where the one before it was read.
    fn fetch(
        &self,
        (path, length): (&Arc<str>, u64),
        number: u64,
        fetch: &impl Fn(Range<u64>) -> Answer<Bytes>,
    ) -> Answer<Bytes> {
        let is_read_on = self.get(path, number + 1).is_some();
        let mut last = number;
        while is_read_on && last > 0 && number - last + 1 < AHEAD_BLOCKS && self.get(path, last - 1).is_none()
        {
            last -= 1;
        }
        let (start, end) = (span(length, number).start, span(length, last).end);
        let bytes = fetch(start..end)?;
        let mut kept = self.lock();
        for number in (last..=number).rev() {
            let span = span(length, number);
            // A copy: a slice would hold all of what was fetched as long as it is here.
            let block =
                Bytes::copy_from_slice(&bytes[(span.start - start) as usize..(span.end - start) as usize]);
            kept.put((path.clone(), number), block);
        }
        drop(kept);
        let first = span(length, number);
        Ok(bytes.slice(..(first.end - first.start) as usize))
    }

    fn get(&self, path: &Arc<str>, number: u64) -> Option<Bytes> {
        self.lock().get(&(path.clone(), number))
    }

    /// A poisoned lock only means that another worker panicked.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, key: &(Arc<str>, u64)) -> Option<Bytes> {
        let (bytes, used) = self.blocks.get_mut(key)?;
        self.clock += 1;
        self.used.remove(used);
        *used = self.clock;
        self.used.insert(self.clock, key.clone());
        Some(bytes.clone())
    }

    fn put(&mut self, key: (Arc<str>, u64), bytes: Bytes) {
        self.remove(&key);
        self.clock += 1;
        self.bytes += bytes.len();
        self.used.insert(self.clock, key.clone());
        self.blocks.insert(key, (bytes, self.clock));
        while self.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.used.values().next().cloned() else { return };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &(Arc<str>, u64)) {
        let Some((bytes, used)) = self.blocks.remove(key) else { return };
        self.bytes -= bytes.len();
        self.used.remove(&used);
        if key.1 == 0 {
            self.lengths.remove(&key.0);
        }
    }
}

/// Returns where a block of an object lies.
fn span(length: u64, number: u64) -> Range<u64> {
    let end = length.saturating_sub(number * BLOCK_BYTES);
    end.saturating_sub(BLOCK_BYTES)..end
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn object(length: u64) -> Bytes {
        (0..length).map(|place| (place % 251) as u8).collect::<Vec<u8>>().into()
    }

    #[test]
    fn an_object_that_is_read_on_is_fetched_in_few_large_pieces() {
        let (length, asked) = (9 * BLOCK_BYTES + 7, RefCell::new(Vec::new()));
        let (bytes, blocks) = (object(length), Blocks::default());
        let fetch = |range: Range<u64>| {
            asked.borrow_mut().push(range.clone());
            Ok(bytes.slice(range.start as usize..range.end as usize))
        };
        let mut start = 0;
        while start < length {
            let end = length.min(start + 5_000);
            let read = blocks.read(("a", length), start..end, fetch).unwrap();
            assert_eq!(read, bytes.slice(start as usize..end as usize), "{start}");
            start = end;
        }
        let asked = asked.into_inner();
        assert_eq!(asked.len(), 4, "one block, then four at a time: {asked:?}");
        assert_eq!(asked.iter().map(|range| range.end - range.start).sum::<u64>(), length);
    }

    #[test]
    fn no_more_is_kept_than_the_bound_and_what_is_forgotten_is_fetched_again() {
        let (length, blocks) = (BLOCK_BYTES, Blocks::default());
        let bytes = object(length);
        let fetches = RefCell::new(0);
        let fetch = |range: Range<u64>| {
            *fetches.borrow_mut() += 1;
            Ok(bytes.slice(range.start as usize..range.end as usize))
        };
        let count = 2 * KEPT_BYTES_MAX as u64 / BLOCK_BYTES;
        for object in 0..count {
            blocks.read((&object.to_string(), length), 0..1, fetch).unwrap();
        }
        {
            let kept = blocks.lock();
            assert_eq!(kept.bytes, KEPT_BYTES_MAX);
            assert_eq!(kept.blocks.len(), kept.used.len());
        }
        let last = (count - 1).to_string();
        blocks.read((&last, length), 0..1, fetch).unwrap();
        assert_eq!(*fetches.borrow(), count);
        blocks.forget(&last);
        blocks.read((&last, length), 0..1, fetch).unwrap();
        assert_eq!(*fetches.borrow(), count + 1);
    }

    #[test]
    fn the_length_is_known_as_long_as_the_end_is_kept() {
        let blocks = Blocks::default();
        blocks.put_last("a", 3, Bytes::from_static(b"abc"));
        assert_eq!(blocks.length("a"), Some(3));
        let read = blocks.read(("a", 3), 1..3, |_| Ok(Bytes::new())).unwrap();
        assert_eq!(read, Bytes::from_static(b"bc"));
        blocks.forget("a");
        assert_eq!(blocks.length("a"), None);
    }
}
