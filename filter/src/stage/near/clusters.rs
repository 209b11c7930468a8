//! The stage that makes clusters of links, and elects who stays: `text.near`.

use corpus::record::{ContentLength, DUPLICATES, FINGERPRINTS, FOUND, LINKS, Link, PLANTED, REPRESENTED};
use corpus::sort::{Sorted, Sorter, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Error, Id, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::NearConfig;
use crate::near::components::Components;
use crate::stage::{SourcePriority, sorted};

/// What this stage counts: documents that say nothing new.
const UNIT: &str = "duplicates";
/// And copies that were planted, of which those that were not found are dropped for this reason.
const COPIES: &str = "planted_copies";
const MISSED: &str = "missed";

/// Finds the connected components of links, and of each the document that stays.
///
/// That is the first in a total order: by its source's rank, by length (the longest), by id; so
/// the result depends on no number of tasks, partitions or bytes of memory. Writes
/// [`Duplicate`](corpus::record::Duplicate) rows sorted by id, and by representative; a cluster's id is that of its representative.
///
/// One task: its time grows with the links, not with the corpus.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// The stage's name.
    pub name: String,
    /// The stage whose fingerprints it reads.
    pub rules: String,
    /// The stage that planted copies.
    pub keys: String,
    /// The stage whose links it reads.
    pub links: String,
    /// The stage that found out which planted copies share a key.
    pub found: String,
    /// How near-duplicates are found.
    pub config: NearConfig,
    /// Which source's document stays.
    pub source_priority: SourcePriority,
}

impl Clusters {
    fn sorter<const N: usize>(&self, task: &Task<'_>, name: &str) -> Result<Sorter<[u64; N]>> {
        // Three at a time: of a component the best is read, and both orders are filled.
        Sorter::new(&task.scratch.join(name), task_bytes(self.config.memory_mb, task.workers) / 3)
    }

    /// Returns `[id, smallest id of its component]` of every member of a cluster, by id.
    fn members(&self, task: &Task<'_>) -> Result<Sorted<[u64; 2]>> {
        let links = task.inputs.get(&self.links)?.rows(LINKS);
        let edges = links.map(|link| link.map(|Link { a, b }| [b.to_bits(), a.to_bits()]));
        let components = Components {
            scratch: task.scratch.join("components"),
            memory_bytes: task_bytes(self.config.memory_mb, task.workers),
            cancel: task.cancel,
        };
        components.members(edges)
    }

    /// Returns `[component, rank, !length, id]` of every member, the best of a component first.
    fn ranked(&self, task: &Task<'_>) -> Result<Sorted<[u64; 4]>> {
        let mut ranked = self.sorter(task, "ranked")?;
        let mut lengths = lengths(task.inputs.get(&self.rules)?)?.peekable();
        for row in self.members(task)? {
            let [id, component] = row?;
            task.cancel.check()?;
            while lengths.next_if(|row| matches!(row, Ok(row) if row.id.to_bits() < id)).is_some() {}
            let length = match lengths.next() {
                Some(row) => Some(row?).filter(|row| row.id.to_bits() == id),
                None => None,
            };
            let length = length.ok_or_else(|| {
                let detail = format!("{} has no fingerprint of {}", self.rules, Id::from_bits(id));
                Error::Settings { stage: self.name.clone(), detail }
            })?;
            let rank = self.source_priority.rank(Id::from_bits(id).source());
            ranked.push([component, rank.into(), !length.length, id])?;
        }
        ranked.finish()
    }

    /// Returns `[id, representative]` of every document that does not stay, by id, and `[representative, id]`.
    fn elected(&self, task: &Task<'_>) -> Result<[Sorted<[u64; 2]>; 2]> {
        let (mut elected, mut represented) =
            (self.sorter(task, "elected")?, self.sorter(task, "represented")?);
        let (mut current, mut best) = (None, 0);
        for row in self.ranked(task)? {
            let [component, _, _, id] = row?;
            if current == Some(component) {
                elected.push([id, best])?;
                represented.push([best, id])?;
            } else {
                (current, best) = (Some(component), id);
            }
        }
        Ok([elected.finish()?, represented.finish()?])
    }

    /// Counts which of the planted copies were found.
    fn check(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mut found = self.sorter::<1>(task, "found")?;
        for link in task.inputs.get(&self.found)?.rows(FOUND) {
            found.push([link?.b.to_bits()])?;
        }
        let mut planted = self.sorter::<1>(task, "planted")?;
        for link in task.inputs.get(&self.keys)?.rows(PLANTED) {
            planted.push([link?.b.to_bits()])?;
        }
        let mut found = found.finish()?.peekable();
        for row in planted.finish()? {
            let [copy] = row?;
            out.read(COPIES);
            if found.next_if(|row| matches!(row, Ok([id]) if *id == copy)).is_some() {
                out.keep(COPIES);
            } else {
                let id = Id::from_bits(copy);
                let removal =
                    Removal { id, key: None, url: None, reason: MISSED, value: String::new(), preview: "" };
                out.drop(COPIES, removal)?;
            }
        }
        Ok(())
    }
}

/// Reads the lengths of all documents by id: parts hold ids in order, and are put in theirs.
fn lengths(rules: &Dataset) -> Result<impl Iterator<Item = Result<ContentLength>> + '_> {
    let mut parts = Vec::new();
    for part in rules.parts(FINGERPRINTS) {
        let part = part?;
        if let Some(first) = rules.open::<ContentLength>(&part)?.next() {
            parts.push((first?.id, part));
        }
    }
    parts.sort_unstable_by_key(|(first, _)| *first);
    Ok(parts.into_iter().flat_map(|(_, part)| match rules.open::<ContentLength>(&part) {
        Ok(reader) => Box::new(reader) as Box<dyn Iterator<Item = Result<ContentLength>>>,
        Err(error) => Box::new(std::iter::once(Err(error))),
    }))
}

impl Stage for Clusters {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let mut inputs = vec![self.rules.clone(), self.keys.clone(), self.links.clone(), self.found.clone()];
        inputs.dedup();
        inputs
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"source_priority": self.source_priority}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![DUPLICATES.into(), REPRESENTED.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        if out.position() == 0 {
            self.check(task, out)?;
        }
        let [elected, represented] = self.elected(task)?;
        sorted::write_duplicates(out, UNIT, elected, represented)
    }
}
