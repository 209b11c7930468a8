//! The stages of exact duplicates end to end, over made-up keys.

use std::collections::BTreeMap;

use corpus::record::{DUPLICATES, Duplicate, FINGERPRINTS, Fingerprinted};
use corpus::{Id, SourceCode};
use proptest::prelude::*;

use super::super::SourcePriority;
use super::super::tests::{Bench, Source, rows};
use super::*;

fn fingerprint(key: u8, source: u8, position: u64) -> Fingerprinted {
    // Spread over the key space, as hashes are.
    let key = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
    Fingerprinted { key, id: Id::new(SourceCode(source), 0, position).unwrap(), length: 1 }
}

fn duplicates(tasks: Vec<Vec<Fingerprinted>>, partitions: u32, priority: &[u8]) -> BTreeMap<Id, Id> {
    let mut bench = Bench::new();
    bench.run(&Source { name: "rules", stream: FINGERPRINTS, tasks });
    let (name, memory_mb) = ("keys".to_owned(), 64);
    let source_priority = SourcePriority(priority.iter().map(|code| SourceCode(*code)).collect());
    bench.run(&ContentKeys { name: name.clone(), rules: "rules".into(), memory_mb, source_priority });
    let found = bench.run(&Exact { name: "exact".into(), keys: name, partitions, memory_mb });
    rows::<Duplicate>(&found, DUPLICATES).into_iter().map(|row| (row.id, row.representative)).collect()
}

#[test]
fn halves_keep_the_order_of_the_bytes() {
    let key = |first, last| {
        let mut key = [7; 16];
        (key[0], key[15]) = (first, last);
        key
    };
    assert!(halves(key(1, 9)) < halves(key(2, 0)) && halves(key(1, 1)) < halves(key(1, 2)));
    let [high, low] = halves(key(200, 3));
    assert_eq!(whole(high, low), key(200, 3));
}

#[test]
fn the_preferred_source_stands_for_the_others_and_then_the_smallest_id() {
    let records = [(1, 5), (3, 9), (7, 2), (7, 1)].map(|(source, at)| fingerprint(1, source, at));
    let chosen = records[3].id;
    let found = duplicates(vec![records.to_vec()], 1, &[7, 3]);
    assert_eq!(found.len(), 3);
    assert!(found.values().all(|representative| *representative == chosen));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn one_record_of_every_key_stays_whatever_the_partitions_and_the_order(
        drawn in prop::collection::btree_map((0_u8..4, 0_u64..200), 0_u8..30, 0..80),
        partitions in 1_u32..9,
        priority in prop::sample::subsequence(vec![0_u8, 1, 2, 3], 0..4),
    ) {
        let records: Vec<_> =
            drawn.iter().map(|((source, at), key)| fingerprint(*key, *source, *at)).collect();
        let expected = duplicates(vec![records.clone()], 1, &priority);
        let mut kept: Vec<_> = records.iter().filter(|r| !expected.contains_key(&r.id)).map(|r| r.key).collect();
        kept.sort_unstable();
        let mut keys: Vec<_> = records.iter().map(|record| record.key).collect();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(kept, keys);
        let (mut one, other) = (records.clone(), records.len() / 2);
        let other = one.split_off(other).into_iter().rev().collect();
        prop_assert_eq!(duplicates(vec![other, one], partitions, &priority), expected);
    }
}
