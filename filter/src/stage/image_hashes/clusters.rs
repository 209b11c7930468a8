//! The stage that elects the image that stays of each cluster: `images.duplicates`.

use corpus::record::{IMAGE_DUPLICATES, ImageDuplicate, LINKS, Link, key_prefix};
use corpus::sort::{Sorted, Sorter, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Declared, Error, Id, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::{EVALUATION_SOURCE, digest_prefix, image_hashes};
use crate::config::ImageDuplicatesConfig;
use crate::near::components::Components;
use crate::stage::sorted;

/// What this stage counts: images that show nothing new.
const UNIT: &str = "duplicates";
/// The reasons of duplicates.
const REASONS: [&str; 3] = ["duplicate", "near_duplicate", "evaluation"];

/// Finds the connected components of links, and of each the image that stays.
///
/// That is the first in a total order: an evaluation set's before all others, then by pixels as
/// fetched (the most), then by id. Writes [`ImageDuplicate`] rows sorted by the prefix of their key.
#[derive(Debug, Clone)]
pub struct ImageClusters {
    /// The stage's name.
    pub name: String,
    /// The stages whose images were linked.
    pub images: Vec<String>,
    /// The stage whose links it reads.
    pub links: String,
    /// How duplicates are found.
    pub config: ImageDuplicatesConfig,
}

impl ImageClusters {
    /// Returns a third of a task's memory: hashes and members are read while the ranked ones are filled.
    fn third(&self, task: &Task<'_>) -> usize {
        task_bytes(self.config.memory_mb, task.workers) / 3
    }

    fn sorter<const N: usize>(&self, task: &Task<'_>, name: &str) -> Result<Sorter<[u64; N]>> {
        Sorter::new(&task.scratch.join(name), self.third(task))
    }

    /// Returns `[id, smallest id of its component]` of every member of a cluster, by id.
    fn members(&self, task: &Task<'_>) -> Result<Sorted<[u64; 2]>> {
        let links = task.inputs.get(&self.links)?.rows(LINKS);
        let edges = links.map(|link| link.map(|Link { a, b }| [b.to_bits(), a.to_bits()]));
        let components = Components {
            scratch: task.scratch.join("components"),
            memory_bytes: 2 * self.third(task),
            cancel: task.cancel,
        };
        components.members(edges)
    }

    /// Returns `[component, !pixels, id, digest, key]` of every member, the best of a component first.
    fn ranked(&self, task: &Task<'_>) -> Result<Sorted<[u64; 5]>> {
        let mut known = self.sorter(task, "image_hashes")?;
        for image in image_hashes(task.inputs, &self.images) {
            let image = image?;
            task.cancel.check()?;
            let is_evaluation = image.id.source() == EVALUATION_SOURCE;
            let pixels = u64::from(image.original_width) * u64::from(image.original_height);
            let rank = if is_evaluation { 0 } else { !pixels };
            known.push([
                image.id.to_bits(),
                rank,
                digest_prefix(&image),
                key_prefix(&image.key).to_bits(),
            ])?;
        }
        let mut known = known.finish()?.peekable();
        let mut ranked = self.sorter(task, "ranked")?;
        for row in self.members(task)? {
            let [member, component] = row?;
            task.cancel.check()?;
            while known.next_if(|row| matches!(row, Ok([id, ..]) if *id < member)).is_some() {}
            match known.next().transpose()? {
                Some([id, rank, digest, key]) if id == member => {
                    ranked.push([component, rank, id, digest, key])?
                }
                _ => {
                    let detail = format!("{} links an image that is not there", self.links);
                    return Err(Error::Settings { stage: self.name.clone(), detail });
                }
            }
        }
        ranked.finish()
    }

    /// Returns `[key, id, representative, reason]` of every image that does not stay, by key.
    fn elected(&self, task: &Task<'_>) -> Result<Sorted<[u64; 4]>> {
        let mut elected = self.sorter(task, "elected")?;
        let mut best = None;
        for row in self.ranked(task)? {
            let [component, _, id, digest, key] = row?;
            let is_evaluation = |id: u64| Id::from_bits(id).source() == EVALUATION_SOURCE;
            match best {
                // Images of evaluation sets are not ours to drop.
                Some((of, _, _)) if of == component && is_evaluation(id) => {}
                Some((of, best, best_digest)) if of == component => {
                    let reason = if is_evaluation(best) { 2 } else { u64::from(digest != best_digest) };
                    elected.push([key, id, best, reason])?;
                }
                _ => best = Some((component, id, digest)),
            }
        }
        elected.finish()
    }
}

impl Stage for ImageClusters {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.images.iter().chain([&self.links]).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![IMAGE_DUPLICATES.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        sorted::write(
            out,
            UNIT,
            IMAGE_DUPLICATES,
            self.elected(task)?,
            |[key, id, representative, reason]| {
                let [key_prefix, id, representative] = [key, id, representative].map(Id::from_bits);
                let reason = REASONS.get(reason as usize).copied().unwrap_or_default().to_owned();
                Ok(ImageDuplicate { key_prefix, id, representative, reason })
            },
        )
    }
}
