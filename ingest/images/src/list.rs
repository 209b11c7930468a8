//! Stage `images.list`: the fetch list, every URL once with everything that wants it.
//!
//! The list is sorted by the hash of the URL, which shuffles hosts and sources. Task p of P takes the p-th range of
//! keys from all sorted uses, and holds one row of each of their parts and the uses of one URL.

use corpus::record::{TARGETS, Target, USES, Wanted};
use corpus::sort::{Merge, partition};
use corpus::{Declared, Id, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::Config;

mod uses;

pub use uses::Uses;

/// The unit that is counted: a pair, or an image segment of a page.
const UNIT: &str = "uses";

/// The stage.
#[derive(Debug, Clone)]
pub struct List {
    /// Its name in the run.
    pub name: String,
    /// The stage of the uses.
    pub uses: String,
    /// The settings.
    pub config: Config,
}

impl Stage for List {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.uses.clone()]
    }

    fn settings(&self) -> Result<Value> {
        let Config { partitions, images_per_page_max, page_uses_max, .. } = &self.config;
        Ok(json!({
            "partitions": partitions,
            "images_per_page_max": images_per_page_max,
            "page_uses_max": page_uses_max,
        }))
    }

    fn version(&self) -> u32 {
        3
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.config.partitions)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![TARGETS.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mut committed = out.position();
        let range = partition(task.index, task.count);
        let mut wanted: Option<Target> = None;
        let mut end = |target: Option<Target>| match (target, committed) {
            (None, _) => Ok(()),
            (Some(target), 0) => {
                write(out, target, &self.config)?;
                out.advance(1)
            }
            (Some(_), _) => {
                committed -= 1;
                Ok(())
            }
        };
        for row in Merge::new(task.inputs.get(&self.uses)?, USES, range, task.cancel)? {
            let Wanted { key, url, place } = row?;
            match &mut wanted {
                Some(target) if target.key == key => target.uses.push(place),
                _ => end(wanted.replace(Target { key, url, uses: vec![place] }))?,
            }
        }
        end(wanted)?;
        Ok(())
    }
}

/// Writes a URL with its uses, which are in the order of (id, slot), less those of pages that are too many.
fn write(out: &mut Output<'_>, target: Target, config: &Config) -> Result<()> {
    let Target { key, url, uses: all } = target;
    let (mut uses, mut kept_slots) = (Vec::new(), 0);
    for place in all {
        out.read(UNIT);
        let is_slot = place.caption.is_none();
        let reason = match is_slot {
            true if place.slot >= config.images_per_page_max => Some("images_max"),
            true if kept_slots >= config.page_uses_max => Some("uses_max"),
            _ => None,
        };
        if let Some(reason) = reason {
            drop_use(out, place.id, reason, place.slot, &url)?;
            continue;
        }
        kept_slots += u32::from(is_slot);
        out.keep(UNIT);
        uses.push(place);
    }
    if uses.is_empty() { Ok(()) } else { out.write(TARGETS, Target { key, url, uses }) }
}

fn drop_use(out: &mut Output<'_>, id: Id, reason: &str, slot: u16, url: &str) -> Result<()> {
    out.drop(UNIT, Removal { id, key: None, url: Some(url), reason, value: slot.to_string(), preview: url })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
