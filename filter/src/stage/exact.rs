//! The stage that finds records of equal content: `text.exact`, `pairs.exact`.

use corpus::record::{Duplicate, Fingerprinted};
use corpus::stage::Inputs;
use corpus::{Dataset, Id, Result, Stage, Task};
use serde_json::{Value, json};

use super::{DUPLICATES, FINGERPRINTS, SourcePriority};

/// What this stage counts: one fingerprint per record that passed the rules.
const UNIT: &str = "fingerprints";
/// Fingerprints of one committed range: rows are small, and few parts are quick to look up in.
const RANGE_FINGERPRINTS_MAX: u64 = 4_000_000;

/// Finds exact duplicates, one task per partition of the key space.
///
/// Of records with one key the representative is the smallest in a total order: first by the
/// rank of its source, then by id, so that neither the number of partitions nor the order of
/// the input changes the result. Writes [`Duplicate`] rows sorted by id (stream `duplicates`).
///
/// A task holds the fingerprints of its partition, 40 bytes each and twice that while the list
/// grows: 10^9 records in 64 partitions take 1.3 GB at most. Every task reads all fingerprints.
#[derive(Debug, Clone)]
pub struct Exact {
    /// The stage's name.
    pub name: String,
    /// The stage whose `fingerprints` it reads.
    pub rules: String,
    /// Partitions of the key space, and so tasks.
    pub partitions: u32,
    /// Which source's record stands for the others.
    pub source_priority: SourcePriority,
}

/// A fingerprint with the record that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    key: [u8; 16],
    id: Id,
    representative: Id,
    rank: u16,
}

impl Exact {
    /// Reads the fingerprints of one partition.
    fn load(&self, dataset: &Dataset, task: &Task<'_>) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for fingerprint in dataset.rows::<Fingerprinted>(FINGERPRINTS) {
            let Fingerprinted { key, id, .. } = fingerprint?;
            if partition(&key, self.partitions) == task.index {
                rows.push(Row { key, id, representative: id, rank: self.source_priority.rank(id.source()) });
            }
            task.cancel.check()?;
        }
        Ok(rows)
    }
}

/// Returns the partition of a key: equal shares of the key space, in its order.
fn partition(key: &[u8; 16], partitions: u32) -> u32 {
    let high = u128::from_be_bytes(*key) >> 64;
    ((high * u128::from(partitions)) >> 64) as u32
}

/// Gives every row its representative and sorts the rows by id.
fn elect(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_unstable_by_key(|row| (row.key, row.rank, row.id));
    for group in rows.chunk_by_mut(|a, b| a.key == b.key) {
        if let Some(first) = group.first().map(|row| row.id) {
            group.iter_mut().for_each(|row| row.representative = first);
        }
    }
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

impl Stage for Exact {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.rules.clone()]
    }

    fn settings(&self) -> Value {
        json!({"partitions": self.partitions, "source_priority": self.source_priority})
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.partitions)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        out.set_range_records_max(RANGE_FINGERPRINTS_MAX);
        let rows = elect(self.load(task.inputs.get(&self.rules)?, task)?);
        let done = usize::try_from(out.position()).unwrap_or(usize::MAX);
        for row in rows.iter().skip(done) {
            out.read(UNIT);
            if row.representative != row.id {
                let Row { id, representative, .. } = *row;
                out.write(DUPLICATES, Duplicate { id, representative })?;
            }
            // A duplicate is found here and dropped, with its text, where it is read next.
            out.keep(UNIT);
            out.advance(1)?;
        }
        out.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use corpus::SourceCode;
    use proptest::prelude::*;

    use super::*;

    fn exact(priority: &[u8]) -> Exact {
        Exact {
            name: "text.exact".into(),
            rules: "text.rules".into(),
            partitions: 1,
            source_priority: SourcePriority(priority.iter().map(|code| SourceCode(*code)).collect()),
        }
    }

    fn row(exact: &Exact, key: u8, source: u8, position: u64) -> Row {
        let id = Id::new(SourceCode(source), 0, position).unwrap();
        // Spread over the key space, as hashes are.
        let key = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
        Row { key, id, representative: id, rank: exact.source_priority.rank(id.source()) }
    }

    fn duplicates(rows: Vec<Row>, partitions: u32) -> BTreeMap<Id, Id> {
        (0..partitions)
            .flat_map(|p| {
                elect(rows.iter().copied().filter(|row| partition(&row.key, partitions) == p).collect())
            })
            .filter(|row| row.id != row.representative)
            .map(|row| (row.id, row.representative))
            .collect()
    }

    #[test]
    fn a_row_takes_forty_bytes() {
        assert_eq!(size_of::<Row>(), 40);
    }

    #[test]
    fn the_preferred_source_stands_for_the_others_and_then_the_smallest_id() {
        let exact = exact(&[7, 3]);
        let rows = [(1, 5), (3, 9), (7, 2), (7, 1)].map(|(source, at)| row(&exact, 1, source, at));
        let chosen = rows[3].id;
        let found = duplicates(rows.to_vec(), 1);
        assert_eq!(found.len(), 3);
        assert!(found.values().all(|representative| *representative == chosen));
    }

    #[test]
    fn every_key_has_a_partition() {
        for partitions in [1, 3, 4, 4_096] {
            assert_eq!(partition(&[0; 16], partitions), 0);
            assert_eq!(partition(&[0xFF; 16], partitions), partitions - 1);
        }
    }

    proptest! {
        #[test]
        fn one_record_of_every_key_stays_whatever_the_partitions_and_the_order(
            drawn in prop::collection::btree_map((0_u8..4, 0_u64..200), 0_u8..30, 0..80),
            partitions in 1_u32..9,
            priority in prop::sample::subsequence(vec![0_u8, 1, 2, 3], 0..4),
        ) {
            let exact = exact(&priority);
            let rows: Vec<Row> = drawn.iter().map(|((source, at), key)| row(&exact, *key, *source, *at)).collect();
            let expected = duplicates(rows.clone(), 1);
            let mut kept: Vec<_> = rows.iter().filter(|r| !expected.contains_key(&r.id)).map(|r| r.key).collect();
            kept.sort_unstable();
            let mut keys: Vec<_> = rows.iter().map(|row| row.key).collect();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(kept, keys);
            let reversed: Vec<Row> = rows.into_iter().rev().collect();
            prop_assert_eq!(duplicates(reversed, partitions), expected);
        }
    }
}
