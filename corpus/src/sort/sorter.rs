//! External sorting: memory is bounded, what does not fit goes to scratch files.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Row;
use super::heads::Heads;
use crate::{Error, Result};

/// Bytes that a run is read and written by.
const BUFFER_BYTES: usize = 64 << 10;
/// Runs that are merged at once at most: each is an open file, and many systems allow a process 1,024.
const MERGED_MAX: usize = 128;
/// Rows by which the list of them grows at least.
const GROWTH_MIN: usize = 1_024;

/// Takes rows in any order and returns them sorted, each once.
///
/// Holds at most the bytes that it was created with (or one row), and one buffer of 64 KiB to write through. Less
/// memory means more runs on disk and more passes over them; the rows that come back are the same.
#[derive(Debug)]
pub struct Sorter<R> {
    folder: PathBuf,
    rows: Vec<R>,
    memory_bytes: usize,
    /// Bytes that the rows take.
    held_bytes: usize,
    /// Runs that are merged at once, by the buffers that memory has room for.
    merged_max: usize,
    runs: VecDeque<Written>,
    /// Runs written so far, which name their files.
    written: usize,
}

/// A run on disk.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    rows: u64,
}

impl<R: Row> Sorter<R> {
    /// Returns a sorter that holds so many bytes, and writes into a folder of its own.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: &Path, memory_bytes: usize) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let merged_max = (memory_bytes / BUFFER_BYTES).clamp(2, MERGED_MAX);
        let (folder, rows, runs) = (folder.to_owned(), Vec::new(), VecDeque::new());
        Ok(Self { folder, rows, memory_bytes, held_bytes: 0, merged_max, runs, written: 0 })
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn push(&mut self, row: R) -> Result<()> {
        let bytes = row.memory_bytes();
        if self.held_bytes + bytes > self.memory_bytes && !self.rows.is_empty() {
            self.spill()?;
        }
        // Growth by doubling could take half as much again as was allowed.
        if self.rows.len() == self.rows.capacity() {
            let room = (self.memory_bytes.saturating_sub(self.held_bytes) / bytes).max(1);
            self.rows.reserve_exact(self.rows.len().max(GROWTH_MIN).min(room));
        }
        self.held_bytes += bytes;
        self.rows.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        self.sort();
        tracing::debug!(rows = self.rows.len(), bytes = self.held_bytes, run = self.written, "spilled");
        let mut rows = std::mem::take(&mut self.rows);
        self.write(rows.drain(..).map(Ok))?;
        (self.rows, self.held_bytes) = (rows, 0);
        Ok(())
    }

    /// Writes sorted rows as the last run.
    fn write(&mut self, rows: impl Iterator<Item = Result<R>>) -> Result<()> {
        let path = self.folder.join(format!("{}.run", self.written));
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut count = 0;
        for row in rows {
            row?.write(&mut file).map_err(Error::io("write", &path))?;
            count += 1;
        }
        file.flush().map_err(Error::io("write", &path))?;
        self.written += 1;
        self.runs.push_back(Written { path, rows: count });
        Ok(())
    }

    fn sort(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
    }

    /// Returns the rows in order.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<Sorted<R>> {
        if self.runs.is_empty() {
            self.sort();
            return Ok(Sorted::Memory(std::mem::take(&mut self.rows).into_iter()));
        }
        self.spill()?;
        // Buffers take the place of the rows.
        self.rows = Vec::new();
        while self.runs.len() > self.merged_max {
            // As many as make the last merge a full one, the oldest first: rows are written about equally often.
            let count = (self.runs.len() - self.merged_max + 1).min(self.merged_max);
            let oldest: Vec<Written> = self.runs.drain(..count).collect();
            self.write(Sorted::Disk(Runs::open(oldest)?))?;
        }
        let runs: Vec<Written> = self.runs.drain(..).collect();
        Ok(Sorted::Disk(Runs::open(runs)?))
    }
}

/// Rows in ascending order, each once; run files are removed when it is dropped.
#[derive(Debug)]
pub enum Sorted<R> {
    /// All of them were held.
    Memory(std::vec::IntoIter<R>),
    /// From scratch files.
    Disk(Runs<R>),
}

/// Several sorted files as one.
#[derive(Debug)]
pub struct Runs<R> {
    runs: Vec<Run>,
    heads: Heads<R>,
}

impl<R: Row> Runs<R> {
    fn open(runs: Vec<Written>) -> Result<Self> {
        let mut runs: Vec<Run> = runs.into_iter().map(Run::open).collect::<Result<_>>()?;
        let heads = Heads::new(runs.len(), |index| next_in(&mut runs, index))?;
        Ok(Self { runs, heads })
    }

    fn next_row(&mut self) -> Result<Option<R>> {
        let Self { runs, heads } = self;
        let row = heads.pop(|index| next_in(runs, index))?;
        while row.is_some() && heads.peek() == row.as_ref() {
            heads.pop(|index| next_in(runs, index))?;
        }
        Ok(row)
    }
}

/// Takes the next row of a run.
fn next_in<R: Row>(runs: &mut [Run], index: usize) -> Result<Option<R>> {
    runs.get_mut(index).map_or(Ok(None), Run::next)
}

impl<R: Row> Iterator for Sorted<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Memory(rows) => rows.next().map(Ok),
            Self::Disk(runs) => runs.next_row().transpose(),
        }
    }
}

/// A sorted scratch file.
#[derive(Debug)]
struct Run {
    path: PathBuf,
    file: BufReader<File>,
    left: u64,
}

impl Run {
    fn open(Written { path, rows }: Written) -> Result<Self> {
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        Ok(Self { path, file: BufReader::with_capacity(BUFFER_BYTES, file), left: rows })
    }

    fn next<R: Row>(&mut self) -> Result<Option<R>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        R::read(&mut self.file).map(Some).map_err(Error::io("read", &self.path))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What stays behind is in the task's scratch folder, which the engine removes.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::{self, Read};

    use proptest::prelude::*;

    use super::*;
    use crate::sort::{read_text, write_text};

    /// A row of any length.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct Named(String, Option<String>);

    impl Row for Named {
        fn memory_bytes(&self) -> usize {
            size_of::<Self>() + self.0.len() + self.1.as_ref().map_or(0, String::len)
        }

        fn write(&self, out: &mut impl Write) -> io::Result<()> {
            write_text(out, Some(&self.0))?;
            write_text(out, self.1.as_deref())
        }

        fn read(input: &mut impl Read) -> io::Result<Self> {
            Ok(Self(read_text(input)?.unwrap_or_default(), read_text(input)?))
        }
    }

    fn sorted<R: Row>(rows: impl IntoIterator<Item = R>, memory: usize) -> Vec<R> {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(&folder.path().join("sort"), memory).unwrap();
        rows.into_iter().for_each(|row| sorter.push(row).unwrap());
        let sorted = sorter.finish().unwrap().map(Result::unwrap).collect();
        assert_eq!(std::fs::read_dir(folder.path().join("sort")).unwrap().count(), 0);
        sorted
    }

    #[test]
    fn any_number_of_runs_is_merged_with_no_more_buffers_than_memory_has_room_for() {
        for (memory, rows, open_max) in [(16, 3_000_u64, 2), (4 * BUFFER_BYTES, 200_000, 4)] {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(&folder.path().join("sort"), memory).unwrap();
            (0..rows).for_each(|row| sorter.push([row * 7_919 % rows, 1]).unwrap());
            let sorted = sorter.finish().unwrap();
            assert!(matches!(&sorted, Sorted::Disk(runs) if runs.runs.len() == open_max), "{memory}");
            assert!(sorted.map(Result::unwrap).eq((0..rows).map(|row| [row, 1])), "{memory}");
            assert_eq!(std::fs::read_dir(folder.path().join("sort")).unwrap().count(), 0);
        }
    }

    #[test]
    fn rows_that_are_held_take_no_more_than_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path(), 10_000).unwrap();
        for number in 0..2_000_usize {
            sorter.push(Named("n".repeat(number % 40), None)).unwrap();
            let held: usize = sorter.rows.iter().map(Row::memory_bytes).sum();
            assert!(held == sorter.held_bytes && held <= 10_000, "{held}");
            let spare = sorter.rows.capacity() - sorter.rows.len();
            assert!(held + spare * size_of::<Named>() <= 20_000, "{held}, room for {spare}");
        }
    }

    proptest! {
        #[test]
        fn rows_come_back_in_order_and_once_whatever_the_memory(
            rows in prop::collection::vec([0_u64..50, 0_u64..4], 0..300), memory in 16_usize..2_000,
        ) {
            let expected: BTreeSet<[u64; 2]> = rows.iter().copied().collect();
            prop_assert_eq!(sorted(rows, memory), expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn rows_of_any_length_come_back_too(
            rows in prop::collection::vec(("\\PC{0,9}", prop::option::of("[ab]{0,300}")), 0..200),
            memory in 16_usize..9_000,
        ) {
            let rows: Vec<Named> = rows.into_iter().map(|(name, text)| Named(name, text)).collect();
            let expected: BTreeSet<Named> = rows.iter().cloned().collect();
            prop_assert_eq!(sorted(rows, memory), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
