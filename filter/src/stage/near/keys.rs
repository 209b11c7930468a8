//! The stage that reduces documents to band keys: `text.near.keys`.

use std::ops::Range;

use corpus::record::{BandKey, Document, DocumentText, Link};
use corpus::sort::{GROUP_BYTES, Sorter, groups, task_bytes};
use corpus::stage::Inputs;
use corpus::{Dataset, Id, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::{KEYS, PLANTED};
use crate::config::NearConfig;
use crate::near::{Signer, planted};
use crate::stage::deduplicated::duplicates;
use crate::stage::records::parts;
use crate::stage::sorted;

/// What this stage counts: a key per band and document.
const UNIT: &str = "keys";
/// Bytes of a key with its id while they are sorted.
const ROW_BYTES: u64 = 16;

/// Writes the band keys of the documents that are no exact duplicates, sorted, one part per task.
///
/// Tasks are groups of parts with so many keys together, so that few parts are to be merged later.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The stage's name.
    pub name: String,
    /// The stages whose documents it reads.
    pub documents: Vec<String>,
    /// The stage that found exact duplicates among them.
    pub exact: String,
    /// How near-duplicates are found.
    pub config: NearConfig,
    /// The run's seed, for the self-check.
    pub seed: u64,
}

impl Keys {
    /// Returns the parts of each task: so many documents that their keys are a group.
    fn groups(&self, parts: &[(&Dataset, &Part)]) -> Vec<Range<usize>> {
        let bytes = u64::from(self.config.shape().bands) * ROW_BYTES;
        groups(parts.iter().map(|(_, part)| part.rows), (GROUP_BYTES / bytes).max(1))
    }

    fn sign(&self, task: &Task<'_>, sorter: &mut Sorter<[u64; 2]>) -> Result<Vec<Link>> {
        let exact = task.inputs.get(&self.exact)?;
        let parts = parts::<Document>(task.inputs, &self.documents)?;
        let group = self.groups(&parts).into_iter().nth(task.index as usize);
        let total: u64 = parts.iter().map(|(_, part)| part.rows).sum();
        let share = f64::from(self.config.selfcheck) / total.max(1) as f64;
        let mut signer = Signer::new(self.config.scheme, self.config.shape());
        let mut planted = Vec::new();
        for (dataset, part) in parts.get(group.unwrap_or_default()).unwrap_or_default() {
            let dropped = duplicates(exact, &dataset.id_range(part, "id")?)?;
            for row in dataset.open::<DocumentText>(part)? {
                let DocumentText { id, text } = row?;
                task.cancel.check()?;
                if dropped.contains_key(&id) {
                    continue;
                }
                push(sorter, signer.keys(&text), id)?;
                if let Some((copy, edited)) = planted::copy(self.seed, share, id, &text) {
                    push(sorter, signer.keys(&edited), copy)?;
                    planted.push(Link { a: id, b: copy });
                }
            }
        }
        Ok(planted)
    }
}

fn push(sorter: &mut Sorter<[u64; 2]>, keys: &[u64], id: Id) -> Result<()> {
    keys.iter().try_for_each(|key| sorter.push([*key, id.to_bits()]))
}

impl Stage for Keys {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.documents.iter().chain([&self.exact]).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({
            "scheme": self.config.scheme, "shape": self.config.shape(), "group_bytes": GROUP_BYTES,
            "selfcheck": self.config.selfcheck, "seed": self.seed,
        }))
    }

    fn version(&self) -> u32 {
        4
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(self.groups(&parts::<Document>(inputs, &self.documents)?).len() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let memory_bytes = task_bytes(self.config.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        let planted = self.sign(task, &mut sorter)?;
        if out.position() == 0 {
            planted.into_iter().try_for_each(|link| out.write(PLANTED, link))?;
        }
        sorted::write(out, UNIT, KEYS, sorter.finish()?, |[key, id]| {
            Ok(BandKey { key, id: Id::from_bits(id) })
        })
    }
}
