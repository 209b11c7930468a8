//! Parts that one task takes together, so that few parts are to be merged later.

use std::iter::Peekable;

use crate::Result;

/// Bytes per group of parts. A stage that sorts runs one task per group, so that later stages merge few parts. The
/// size decides the number of tasks and the bytes they write: it is a constant, and part of those stages' settings.
pub const GROUP_BYTES: u64 = 256 << 20;
/// Smallest share of the memory that a task gets, whatever the number of workers: room for a few buffers per sorter.
const TASK_BYTES_MIN: usize = 1 << 20;

/// Returns the bytes that each of `workers` parallel tasks may hold: an equal share of `memory_mb` MiB, but at least
/// one. The share decides when sorters spill to disk. It changes no result.
pub fn task_bytes(memory_mb: u32, workers: usize) -> usize {
    (((memory_mb as usize) << 20) / workers.max(1)).max(TASK_BYTES_MIN)
}

/// Returns groups of consecutive parts of at most so much weight together, or of one part. One group is held at a time.
pub fn groups<P, I, W>(parts: I, weight: W, weight_max: u64) -> Groups<I, W>
where
    I: Iterator<Item = Result<P>>,
    W: Fn(&P) -> u64,
{
    Groups { parts: parts.peekable(), weight, weight_max }
}

/// What [`groups`] returns.
pub struct Groups<I: Iterator, W> {
    parts: Peekable<I>,
    weight: W,
    weight_max: u64,
}

impl<P, I, W> Iterator for Groups<I, W>
where
    I: Iterator<Item = Result<P>>,
    W: Fn(&P) -> u64,
{
    type Item = Result<Vec<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { parts, weight, weight_max } = self;
        let first = match parts.next()? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        let mut sum = weight(&first);
        let mut group = vec![first];
        let mut fits = |part: &Result<P>| match part {
            Ok(part) => {
                sum = sum.saturating_add(weight(part));
                sum <= *weight_max
            }
            Err(_) => false,
        };
        while let Some(part) = parts.next_if(&mut fits) {
            group.extend(part);
        }
        Some(Ok(group))
    }
}

/// Returns the number of groups.
///
/// # Errors
/// When a list of parts cannot be read.
pub fn group_count<P>(mut groups: impl Iterator<Item = Result<P>>) -> Result<u32> {
    groups.try_fold(0, |count, group| group.map(|_| count + 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn groups_are_full_and_in_order() {
        let groups = |weights: &[u64]| {
            let parts: Vec<Result<u64>> = weights.iter().copied().map(Ok).collect();
            super::groups(parts.into_iter(), |weight| *weight, 6).map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(groups(&[3, 3, 3, 9, 1, 1]), [vec![3, 3], vec![3], vec![9], vec![1, 1]]);
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn a_part_that_cannot_be_listed_is_an_error_and_no_end() {
        let parts = vec![Ok(1), Ok(2), Err(Error::Tried), Ok(3)];
        let found: Vec<_> = groups(parts.into_iter(), |weight| *weight, 6).collect();
        assert!(matches!(found.as_slice(), [Ok(first), Err(Error::Tried), Ok(_)] if *first == [1, 2]));
    }

    #[test]
    fn a_task_has_its_share_of_the_memory_and_enough_to_sort() {
        let mib = |bytes: usize| bytes >> 20;
        for (memory_mb, workers, expected) in
            [(1_024, 4, 256), (1_024, 1, 1_024), (64, 16, 4), (64, 64, 1), (64, 1_000, 1), (1_024, 0, 1_024)]
        {
            assert_eq!(mib(task_bytes(memory_mb, workers)), expected, "{memory_mb} MiB, {workers} workers");
        }
    }
}
