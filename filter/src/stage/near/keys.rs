//! The stage that reduces documents to band keys: `text.near.keys`.

use corpus::record::{BAND_KEYS, BandKey, Document, DocumentText, Link, PLANTED};
use corpus::sort::{GROUP_BYTES, Sorter, group_count, groups, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Declared, Id, Output, Placed, Result, Stage, Task};
use serde_json::{Value, json};

use crate::config::NearConfig;
use crate::near::{Signer, planted};
use crate::stage::deduplicated::duplicates;
use crate::stage::records::records;
use crate::stage::sorted;
use crate::subject::Subject;

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
    fn groups<'i>(
        &self,
        inputs: &'i Inputs,
    ) -> Result<impl Iterator<Item = Result<Vec<Placed<'i>>>> + use<'i>> {
        let bytes = u64::from(self.config.shape().bands) * ROW_BYTES;
        let parts = records::<Document>(inputs, &self.documents)?.parts();
        Ok(groups(parts, |(_, part)| part.rows, (GROUP_BYTES / bytes).max(1)))
    }

    fn sign(&self, task: &Task<'_>, sorter: &mut Sorter<[u64; 2]>) -> Result<Vec<Link>> {
        let exact = task.inputs.get(&self.exact)?;
        let group = self.groups(task.inputs)?.nth(task.index as usize).transpose()?;
        let mut total = 0;
        for stage in &self.documents {
            total += Document::stream(task.inputs.get(stage)?)?.rows;
        }
        let share = f64::from(self.config.selfcheck) / total.max(1) as f64;
        let mut signer = Signer::new(self.config.scheme, self.config.shape());
        let mut planted = Vec::new();
        for (dataset, part) in group.unwrap_or_default() {
            let dropped = duplicates(exact, &dataset.id_range(&part, "id")?)?;
            for row in dataset.open::<DocumentText>(&part)? {
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
        group_count(self.groups(inputs)?)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![BAND_KEYS.into(), PLANTED.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let memory_bytes = task_bytes(self.config.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        let planted = self.sign(task, &mut sorter)?;
        if out.position() == 0 {
            planted.into_iter().try_for_each(|link| out.write(PLANTED, link))?;
        }
        sorted::write(out, UNIT, BAND_KEYS, sorter.finish()?, |[key, id]| {
            Ok(BandKey { key, id: Id::from_bits(id) })
        })
    }
}
