//! The stage that links images of the same bytes or of similar hashes: `images.duplicates.links`.

use corpus::record::{IMAGES, ImageHash, LINKS, Link};
use corpus::sort::{Sorter, task_bytes};
use corpus::stage::{Inputs, Resources};
use corpus::{Declared, Id, Output, Result, Stage, Task};
use serde_json::{Value, json};

use super::{digest_prefix, image_hashes};
use crate::config::ImageDuplicatesConfig;
use crate::image_hashes::{Bucket, tables};
use crate::stage::sorted;

/// What this stage counts: links, each once per table in which it is found.
const UNIT: &str = "links";
/// Images whose colours spread less are not compared by their hashes: all of them are alike.
const COLOUR_SPREAD_MIN: u16 = 16;
/// The hash of images without a meaningful one, which are compared by bytes alone.
const NO_HASH: u64 = 0;

/// Links images, one task per table: the first by digests, the others by pairs of blocks of hashes.
#[derive(Debug, Clone)]
pub struct ImageLinks {
    /// The stage's name.
    pub name: String,
    /// The stages whose images it reads.
    pub images: Vec<String>,
    /// How duplicates are found.
    pub config: ImageDuplicatesConfig,
}

impl ImageLinks {
    /// Returns the masks of the tables after the first.
    fn masks(&self) -> Vec<u64> {
        self.config.hamming_max.map(tables).unwrap_or_default()
    }

    /// Sorts all images by what a table compares: `[bucket, hash, id]`.
    fn sorted(&self, task: &Task<'_>, mask: Option<u64>) -> Result<Sorter<[u64; 3]>> {
        let mut sorter =
            Sorter::new(&task.scratch.join("table"), task_bytes(self.config.memory_mb, task.workers) / 2)?;
        for image in image_hashes(task.inputs, &self.images) {
            let image: ImageHash = image?;
            task.cancel.check()?;
            let id = image.id.to_bits();
            match mask {
                None => sorter.push([digest_prefix(&image), 0, id])?,
                Some(mask)
                    if image.colour_spread >= COLOUR_SPREAD_MIN && image.perceptual_hash != NO_HASH =>
                {
                    sorter.push([image.perceptual_hash & mask, image.perceptual_hash, id])?;
                }
                Some(_) => {}
            }
        }
        Ok(sorter)
    }

    /// Finds the links of a table: equal hashes are linked to the first of them, which alone is compared.
    fn links(&self, task: &Task<'_>, mask: Option<u64>) -> Result<Sorter<[u64; 2]>> {
        let distance = self.config.hamming_max.unwrap_or_default();
        let mut links =
            Sorter::new(&task.scratch.join("links"), task_bytes(self.config.memory_mb, task.workers) / 2)?;
        let mut link = |a: u64, b: u64| links.push([a.min(b), a.max(b)]);
        let mut bucket = Bucket::default();
        let mut current = None;
        for row in self.sorted(task, mask)?.finish()? {
            let [key, hash, id] = row?;
            task.cancel.check()?;
            if current != Some(key) {
                bucket.finish(distance, &mut link)?;
                current = Some(key);
            }
            match bucket.last() {
                Some((last, first)) if last == hash => link(first, id)?,
                _ => bucket.push(hash, id, distance, &mut link)?,
            }
        }
        bucket.finish(distance, &mut link)?;
        Ok(links)
    }
}

impl Stage for ImageLinks {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.images.clone()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"hamming_max": self.config.hamming_max, "images": IMAGES.name()}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(1 + self.masks().len() as u32)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![LINKS.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.memory_mb)
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let mask = task.index.checked_sub(1).and_then(|index| self.masks().get(index as usize).copied());
        let link = |[a, b]: [u64; 2]| Ok(Link { a: Id::from_bits(a), b: Id::from_bits(b) });
        sorted::write(out, UNIT, LINKS, self.links(task, mask)?.finish()?, link)
    }
}
