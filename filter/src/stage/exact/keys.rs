//! The stage that puts content keys in order: `text.exact.keys`, `pairs.exact.keys`.

use std::ops::Range;

use corpus::record::{ContentKey, Fingerprinted};
use corpus::sort::{GROUP_BYTES, Sorter, groups, task_bytes};
use corpus::stage::Inputs;
use corpus::{Dataset, Id, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::{KEYS, halves, whole};
use crate::stage::sorted;
use crate::stage::{FINGERPRINTS, SourcePriority};

/// What this stage counts: a key per record that passed the rules.
const UNIT: &str = "keys";
/// Bytes of a key with its rank and id while they are sorted.
const ROW_BYTES: u64 = 32;

/// Writes the content keys of records, sorted, one part per task.
///
/// Tasks are groups of parts with so many keys together, so that few parts are to be merged later.
#[derive(Debug, Clone)]
pub struct ContentKeys {
    /// The stage's name.
    pub name: String,
    /// The stage whose `fingerprints` it reads.
    pub rules: String,
    /// Memory in MiB of all tasks at a time; changes no result.
    pub memory_mb: u32,
    /// Which source's record stands for the others.
    pub source_priority: SourcePriority,
}

impl ContentKeys {
    fn groups(&self, rules: &Dataset) -> Vec<Range<usize>> {
        let rows = rules.parts(FINGERPRINTS).map(|part| part.rows);
        groups(rows, GROUP_BYTES / ROW_BYTES)
    }

    fn fill(&self, task: &Task<'_>, sorter: &mut Sorter<[u64; 4]>) -> Result<()> {
        let rules = task.inputs.get(&self.rules)?;
        let parts: Vec<&Part> = rules.parts(FINGERPRINTS).collect();
        let group = self.groups(rules).into_iter().nth(task.index as usize);
        for part in parts.get(group.unwrap_or_default()).unwrap_or_default() {
            for row in rules.open::<Fingerprinted>(part)? {
                let Fingerprinted { key, id, .. } = row?;
                task.cancel.check()?;
                let ([high, low], rank) = (halves(key), self.source_priority.rank(id.source()));
                sorter.push([high, low, rank.into(), id.to_bits()])?;
            }
        }
        Ok(())
    }
}

impl Stage for ContentKeys {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.rules.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"group_bytes": GROUP_BYTES, "source_priority": self.source_priority}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(self.groups(inputs.get(&self.rules)?).len() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let memory_bytes = task_bytes(self.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        self.fill(task, &mut sorter)?;
        sorted::write(out, UNIT, KEYS, sorter.finish()?, |[high, low, rank, id]| {
            let (key, rank) = (whole(high, low), rank as u16);
            Ok(ContentKey { key, rank, id: Id::from_bits(id) })
        })
    }
}
