//! Which lengths share a bin.

use std::collections::BTreeSet;

/// Returns which lengths share a bin, none longer than its capacity: the longest first, each goes to the bin with the
/// least room that is enough.
pub(crate) fn bins(lengths: &[usize], capacity: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(lengths.get(place)));
    let (mut bins, mut rooms) = (Vec::<Vec<usize>>::new(), BTreeSet::new());
    for place in order {
        let length = lengths.get(place).copied().unwrap_or_default();
        let found = rooms.range((length, 0)..).next().copied();
        let (room, bin) = match found {
            Some((room, bin)) => {
                rooms.remove(&(room, bin));
                (room, bin)
            }
            None => {
                bins.push(Vec::new());
                (capacity, bins.len() - 1)
            }
        };
        if let Some(bin) = bins.get_mut(bin) {
            bin.push(place);
        }
        rooms.insert((room - length.min(room), bin));
    }
    bins.iter_mut().for_each(|bin| bin.sort_unstable());
    bins.sort_unstable();
    bins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_two_sequences_would_fit_into_one(lengths in prop::collection::vec(1_usize..20, 0..60)) {
            let bins = bins(&lengths, 20);
            let mut places = bins.concat();
            places.sort_unstable();
            prop_assert_eq!(places, (0..lengths.len()).collect::<Vec<_>>());
            let sums: Vec<usize> = bins.iter().map(|bin| bin.iter().map(|place| lengths[*place]).sum()).collect();
            prop_assert!(sums.iter().all(|sum| *sum <= 20));
            for (one, sum) in sums.iter().enumerate() {
                prop_assert!(sums[one + 1..].iter().all(|other| sum + other > 20));
            }
        }
    }

    #[test]
    fn the_longest_goes_first_and_the_fullest_sequence_that_has_room_is_taken() {
        assert_eq!(bins(&[3, 9, 5, 1, 4], 10), [vec![0], vec![1, 3], vec![2, 4]]);
        assert!(bins(&[], 10).is_empty());
    }
}
