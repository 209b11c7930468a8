//! Parts that one task takes together, so that few parts are to be merged later.

use std::ops::Range;

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

/// Returns ranges of consecutive parts of at most so much weight together, or of one part.
pub fn groups(weights: impl Iterator<Item = u64>, weight_max: u64) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut sum = 0_u64;
    for (index, weight) in weights.enumerate() {
        sum = sum.saturating_add(weight);
        match groups.last_mut() {
            Some(group) if sum <= weight_max => group.end = index + 1,
            _ => {
                sum = weight;
                groups.push(index..index + 1);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_full_and_in_order() {
        assert_eq!(groups([3, 3, 3, 9, 1, 1].into_iter(), 6), [0..2, 2..3, 3..4, 4..6]);
        assert!(groups(std::iter::empty(), 6).is_empty());
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
