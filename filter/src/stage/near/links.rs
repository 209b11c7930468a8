//! The stage that finds documents that share a key: `text.near.links`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use corpus::record::{BandKey, Link};
use corpus::stage::{Cancel, Inputs};
use corpus::table::Reader;
use corpus::{Dataset, Id, Result, Stage, Task};
use serde_json::{Value, json};

use super::{FOUND, KEYS, LINKS, PLANTED, task_bytes};
use crate::config::NearConfig;
use crate::near::planted::PLANTED_SOURCE;
use crate::near::sorter::Sorter;

/// What this stage counts: links, each once per partition in which it is found.
const UNIT: &str = "links";

/// Links the documents of one key to the first of them, one task per partition of the key space.
///
/// The parts of the stage of keys are sorted, so a task reads its range of each and merges
/// them; the number of documents of one key does not matter for its memory.
#[derive(Debug, Clone)]
pub struct Links {
    /// The stage's name.
    pub name: String,
    /// The stage whose keys it reads.
    pub keys: String,
    /// How near-duplicates are found.
    pub config: NearConfig,
}

/// Keys in a range of the key space, from all parts in order.
struct Merge<'c> {
    parts: Vec<Reader<BandKey>>,
    heap: BinaryHeap<Reverse<(u64, Id, usize)>>,
    keys: std::ops::RangeInclusive<u64>,
    cancel: &'c Cancel,
}

impl<'c> Merge<'c> {
    fn new(dataset: &Dataset, keys: std::ops::RangeInclusive<u64>, cancel: &'c Cancel) -> Result<Self> {
        let ids = Id::from_bits(*keys.start())..=Id::from_bits(*keys.end());
        let parts = dataset.rows_near::<BandKey>(KEYS, "key", &ids)?;
        let mut merge = Self { heap: BinaryHeap::with_capacity(parts.len()), parts, keys, cancel };
        for index in 0..merge.parts.len() {
            merge.refill(index)?;
        }
        Ok(merge)
    }

    /// Takes the next key of a part, if it has one in the range.
    fn refill(&mut self, index: usize) -> Result<()> {
        let Some(part) = self.parts.get_mut(index) else { return Ok(()) };
        for row in part {
            let BandKey { key, id } = row?;
            if self.keys.contains(&key) {
                self.heap.push(Reverse((key, id, index)));
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<(u64, Id)>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((key, id, index)) = self.heap.pop()?;
        let refilled = self.cancel.check().and_then(|()| self.refill(index));
        Some(refilled.map(|()| (key, id)))
    }
}

/// Copies that were planted, with their documents.
struct Planted {
    documents: HashMap<Id, Id>,
    copied: HashSet<Id>,
}

impl Planted {
    fn read(keys: &Dataset) -> Result<Self> {
        let (mut documents, mut copied) = (HashMap::new(), HashSet::new());
        for link in keys.rows::<Link>(PLANTED) {
            let Link { a, b } = link?;
            documents.insert(b, a);
            copied.insert(a);
        }
        Ok(Self { documents, copied })
    }
}

/// Takes keys in order and gives links.
struct Linker<'p> {
    planted: &'p Planted,
    key: Option<u64>,
    first: Id,
    /// Documents of this key that have a planted copy.
    copied: Vec<Id>,
}

impl Linker<'_> {
    /// Returns the link that a key of a document makes, with the stream that it belongs to.
    fn link(&mut self, key: u64, id: Id) -> Option<(&'static str, Link)> {
        if self.key != Some(key) {
            self.copied.clear();
            (self.key, self.first) = (Some(key), id);
        }
        if id.source() == PLANTED_SOURCE {
            // Copies come last of their key, and link nothing but themselves.
            let document = self.planted.documents.get(&id)?;
            return self.copied.contains(document).then_some((FOUND, Link { a: *document, b: id }));
        }
        if self.planted.copied.contains(&id) {
            self.copied.push(id);
        }
        (id != self.first).then_some((LINKS, Link { a: self.first, b: id }))
    }
}

impl Stage for Links {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.keys.clone()]
    }

    fn settings(&self) -> Value {
        json!({"partitions": self.config.partitions})
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.config.partitions)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        out.set_range_records_max(u64::MAX);
        let keys = task.inputs.get(&self.keys)?;
        let planted = Planted::read(keys)?;
        let mut linker = Linker { planted: &planted, key: None, first: Id::from_bits(0), copied: Vec::new() };
        let mut links = Sorter::new(&task.scratch.join("links"), task_bytes(&self.config) / 2)?;
        let mut found = Sorter::new(&task.scratch.join("found"), task_bytes(&self.config) / 2)?;
        for row in Merge::new(keys, range(task.index, task.count), task.cancel)? {
            let (key, id) = row?;
            if let Some((stream, Link { a, b })) = linker.link(key, id) {
                let sorter = if stream == LINKS { &mut links } else { &mut found };
                sorter.push([a.to_bits(), b.to_bits()])?;
            }
        }
        let streams = [(LINKS, links.finish()?), (FOUND, found.finish()?)];
        let rows = streams.into_iter().flat_map(|(stream, rows)| rows.map(move |row| (stream, row)));
        let done = out.position() as usize;
        for (stream, row) in rows.skip(done) {
            let [a, b] = row?.map(Id::from_bits);
            out.read(UNIT);
            out.write(stream, Link { a, b })?;
            out.keep(UNIT);
            out.advance(1)?;
        }
        out.finish()
    }
}

/// Returns the keys of a partition: equal shares of the key space.
fn range(index: u32, count: u32) -> std::ops::RangeInclusive<u64> {
    let border = |index: u32| ((u128::from(index) << 64) / u128::from(count)) as u64;
    let end = if index + 1 == count { u64::MAX } else { border(index + 1) - 1 };
    border(index)..=end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_partition() {
        for count in [1, 3, 16, 4_096] {
            assert_eq!((*range(0, count).start(), *range(count - 1, count).end()), (0, u64::MAX));
            for index in 1..count {
                assert_eq!(*range(index - 1, count).end() + 1, *range(index, count).start());
            }
        }
    }
}
