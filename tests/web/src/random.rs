//! Random streams: each has a name and an index, so that adding a choice to one
//! part of the world moves no other.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// One seeded stream of choices.
pub(crate) type Stream = ChaCha8Rng;

/// Opens the stream `name`, `index` of the world `seed`.
pub(crate) fn stream(seed: u64, name: &str, index: u64) -> Stream {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(index.to_le_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    Stream::from_seed(digest.into())
}

/// Chooses a word; an empty list gives the empty word.
pub(crate) fn word(list: &[&'static str], stream: &mut Stream) -> &'static str {
    list.choose(stream).copied().unwrap_or_default()
}

/// Gives `per_mille` of `count`, rounded up, so that whatever is planted exists.
pub(crate) fn share(count: u32, per_mille: u32) -> u32 {
    let share = (u64::from(count) * u64::from(per_mille)).div_ceil(1000);
    u32::try_from(share).unwrap_or(u32::MAX)
}

/// Gives each of `count` places a kind: the named shares, `rest` elsewhere, in
/// seeded order. Shares that do not fit are cut off.
pub(crate) fn assign<K: Copy>(count: u32, shares: &[(K, u32)], rest: K, stream: &mut Stream) -> Vec<K> {
    let mut kinds: Vec<K> =
        shares.iter().flat_map(|(kind, per_mille)| (0..share(count, *per_mille)).map(|_| *kind)).collect();
    kinds.resize(count as usize, rest);
    kinds.shuffle(stream);
    kinds
}

/// Gives the text of a random UUID, as WARC record ids have it.
pub(crate) fn uuid(stream: &mut Stream) -> String {
    let bits: u128 = stream.random();
    let hex = format!("{bits:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .into_iter()
        .filter_map(|range| hex.get(range))
        .collect::<Vec<_>>()
        .join("-")
}
