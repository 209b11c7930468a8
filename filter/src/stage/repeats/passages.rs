//! The stages that reduce documents to keys of passages or anchors: `text.lines.keys` and its like.

use corpus::record::{DOCUMENTS, DocumentText, PASSAGE_KEYS, PassageKey};
use corpus::sort::{GROUP_BYTES, Sorter, group_count, groups, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Dataset, Declared, Id, Output, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::KeyRole;
use super::by_document::ByDocument;
use crate::config::RepeatsConfig;
use crate::passages::{self, Passage};
use crate::stage::sorted;

/// What this stage counts.
const UNIT: &str = "keys";

/// Writes the keys of all passages, sorted, one part per task.
///
/// Tasks are groups of parts of so many bytes together, so that few parts are to be merged later.
#[derive(Debug, Clone)]
pub struct Passages {
    /// The stage's name.
    pub name: String,
    /// The stage whose documents it reads.
    pub documents: String,
    /// What keys are of.
    pub of: KeyRole,
    /// The stage that found anchors which are not alone: of other passages there need not be keys.
    pub anchors: Option<String>,
    /// What passages are.
    pub config: RepeatsConfig,
}

impl Passages {
    fn groups(documents: &Dataset) -> impl Iterator<Item = Result<Vec<Part>>> + use<'_> {
        groups(documents.parts(DOCUMENTS), |part| part.bytes, GROUP_BYTES)
    }

    /// Returns what a document's keys are.
    fn keys(&self, id: Id, text: &str, anchors: Option<&mut ByDocument<'_>>) -> Result<Vec<Passage>> {
        let found = anchors.map(|anchors| anchors.take(id)).transpose()?;
        Ok(match (self.of, found) {
            (KeyRole::Anchors, _) => passages::anchors(text, &self.config),
            (KeyRole::Passages, None) => passages::passages(text, &self.config),
            (KeyRole::Passages, Some(found)) if found.is_empty() => Vec::new(),
            (KeyRole::Passages, Some(found)) => {
                let is_shared = |unit: u32| found.binary_search_by_key(&unit, |anchor| anchor.unit).is_ok();
                passages::anchored(text, &self.config, is_shared)
            }
        })
    }

    fn fill(&self, task: &Task<'_>, sorter: &mut Sorter<[u64; 3]>) -> Result<()> {
        let documents = task.inputs.get(&self.documents)?;
        let group = Self::groups(documents).nth(task.index as usize).transpose()?;
        for part in group.unwrap_or_default() {
            let anchors = self.anchors.as_ref();
            let mut anchors =
                anchors.map(|stage| ByDocument::open(task, stage, documents, &part)).transpose()?;
            for row in documents.open::<DocumentText>(&part)? {
                let DocumentText { id, text } = row?;
                task.cancel.check()?;
                for Passage { unit, key } in self.keys(id, &text, anchors.as_mut())? {
                    sorter.push([key, id.to_bits(), unit.into()])?;
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
        [&self.documents].into_iter().chain(&self.anchors).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        let RepeatsConfig { unit, any_digit, .. } = &self.config;
        let run = self.config.run();
        Ok(
            json!({"unit": unit, "run": run, "any_digit": any_digit, "group_bytes": GROUP_BYTES, "of": self.of}),
        )
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        group_count(Self::groups(inputs.get(&self.documents)?))
    }

    fn streams(&self) -> Vec<Declared> {
        vec![PASSAGE_KEYS.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let memory_bytes = task_bytes(self.config.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        self.fill(task, &mut sorter)?;
        sorted::write(out, UNIT, PASSAGE_KEYS, sorter.finish()?, |[key, id, unit]| {
            Ok(PassageKey { key, id: Id::from_bits(id), unit: unit as u32 })
        })
    }
}
