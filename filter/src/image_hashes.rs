//! Looks: perceptual hashes that differ in few bits, found without comparing all with all.
//!
//! A hash of 64 bits is cut into `distance + 2` blocks. Two hashes that differ in at most
//! `distance` bits agree in at least two blocks, so they meet in one of the tables, each of which
//! sorts all hashes by one pair of blocks (Manku, Jain and Das Sarma, "Detecting near-duplicates
//! for web crawling", WWW 2007).

/// Bits of a hash.
const HASH_BITS: u32 = 64;
/// Bits that near-duplicates may differ in at most: beyond it most pairs are no copies.
pub const DISTANCE_MAX: u32 = 12;
/// Hashes of one bucket that are compared all with all; of more each is compared with those that
/// follow it closely in order.
const BUCKET_ALL_MAX: usize = 1 << 14;
/// How closely.
const NEIGHBOURS: usize = 1 << 10;

/// Returns the masks of all tables for a distance.
pub fn tables(distance: u32) -> Vec<u64> {
    let blocks = distance.min(DISTANCE_MAX) + 2;
    let border = |block: u32| block * HASH_BITS / blocks;
    let mask = |block: u32| {
        let below = |bits: u32| if bits == HASH_BITS { u64::MAX } else { (1 << bits) - 1 };
        below(border(block + 1)) & !below(border(block))
    };
    (0..blocks).flat_map(|a| (a + 1..blocks).map(move |b| mask(a) | mask(b))).collect()
}

/// Hashes that one table puts together, compared as they come, in order.
///
/// Holds at most `BUCKET_ALL_MAX` of them.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// Hashes whose neighbours are not all known yet, with their owners.
    open: Vec<(u64, u64)>,
    is_large: bool,
}

impl Bucket {
    /// Returns the last hash with its owner.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.open.last().copied()
    }

    /// Adds a hash that is at least as large as the last; calls `found` for pairs of owners within the distance.
    ///
    /// # Errors
    /// As `found`.
    pub fn push<E>(
        &mut self,
        hash: u64,
        owner: u64,
        distance: u32,
        found: impl FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        self.open.push((hash, owner));
        if self.open.len() > BUCKET_ALL_MAX {
            self.is_large = true;
            let complete = self.open.len() - NEIGHBOURS;
            compare(&self.open, complete, NEIGHBOURS, distance, found)?;
            self.open.drain(..complete);
        }
        Ok(())
    }

    /// Ends the bucket and begins the next: calls `found` for the pairs that are left.
    ///
    /// # Errors
    /// As `found`.
    pub fn finish<E>(
        &mut self,
        distance: u32,
        found: impl FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let count = self.open.len();
        let reach = if self.is_large { NEIGHBOURS } else { count };
        compare(&self.open, count, reach, distance, found)?;
        self.open.clear();
        self.is_large = false;
        Ok(())
    }
}

/// Compares each of the first `count` hashes with the `reach` that follow it.
fn compare<E>(
    hashes: &[(u64, u64)],
    count: usize,
    reach: usize,
    distance: u32,
    mut found: impl FnMut(u64, u64) -> Result<(), E>,
) -> Result<(), E> {
    for (index, (hash, owner)) in hashes.iter().take(count).enumerate() {
        for (other, of_other) in hashes.iter().skip(index + 1).take(reach) {
            if (hash ^ other).count_ones() <= distance {
                found(*owner, *of_other)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_cover_all_pairs_of_blocks() {
        assert_eq!(tables(0), [u64::MAX]);
        assert_eq!(tables(4).len(), 15);
        for distance in 0..=DISTANCE_MAX {
            let tables = tables(distance);
            assert_eq!(tables.iter().fold(0, |all, mask| all | mask), u64::MAX);
            assert!(tables.iter().all(|mask| mask.count_ones() >= 64 / (distance + 2) * 2));
        }
    }

    /// Returns the pairs within a bit that a bucket finds, in order.
    fn pairs(hashes: &[u64]) -> Vec<(u64, u64)> {
        let (mut bucket, mut pairs) = (Bucket::default(), Vec::new());
        let mut found = |a, b| -> Result<(), ()> {
            pairs.push((a, b));
            Ok(())
        };
        for (hash, owner) in hashes.iter().zip(0..) {
            bucket.push(*hash, owner, 1, &mut found).unwrap();
            assert!(bucket.open.len() <= BUCKET_ALL_MAX);
        }
        bucket.finish(1, &mut found).unwrap();
        assert_eq!((bucket.last(), bucket.is_large), (None, false));
        pairs.sort_unstable();
        pairs
    }

    /// The plain way: every hash with the `reach` that follow it.
    fn reference(hashes: &[u64], reach: usize) -> Vec<(u64, u64)> {
        let near = |a: usize, b: usize| (hashes[a] ^ hashes[b]).count_ones() <= 1;
        let following = |a: usize| (a + 1..hashes.len()).take(reach).map(move |b| (a, b));
        let all = (0..hashes.len()).flat_map(following);
        all.filter(|(a, b)| near(*a, *b)).map(|(a, b)| (a as u64, b as u64)).collect()
    }

    #[test]
    fn hashes_of_a_large_bucket_are_compared_with_those_that_follow_closely() {
        // Numbers differ in one bit from some that are far behind them.
        for (count, reach) in
            [(BUCKET_ALL_MAX, usize::MAX), (BUCKET_ALL_MAX + 1, NEIGHBOURS), (40_000, NEIGHBOURS)]
        {
            let hashes: Vec<u64> = (0..count as u64).collect();
            assert_eq!(pairs(&hashes), reference(&hashes, reach), "{count}");
        }
    }

    proptest! {
        #[test]
        fn hashes_within_the_distance_meet_in_a_table(
            hash: u64, distance in 0..=DISTANCE_MAX, flips in prop::collection::btree_set(0..64_u32, 0..13),
        ) {
            let flips: Vec<u32> = flips.into_iter().take(distance as usize).collect();
            let other = flips.iter().fold(hash, |hash, bit| hash ^ (1 << bit));
            prop_assert!(tables(distance).iter().any(|mask| hash & mask == other & mask));
        }

        #[test]
        fn all_pairs_of_a_bucket_are_compared(hashes in prop::collection::vec(0..64_u64, 0..20)) {
            prop_assert_eq!(pairs(&hashes), reference(&hashes, hashes.len()));
        }
    }
}
