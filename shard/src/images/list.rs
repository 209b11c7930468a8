//! Stage `images.list`: the fetch list, every URL once with everything that wants it.
//!
//! The list is sorted by the hash of the URL, which shuffles hosts and sources. Task p of P
//! takes the p-th range of keys: it reads all pairs and pages and holds the uses of its range,
//! about 200 bytes and a caption each, so P bounds the memory (and multiplies the reading).

use std::collections::BTreeMap;

use corpus::record::{Page, Pair, SegmentKind, Target, Use};
use corpus::{Id, Inputs, Output, Removal, Result, Stage, Task};
use serde_json::{Value, json};

use super::Config;
use super::address::{Address, Key, partition};

/// The unit that is counted: a pair, or an image segment of a page.
const UNIT: &str = "uses";

/// The stage.
#[derive(Debug, Clone)]
pub struct List {
    /// Its name in the run.
    pub name: String,
    /// Stages whose `pairs` want images.
    pub pairs: Vec<String>,
    /// Stages whose `pages` want images.
    pub pages: Vec<String>,
    /// The settings.
    pub config: Config,
}

impl Stage for List {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        self.pairs.iter().chain(&self.pages).cloned().collect()
    }

    fn settings(&self) -> Value {
        let Config { partitions, images_per_page_max, page_uses_max, .. } = &self.config;
        json!({
            "partitions": partitions,
            "images_per_page_max": images_per_page_max,
            "page_uses_max": page_uses_max,
            "pairs": self.pairs,
            "pages": self.pages,
        })
    }

    fn version(&self) -> u32 {
        2
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.config.partitions)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        let committed = usize::try_from(out.position()).unwrap_or(usize::MAX);
        for (key, wanted) in self.gather(task)?.into_iter().skip(committed) {
            write(&mut out, key, wanted, &self.config)?;
            out.advance(1)?;
        }
        out.finish()
    }
}

/// What one partition wants, by key.
type Gathered = BTreeMap<Key, Wanted>;

/// A URL and its uses, in no order yet.
#[derive(Debug, Default)]
struct Wanted {
    url: String,
    pairs: Vec<Use>,
    slots: Vec<Use>,
}

impl List {
    fn gather(&self, task: &Task<'_>) -> Result<Gathered> {
        let mut gathered = Gathered::new();
        let mut add = |url: &str, place: Use| {
            let address = Address::of(url);
            let key = address.key();
            if partition(&key, task.count) == task.index {
                let new = || Wanted { url: address.into_string(), ..Wanted::default() };
                let wanted: &mut Wanted = gathered.entry(key).or_insert_with(new);
                match place.caption {
                    Some(_) => wanted.pairs.push(place),
                    None => wanted.slots.push(place),
                }
            }
        };
        for stage in &self.pairs {
            for pair in task.inputs.get(stage)?.rows::<Pair>("pairs") {
                task.cancel.check()?;
                let Pair { id, url, caption, key, digest, extra, .. } = pair?;
                add(&url, Use { id, slot: 0, caption: Some(caption), key, digest, extra });
            }
        }
        for stage in &self.pages {
            for page in task.inputs.get(stage)?.rows::<Page>("pages") {
                task.cancel.check()?;
                let page = page?;
                for (slot, url) in image_slots(&page) {
                    add(url, Use::of_slot(page.id, slot));
                }
            }
        }
        Ok(gathered)
    }
}

/// Returns the images of a page with their slots, counted from 0 over image segments alone.
/// Slots end where `u16` does; an image without URL has an empty one, and fails when fetched.
pub(crate) fn image_slots(page: &Page) -> impl Iterator<Item = (u16, &str)> {
    let images = page.segments.iter().filter(|segment| segment.kind == SegmentKind::Image);
    (0..=u16::MAX).zip(images).map(|(slot, image)| (slot, image.url.as_deref().unwrap_or_default()))
}

fn write(out: &mut Output<'_>, key: Key, wanted: Wanted, config: &Config) -> Result<()> {
    let Wanted { url, pairs: mut uses, mut slots } = wanted;
    let place = |a: &Use| (a.id, a.slot);
    slots.sort_by_key(place);
    let mut kept_slots = 0;
    for slot in slots {
        let reason = if slot.slot >= config.images_per_page_max {
            "images_max"
        } else if kept_slots >= config.page_uses_max {
            "uses_max"
        } else {
            kept_slots += 1;
            uses.push(slot);
            continue;
        };
        out.read(UNIT);
        drop_use(out, slot.id, reason, slot.slot, &url)?;
    }
    for _ in &uses {
        out.read(UNIT);
        out.keep(UNIT);
    }
    uses.sort_by_key(place);
    if uses.is_empty() { Ok(()) } else { out.write("targets", Target { key, url, uses }) }
}

fn drop_use(out: &mut Output<'_>, id: Id, reason: &str, slot: u16, url: &str) -> Result<()> {
    out.drop(UNIT, Removal { id, key: None, url: Some(url), reason, value: slot.to_string(), preview: url })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
