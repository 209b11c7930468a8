//! The stage that puts content keys in order: `text.exact.keys`, `pairs.exact.keys`.

use corpus::record::{CONTENT_KEYS, ContentKey, FINGERPRINTS, Fingerprinted};
use corpus::sort::{GROUP_BYTES, Sorter, group_count, groups, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Id, Output, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::{halves, whole};
use crate::stage::{SourcePriority, sorted};

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
    fn groups(rules: &Dataset) -> impl Iterator<Item = Result<Vec<Part>>> + use<'_> {
        groups(rules.parts(FINGERPRINTS), |part| part.rows, GROUP_BYTES / ROW_BYTES)
    }

    fn fill(&self, task: &Task<'_>, sorter: &mut Sorter<[u64; 4]>) -> Result<()> {
        let rules = task.inputs.get(&self.rules)?;
        let group = Self::groups(rules).nth(task.index as usize).transpose()?;
        for part in group.unwrap_or_default() {
            for row in rules.open::<Fingerprinted>(&part)? {
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
        group_count(Self::groups(inputs.get(&self.rules)?))
    }

    fn streams(&self) -> Vec<Declared> {
        vec![CONTENT_KEYS.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let memory_bytes = task_bytes(self.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        self.fill(task, &mut sorter)?;
        sorted::write(out, UNIT, CONTENT_KEYS, sorter.finish()?, |[high, low, rank, id]| {
            let (key, rank) = (whole(high, low), rank as u16);
            Ok(ContentKey { key, rank, id: Id::from_bits(id) })
        })
    }
}
