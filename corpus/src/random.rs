//! Named random streams: every random decision says which stream it draws from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Returns the hash of a key under a seed and a stream's name: the same on every machine.
///
/// Decisions about one record (split, sampling, shuffling by key) use this, so that they do
/// not depend on the order in which records are seen.
pub fn hash(seed: u64, stream: &str, key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, xxh3_64_with_seed(stream.as_bytes(), seed))
}

/// Returns a number in [0, 1) for a key under a seed and a stream's name.
pub fn uniform(seed: u64, stream: &str, key: &[u8]) -> f64 {
    // 53 bits are what an f64 holds exactly.
    (hash(seed, stream, key) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns the generator of draw number `index` of a stream.
pub fn generator(seed: u64, stream: &str, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(hash(seed, stream, &index.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_seeds_are_independent_and_stable() {
        assert_ne!(hash(1, "split", b"a"), hash(1, "shuffle", b"a"));
        assert_ne!(hash(1, "split", b"a"), hash(2, "split", b"a"));
        assert_eq!(hash(1, "split", b"a"), 1_332_517_586_929_625_360);
    }

    #[test]
    fn uniform_is_uniform() {
        let below = (0..10_000_u32).filter(|i| uniform(7, "half", &i.to_le_bytes()) < 0.5).count();
        assert!((4_800..5_200).contains(&below), "{below} of 10000 below one half");
    }
}
