//! The stage that finds documents that share a key: `text.near.links`.

use std::collections::{HashMap, HashSet};

use corpus::record::{BAND_KEYS, BandKey, FOUND, LINKS, Link, PLANTED};
use corpus::sort::{Merge, Sorter, partition, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Id, Output, Result, Stage, Stream, Task};
use serde_json::{Value, json};

use crate::config::NearConfig;
use crate::near::planted::PLANTED_SOURCE;

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

/// Copies that were planted, with their documents.
struct Planted {
    documents: HashMap<Id, Id>,
    copied: HashSet<Id>,
}

impl Planted {
    fn read(keys: &Dataset) -> Result<Self> {
        let (mut documents, mut copied) = (HashMap::new(), HashSet::new());
        for link in keys.rows(PLANTED) {
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
    fn link(&mut self, key: u64, id: Id) -> Option<(Stream<Link>, Link)> {
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

    fn settings(&self) -> Result<Value> {
        Ok(json!({"partitions": self.config.partitions}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.config.partitions)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![LINKS.into(), FOUND.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(u64::MAX);
        let keys = task.inputs.get(&self.keys)?;
        let planted = Planted::read(keys)?;
        let mut linker = Linker { planted: &planted, key: None, first: Id::from_bits(0), copied: Vec::new() };
        let memory_bytes = task_bytes(self.config.memory_mb, task.workers) / 2;
        let mut links = Sorter::new(&task.scratch.join("links"), memory_bytes)?;
        let mut found = Sorter::new(&task.scratch.join("found"), memory_bytes)?;
        let range = partition(task.index, task.count);
        for row in Merge::new(keys, BAND_KEYS, range, task.cancel)? {
            let BandKey { key, id } = row?;
            if let Some((stream, Link { a, b })) = linker.link(key, id) {
                let sorter = if stream.name() == LINKS.name() { &mut links } else { &mut found };
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
        Ok(())
    }
}
