//! The stage that finds records of equal content: `text.exact`, `pairs.exact`.

use corpus::record::{CONTENT_KEYS, ContentKey, DUPLICATES, REPRESENTED};
use corpus::sort::{Merge, Sorter, partition, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Declared, Output, Result, Stage, Task};
use serde_json::{Value, json};

use crate::stage::sorted;

/// What this stage counts: records that say nothing new.
const UNIT: &str = "duplicates";

/// Finds exact duplicates, one task per partition of the key space.
///
/// Of records with one key the representative is the first in a total order: by the rank of its source,
/// then by id, so that neither the number of partitions nor the order of the input changes the
/// result. Writes [`Duplicate`](corpus::record::Duplicate) rows sorted by id (stream `duplicates`) and by
/// representative (stream `represented`).
#[derive(Debug, Clone)]
pub struct Exact {
    /// The stage's name.
    pub name: String,
    /// The stage whose keys it reads.
    pub keys: String,
    /// Partitions of the key space, and so tasks.
    pub partitions: u32,
    /// Memory in MiB of all tasks at a time; changes no result.
    pub memory_mb: u32,
}

impl Stage for Exact {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.keys.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"partitions": self.partitions}))
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.partitions)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![DUPLICATES.into(), REPRESENTED.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let memory_bytes = task_bytes(self.memory_mb, task.workers) / 2;
        let sorter = |name: &str| Sorter::new(&task.scratch.join(name), memory_bytes);
        let (mut duplicates, mut represented) = (sorter("duplicates")?, sorter("represented")?);
        let mut first: Option<ContentKey> = None;
        let range = partition(task.index, task.count);
        for row in Merge::new(task.inputs.get(&self.keys)?, CONTENT_KEYS, range, task.cancel)? {
            let row = row?;
            match first {
                Some(first) if first.key == row.key => {
                    duplicates.push([row.id.to_bits(), first.id.to_bits()])?;
                    represented.push([first.id.to_bits(), row.id.to_bits()])?;
                }
                _ => first = Some(row),
            }
        }
        // A duplicate is found here and dropped, with its text, where it is read next.
        sorted::write_duplicates(out, UNIT, duplicates.finish()?, represented.finish()?)
    }
}
