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

/// Calls `found` for every two hashes of a bucket within the distance; `bucket` holds hashes with
/// whatever they belong to, in order.
pub fn compare<E>(
    bucket: &[(u64, u64)],
    distance: u32,
    mut found: impl FnMut(u64, u64) -> Result<(), E>,
) -> Result<(), E> {
    let reach = if bucket.len() > BUCKET_ALL_MAX { NEIGHBOURS } else { bucket.len() };
    for (index, (hash, owner)) in bucket.iter().enumerate() {
        for (other, of_other) in bucket.iter().skip(index + 1).take(reach) {
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
            let bucket: Vec<(u64, u64)> = hashes.iter().copied().zip(0..).collect();
            let mut pairs = Vec::new();
            compare(&bucket, 1, |a, b| { pairs.push((a, b)); Ok::<(), ()>(()) }).unwrap();
            let near = |a: usize, b: usize| (hashes[a] ^ hashes[b]).count_ones() <= 1;
            let all = (0..hashes.len()).flat_map(|a| (a + 1..hashes.len()).map(move |b| (a, b)));
            let expected: Vec<_> = all.filter(|(a, b)| near(*a, *b)).map(|(a, b)| (a as u64, b as u64)).collect();
            prop_assert_eq!(pairs, expected);
        }
    }
}
