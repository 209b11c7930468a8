//! Parts that one task takes together, so that few parts are to be merged later.

use std::ops::Range;

/// Returns ranges of consecutive parts of at most so much weight together, or of one part.
pub(super) fn groups(weights: impl Iterator<Item = u64>, weight_max: u64) -> Vec<Range<usize>> {
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
}
