//! The stage that reduces documents to the keys of their passages: `text.lines.keys` and its like.

use std::ops::Range;

use corpus::record::{DocumentText, PassageKey};
use corpus::stage::Inputs;
use corpus::{Dataset, Id, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::{DOCUMENTS, KEYS, task_bytes};
use crate::config::RepeatsConfig;
use crate::near::sorter::Sorter;
use crate::passages::keys;
use crate::stage::groups::groups;

/// What this stage counts.
const UNIT: &str = "keys";

/// Writes the keys of all passages, sorted, one part per task.
///
/// Tasks are groups of parts; the result does not depend on where a group ends.
#[derive(Debug, Clone)]
pub struct Passages {
    /// The stage's name.
    pub name: String,
    /// The stage whose documents it reads.
    pub documents: String,
    /// What passages are.
    pub config: RepeatsConfig,
}

impl Passages {
    fn groups(&self, documents: &Dataset) -> Vec<Range<usize>> {
        let bytes = documents.parts(DOCUMENTS).map(|part| part.bytes);
        groups(bytes, task_bytes(&self.config) as u64)
    }

    fn fill(&self, task: &Task<'_>, sorter: &mut Sorter<3>) -> Result<()> {
        let documents = task.inputs.get(&self.documents)?;
        let parts: Vec<&Part> = documents.parts(DOCUMENTS).collect();
        let group = self.groups(documents).into_iter().nth(task.index as usize);
        for part in parts.get(group.unwrap_or_default()).unwrap_or_default() {
            for row in documents.open::<DocumentText>(part)? {
                let DocumentText { id, text } = row?;
                task.cancel.check()?;
                for (unit, key) in (0..).zip(keys(&text, &self.config)) {
                    sorter.push([key, id.to_bits(), unit])?;
                }
            }
        }
        Ok(())
    }
}

impl Stage for Passages {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.documents.clone()]
    }

    fn settings(&self) -> Value {
        let RepeatsConfig { unit, any_digit, memory_mb, .. } = &self.config;
        json!({"unit": unit, "run": self.config.run(), "any_digit": any_digit, "memory_mb": memory_mb})
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(self.groups(inputs.get(&self.documents)?).len() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        out.set_range_records_max(u64::MAX);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), task_bytes(&self.config))?;
        self.fill(task, &mut sorter)?;
        let done = out.position() as usize;
        for row in sorter.finish()?.skip(done) {
            let [key, id, unit] = row?;
            out.read(UNIT);
            out.write(KEYS, PassageKey { key, id: Id::from_bits(id), unit: unit as u32 })?;
            out.keep(UNIT);
            out.advance(1)?;
        }
        out.finish()
    }
}
