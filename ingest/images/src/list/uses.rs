//! Stage `images.list.uses`: everything that wants an image, in the order of the URLs' keys.
//!
//! Tasks are groups of parts of pairs and pages, and each writes one sorted sequence of parts; every input part is read
//! once, whatever the number of partitions of the list.

use corpus::record::{PAGES, PAIRS, Page, Pair, SegmentKind, USES, Use, Wanted};
use corpus::sort::{GROUP_BYTES, Sorted, Sorter, group_count, groups, task_bytes};
use corpus::stage::Resources;
use corpus::{Dataset, Declared, Inputs, Output, Part, Result, Stage, Task};
use serde_json::{Value, json};

use super::UNIT;
use crate::address::Address;

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

/// A part with what it holds and the dataset it is of.
type Placed<'i> = (RowKind, &'i Dataset, Part);

/// What a part holds.
#[derive(Debug, Clone, Copy)]
enum RowKind {
    Pairs,
    Pages,
}

impl RowKind {
    /// Returns the parts of a stage's rows of this kind.
    fn parts(self, dataset: &Dataset) -> Box<dyn Iterator<Item = Result<Part>> + '_> {
        match self {
            Self::Pairs => Box::new(dataset.parts(PAIRS)),
            Self::Pages => Box::new(dataset.parts(PAGES)),
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
        group_count(self.groups(inputs)?)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![USES.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let group = self.groups(task.inputs)?.nth(task.index as usize).transpose()?;
        let memory_bytes = task_bytes(self.memory_mb, task.workers);
        let mut sorter = Sorter::new(&task.scratch.join("sort"), memory_bytes)?;
        for (kind, dataset, part) in group.unwrap_or_default() {
            gather(kind, dataset, &part, task, &mut sorter)?;
        }
        write(out, sorter.finish()?)
    }
}

impl Uses {
    /// Returns the parts of all inputs in their order, those of each task together.
    fn groups<'i>(&self, inputs: &'i Inputs) -> Result<impl Iterator<Item = Result<Vec<Placed<'i>>>>> {
        let pairs = self.pairs.iter().map(|stage| (RowKind::Pairs, stage));
        let pages = self.pages.iter().map(|stage| (RowKind::Pages, stage));
        let datasets = pairs.chain(pages).map(|(kind, stage)| Ok((kind, inputs.get(stage)?)));
        let datasets: Vec<_> = datasets.collect::<Result<_>>()?;
        let parts = datasets.into_iter().flat_map(|(kind, dataset)| {
            kind.parts(dataset).map(move |part| part.map(|part| (kind, dataset, part)))
        });
        Ok(groups(parts, |(.., part)| part.bytes, GROUP_BYTES))
    }
}

fn gather(
    kind: RowKind,
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
        RowKind::Pairs => {
            for pair in dataset.open::<Pair>(part)? {
                task.cancel.check()?;
                let Pair { id, url, caption, key, digest, extra, .. } = pair?;
                push(&url, Use { id, slot: 0, caption: Some(caption), key, digest, extra })?;
            }
        }
        RowKind::Pages => {
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
