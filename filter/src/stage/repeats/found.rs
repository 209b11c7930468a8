//! The stages that find passages or anchors which occur again: `text.lines.found` and its like.

use corpus::record::{PASSAGE_KEYS, PassageKey, REPEATS, REPRESENTED, Repeat};
use corpus::sort::{Merge, Sorter, partition, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Declared, Id, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::KeyRole;
use crate::config::{Keep, RepeatsConfig};
use crate::stage::sorted;

/// What this stage counts: passages that another one stands for.
const UNIT: &str = "repeats";

/// Finds the passages of which an earlier one has the same key, one task per partition of the key space.
///
/// Of equal passages the first is the one with the smallest id, then the one nearest to the document's
/// beginning. One that overlaps it is not a repeat: of a text that repeats itself the first run stays. Of
/// anchors all are found that are not alone.
#[derive(Debug, Clone)]
pub struct Repeats {
    /// The stage's name.
    pub name: String,
    /// The stage whose keys it reads.
    pub keys: String,
    /// What its keys are of.
    pub of: KeyRole,
    /// What passages are.
    pub config: RepeatsConfig,
}

/// Takes keys in order and gives repeats.
struct Finder<'c> {
    of: KeyRole,
    config: &'c RepeatsConfig,
    first: Option<PassageKey>,
    /// Whether the first is given already, too.
    is_first_given: bool,
}

impl Finder<'_> {
    /// Calls `repeat` with what is no longer unique now that a passage is known.
    fn next(&mut self, passage: PassageKey, mut repeat: impl FnMut(Repeat) -> Result<()>) -> Result<()> {
        let first = match self.first {
            Some(first) if first.key == passage.key => first,
            _ => {
                (self.first, self.is_first_given) = (Some(passage), false);
                return Ok(());
            }
        };
        let overlaps = passage.id == first.id && passage.unit - first.unit < self.config.run();
        if self.of == KeyRole::Passages && overlaps {
            return Ok(());
        }
        let wants_first = self.of == KeyRole::Anchors || self.config.keep == Keep::None;
        if wants_first && !std::mem::replace(&mut self.is_first_given, true) {
            repeat(Repeat { id: first.id, unit: first.unit, first: first.id })?;
        }
        repeat(Repeat { id: passage.id, unit: passage.unit, first: first.id })
    }
}

impl Stage for Repeats {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.keys.clone()]
    }

    fn settings(&self) -> Result<Value> {
        Ok(
            json!({"partitions": self.config.partitions, "keep": self.config.keep, "run": self.config.run(), "of": self.of}),
        )
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.config.partitions)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![REPEATS.into(), REPRESENTED.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let memory_bytes = task_bytes(self.config.memory_mb, task.workers) / 2;
        let mut repeats = Sorter::new(&task.scratch.join("repeats"), memory_bytes)?;
        let mut represented = Sorter::new(&task.scratch.join("represented"), memory_bytes)?;
        let mut finder = Finder { of: self.of, config: &self.config, first: None, is_first_given: false };
        let range = partition(task.index, task.count);
        for passage in Merge::new(task.inputs.get(&self.keys)?, PASSAGE_KEYS, range, task.cancel)? {
            finder.next(passage?, |Repeat { id, unit, first }| {
                if self.of == KeyRole::Passages && id != first {
                    represented.push([first.to_bits(), id.to_bits()])?;
                }
                repeats.push([id.to_bits(), unit.into(), first.to_bits()])
            })?;
        }
        let repeat = |[id, unit, first]: [u64; 3]| {
            let (id, first) = (Id::from_bits(id), Id::from_bits(first));
            Ok(Repeat { id, unit: unit as u32, first })
        };
        sorted::write_represented(out, UNIT, REPEATS, repeats.finish()?, repeat, represented.finish()?)
    }
}
