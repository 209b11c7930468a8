//! External sorting of rows of numbers: memory is bounded, what does not fit goes to scratch files.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use corpus::{Error, Result};

/// Bytes of a number in a scratch file.
const NUMBER_BYTES: usize = 8;
/// Bytes that a run is read and written by.
const BUFFER_BYTES: usize = 64 << 10;
/// Runs that are merged at once at most: each is an open file, and many systems allow a process 1,024.
const MERGED_MAX: usize = 128;

/// Takes rows in any order and returns them sorted, each once.
///
/// Holds at most the bytes that it was created with, and one buffer of 64 KiB to write through. Less memory means
/// more runs on disk and more passes over them; the rows that come back are the same.
#[derive(Debug)]
pub struct Sorter<const N: usize> {
    folder: PathBuf,
    rows: Vec<[u64; N]>,
    rows_max: usize,
    /// Runs that are merged at once, by the buffers that memory has room for.
    merged_max: usize,
    runs: VecDeque<PathBuf>,
    /// Runs written so far, which name their files.
    written: usize,
}

impl<const N: usize> Sorter<N> {
    /// Returns a sorter that holds so many bytes, and writes into a folder of its own.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: &Path, memory_bytes: usize) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let rows_max = (memory_bytes / (N * NUMBER_BYTES)).max(1);
        let merged_max = (memory_bytes / BUFFER_BYTES).clamp(2, MERGED_MAX);
        let (folder, rows, runs) = (folder.to_owned(), Vec::new(), VecDeque::new());
        Ok(Self { folder, rows, rows_max, merged_max, runs, written: 0 })
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn push(&mut self, row: [u64; N]) -> Result<()> {
        if self.rows.len() == self.rows_max {
            self.spill()?;
        }
        // Growth by doubling could take half as much again as was allowed.
        if self.rows.len() == self.rows.capacity() {
            let more = self.rows.len().max(1_024).min(self.rows_max - self.rows.len());
            self.rows.reserve_exact(more);
        }
        self.rows.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        self.sort();
        let mut rows = std::mem::take(&mut self.rows);
        self.write(rows.iter().copied().map(Ok))?;
        rows.clear();
        self.rows = rows;
        Ok(())
    }

    /// Writes sorted rows as the last run.
    fn write(&mut self, rows: impl Iterator<Item = Result<[u64; N]>>) -> Result<()> {
        let path = self.folder.join(format!("{}.run", self.written));
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
        for row in rows {
            for number in row? {
                file.write_all(&number.to_le_bytes()).map_err(Error::io("write", &path))?;
            }
        }
        file.flush().map_err(Error::io("write", &path))?;
        self.written += 1;
        self.runs.push_back(path);
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
    pub fn finish(mut self) -> Result<Sorted<N>> {
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
            let oldest: Vec<PathBuf> = self.runs.drain(..count).collect();
            self.write(Sorted::Disk(Merge::open(&oldest)?))?;
        }
        let runs: Vec<PathBuf> = self.runs.drain(..).collect();
        Ok(Sorted::Disk(Merge::open(&runs)?))
    }
}

/// Rows in ascending order, each once; run files are removed when it is dropped.
#[derive(Debug)]
pub enum Sorted<const N: usize> {
    /// All of them were held.
    Memory(std::vec::IntoIter<[u64; N]>),
    /// From scratch files.
    Disk(Merge<N>),
}

/// Several sorted files as one.
#[derive(Debug)]
pub struct Merge<const N: usize> {
    runs: Vec<Run>,
    heap: BinaryHeap<Reverse<([u64; N], usize)>>,
    last: Option<[u64; N]>,
}

impl<const N: usize> Merge<N> {
    fn open(runs: &[PathBuf]) -> Result<Self> {
        let mut runs: Vec<Run> = runs.iter().map(|path| Run::open(path)).collect::<Result<_>>()?;
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for (index, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next::<N>()?.map(|row| Reverse((row, index))));
        }
        Ok(Self { runs, heap, last: None })
    }

    fn next_row(&mut self) -> Result<Option<[u64; N]>> {
        while let Some(mut top) = self.heap.peek_mut() {
            let Reverse((row, index)) = *top;
            // The next row of the same run takes its place: one way down the heap, not one up and one down.
            match self.runs.get_mut(index).map_or(Ok(None), Run::next::<N>)? {
                Some(next) => *top = Reverse((next, index)),
                None => drop(PeekMut::pop(top)),
            }
            if self.last.replace(row) != Some(row) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl<const N: usize> Iterator for Sorted<N> {
    type Item = Result<[u64; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Memory(rows) => rows.next().map(Ok),
            Self::Disk(merge) => merge.next_row().transpose(),
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
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let left = file.metadata().map_err(Error::io("read", path))?.len();
        Ok(Self { path: path.to_owned(), file: BufReader::with_capacity(BUFFER_BYTES, file), left })
    }

    fn next<const N: usize>(&mut self) -> Result<Option<[u64; N]>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut row = [0; N];
        for number in &mut row {
            let mut bytes = [0; NUMBER_BYTES];
            self.file.read_exact(&mut bytes).map_err(Error::io("read", &self.path))?;
            *number = u64::from_le_bytes(bytes);
        }
        self.left = self.left.saturating_sub((N * NUMBER_BYTES) as u64);
        Ok(Some(row))
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

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_number_of_runs_is_merged_with_no_more_buffers_than_memory_has_room_for() {
        for (memory, rows, open_max) in [(16, 3_000_u64, 2), (4 * BUFFER_BYTES, 200_000, 4)] {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(&folder.path().join("sort"), memory).unwrap();
            (0..rows).for_each(|row| sorter.push([row * 7_919 % rows, 1]).unwrap());
            let sorted = sorter.finish().unwrap();
            assert!(matches!(&sorted, Sorted::Disk(merge) if merge.runs.len() == open_max), "{memory}");
            assert!(sorted.map(Result::unwrap).eq((0..rows).map(|row| [row, 1])), "{memory}");
            assert_eq!(std::fs::read_dir(folder.path().join("sort")).unwrap().count(), 0);
        }
    }

    proptest! {
        #[test]
        fn rows_come_back_in_order_and_once_whatever_the_memory(
            rows in prop::collection::vec([0_u64..50, 0_u64..4], 0..300), memory in 16_usize..2_000,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(&folder.path().join("sort"), memory).unwrap();
            rows.iter().for_each(|row| sorter.push(*row).unwrap());
            let sorted: Vec<[u64; 2]> = sorter.finish().unwrap().map(Result::unwrap).collect();
            let expected: BTreeSet<[u64; 2]> = rows.into_iter().collect();
            prop_assert_eq!(sorted, expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(std::fs::read_dir(folder.path().join("sort")).unwrap().count(), 0);
        }
    }
}
