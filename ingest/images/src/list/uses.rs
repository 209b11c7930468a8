//! Stage `images.list.uses`: everything that wants an image, in the order of the URLs' keys.
//!
//! Tasks are groups of parts of pairs and pages, and each writes one sorted sequence of parts; every input part is read
//! once, whatever the number of partitions of the list.

use corpus::record::{Page, Pair, SegmentKind, Use, Wanted};
use corpus::sort::{GROUP_BYTES, Sorted, Sorter, groups, task_bytes};
use corpus::{Dataset, Inputs, Output, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::UNIT;
use crate::address::Address;

/// Stream of what wants images.
pub(super) const USES: &str = "uses";

/// The stage.
#[derive(Debug, Clone)]
pub struct Uses {
    /// Its name in the run.
    pub name: String,
    /// Stages whose `pairs` want images.
    pub pairs: Vec<String>,
    /// Stages whose `pages` want images.
    pub pages: Vec<String>,
    /// Memory in MiB of all tasks at a time; changes no result.
    pub memory_mb: u32,
}

/// What a part holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Pairs,
    Pages,
}

impl Kind {
    fn stream(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Pages => "pages",
        }
    }
}

impl Stage for Uses {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.pairs.iter().chain(&self.pages).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"pairs": self.pairs, "pages": self.pages, "group_bytes": GROUP_BYTES}))
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        let parts = self.parts(inputs)?;
        Ok(groups(parts.iter().map(|(.., part)| part.bytes), GROUP_BYTES).len() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let parts = self.parts(task.inputs)?;
        let groups = groups(parts.iter().map(|(.., part)| part.bytes), GROUP_BYTES);
        let group = groups.into_iter().nth(task.index as usize).unwrap_or_default();
        let memory_bytes = task_bytes(self.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        for (kind, dataset, part) in parts.get(group).unwrap_or_default() {
            gather(*kind, dataset, part, task, &mut sorter)?;
        }
        write(&mut out, sorter.finish()?)?;
        out.finish()
    }
}

impl Uses {
    /// Returns the parts of all inputs, in their order.
    fn parts<'i>(&self, inputs: &'i Inputs) -> Result<Vec<(Kind, &'i Dataset, &'i Part)>> {
        let pairs = self.pairs.iter().map(|stage| (Kind::Pairs, stage));
        let pages = self.pages.iter().map(|stage| (Kind::Pages, stage));
        let mut parts = Vec::new();
        for (kind, stage) in pairs.chain(pages) {
            let dataset = inputs.get(stage)?;
            parts.extend(dataset.parts(kind.stream()).map(|part| (kind, dataset, part)));
        }
        Ok(parts)
    }
}

fn gather(
    kind: Kind,
    dataset: &Dataset,
    part: &Part,
    task: &Task<'_>,
    sorter: &mut Sorter<Wanted>,
) -> Result<()> {
    let mut push = |url: &str, place: Use| {
        let address = Address::of(url);
        sorter.push(Wanted { key: address.key(), url: address.into_string(), place })
    };
    match kind {
        Kind::Pairs => {
            for pair in dataset.open::<Pair>(part)? {
                task.cancel.check()?;
                let Pair { id, url, caption, key, digest, extra, .. } = pair?;
                push(&url, Use { id, slot: 0, caption: Some(caption), key, digest, extra })?;
            }
        }
        Kind::Pages => {
            for page in dataset.open::<Page>(part)? {
                task.cancel.check()?;
                let page = page?;
                for (slot, url) in image_slots(&page) {
                    push(url, Use::of_slot(page.id, slot))?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the images of a page with their slots, counted from 0 over image segments alone.
/// Slots end where `u16` does; an image without URL has an empty one, and fails when fetched.
fn image_slots(page: &Page) -> impl Iterator<Item = (u16, &str)> {
    let images = page.segments.iter().filter(|segment| segment.kind == SegmentKind::Image);
    (0..=u16::MAX).zip(images).map(|(slot, image)| (slot, image.url.as_deref().unwrap_or_default()))
}

/// Writes the rows that are not committed yet. Ranges end at bytes alone, so that few parts are to be merged.
fn write(out: &mut Output<'_>, rows: Sorted<Wanted>) -> Result<()> {
    out.set_range_records_max(u64::MAX);
    let committed = usize::try_from(out.position()).unwrap_or(usize::MAX);
    for row in rows.skip(committed) {
        out.read(UNIT);
        out.write(USES, row?)?;
        out.keep(UNIT);
        out.advance(1)?;
    }
    Ok(())
}
