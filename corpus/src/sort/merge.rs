//! Parts that are sorted each, read as one.

use std::ops::RangeInclusive;

use super::heads::Heads;
use crate::record::{BandKey, ContentKey, PassageKey, Repeat, Wanted};
use crate::stage::Cancel;
use crate::table::{Reader, Record};
use crate::{Dataset, Id, Result, Stream};

/// A row that begins with the column it is sorted by.
pub trait SortedBy: Record + Ord {
    /// The column's name.
    const COLUMN: &'static str;

    /// Returns its value.
    fn column(&self) -> u64;
}

impl SortedBy for BandKey {
    const COLUMN: &'static str = "key";
    fn column(&self) -> u64 {
        self.key
    }
}

impl SortedBy for ContentKey {
    const COLUMN: &'static str = "key";
    fn column(&self) -> u64 {
        first_half(&self.key)
    }
}

impl SortedBy for Wanted {
    const COLUMN: &'static str = "key";
    fn column(&self) -> u64 {
        first_half(&self.key)
    }
}

impl SortedBy for PassageKey {
    const COLUMN: &'static str = "key";
    fn column(&self) -> u64 {
        self.key
    }
}

impl SortedBy for Repeat {
    const COLUMN: &'static str = "id";
    fn column(&self) -> u64 {
        self.id.to_bits()
    }
}

/// Of 128 bits the first half: the others follow in order.
fn first_half(key: &[u8; 16]) -> u64 {
    (u128::from_be_bytes(*key) >> 64) as u64
}

/// The rows of a stream whose column is in a range, from all parts in order.
///
/// Holds one batch of rows for every part.
pub struct Merge<'c, R: SortedBy> {
    parts: Vec<Reader<R>>,
    heads: Heads<R>,
    range: RangeInclusive<u64>,
    cancel: &'c Cancel,
}

impl<'c, R: SortedBy> Merge<'c, R> {
    /// Opens the parts of a stream that may hold the range.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn new(
        dataset: &Dataset,
        stream: Stream<R>,
        range: RangeInclusive<u64>,
        cancel: &'c Cancel,
    ) -> Result<Self> {
        let ids = Id::from_bits(*range.start())..=Id::from_bits(*range.end());
        let mut parts = dataset.rows_near::<R>(stream, R::COLUMN, &ids)?;
        let heads = Heads::new(parts.len(), |index| next_in(&mut parts, index, &range))?;
        Ok(Self { parts, heads, range, cancel })
    }
}

/// Takes the next row of a part, if it has one in the range.
fn next_in<R: SortedBy>(
    parts: &mut [Reader<R>],
    index: usize,
    range: &RangeInclusive<u64>,
) -> Result<Option<R>> {
    let Some(part) = parts.get_mut(index) else { return Ok(None) };
    part.find(|row| !matches!(row, Ok(row) if !range.contains(&row.column()))).transpose()
}

impl<R: SortedBy> Iterator for Merge<'_, R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { parts, heads, range, cancel } = self;
        let next = |index| cancel.check().and_then(|()| next_in(parts, index, range));
        heads.pop(next).transpose()
    }
}

/// Returns the keys of a partition: equal shares of the key space.
pub fn partition(index: u32, count: u32) -> RangeInclusive<u64> {
    let border = |index: u32| ((u128::from(index) << 64) / u128::from(count)) as u64;
    let end = if index + 1 == count { u64::MAX } else { border(index + 1) - 1 };
    border(index)..=end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_partition() {
        for count in [1, 3, 16, 4_096] {
            assert_eq!((*partition(0, count).start(), *partition(count - 1, count).end()), (0, u64::MAX));
            for index in 1..count {
                assert_eq!(*partition(index - 1, count).end() + 1, *partition(index, count).start());
            }
        }
    }
}
