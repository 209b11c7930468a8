//! Stage `interleaved`: pages and their images to interleaved documents.

use std::collections::HashSet;

use corpus::record::{INTERLEAVED, Interleaved, PAGES, Page, SegmentKind};
use corpus::{Dataset, Declared, Id, Inputs, Output, Part, Removal, Result, Split, Stage, Task};
use serde_json::{Value, json};

use super::gathered::{Gathered, Gathering};
use super::{Candidate, Config, Left, Piece, Refusal, compose};

/// The unit of pages.
const DOCUMENTS: &str = "documents";
/// The unit of their image segments.
const IMAGES: &str = "images";

/// The stage.
#[derive(Debug, Clone)]
pub struct Build {
    /// Its name in the run.
    pub name: String,
    /// The stage whose `pages` are composed.
    pub pages: String,
    /// All passes, whose `page_images` are taken.
    pub images: Vec<String>,
    /// The settings.
    pub config: Config,
    /// Seed of the coin for single images and of the split.
    pub seed: u64,
}

impl Stage for Build {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        std::iter::once(&self.pages).chain(&self.images).cloned().collect()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({ "rules": self.config, "seed": self.seed }))
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.pages)?.part_count(PAGES)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![INTERLEAVED.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        let pages = task.inputs.get(&self.pages)?;
        if let Some(part) = pages.part(PAGES, task.index)? {
            let gathered = self.gather(task, pages, &part, out.position())?;
            for page in pages.open_at::<Page>(&part, out.position())? {
                self.take(out, page?, &gathered)?;
                out.advance(1)?;
            }
        }
        Ok(())
    }
}

impl Build {
    /// Brings together the images of the part's pages from a position on.
    fn gather(&self, task: &Task<'_>, pages: &Dataset, part: &Part, position: u64) -> Result<Gathered> {
        let mut gathering = Gathering::create(&task.scratch)?;
        let mut range: Option<(Id, Id)> = None;
        for page in pages.open_at::<Page>(part, position)? {
            let id = page?.id;
            range = Some(range.map_or((id, id), |(low, high)| (low.min(id), high.max(id))));
        }
        if let Some((low, high)) = range {
            for pass in &self.images {
                task.cancel.check()?;
                gathering.gather(task.inputs.get(pass)?, &(low..=high))?;
            }
        }
        gathering.finish()
    }

    /// Counts one page, and writes the document it makes.
    fn take(&self, out: &mut Output<'_>, page: Page, gathered: &Gathered) -> Result<()> {
        out.read(DOCUMENTS);
        let slots = self.judge_images(out, &page, gathered)?;
        let pieces = compose(&page.segments, &slots, &self.config);
        if let Err(refusal) = self.config.judge_document(self.seed, page.id, left(&pieces)) {
            for slot in slots {
                let value = slot.to_string();
                drop_one(out, IMAGES, page.id, Refusal { value, ..refusal.clone() }, page.url.as_deref())?;
            }
            return drop_one(out, DOCUMENTS, page.id, refusal, page.url.as_deref());
        }
        for _ in &slots {
            out.keep(IMAGES);
        }
        out.keep(DOCUMENTS);
        out.write(INTERLEAVED, self.document(page, pieces, gathered)?)
    }

    /// Returns the slots whose images stay; the others are counted and written down.
    fn judge_images(&self, out: &mut Output<'_>, page: &Page, gathered: &Gathered) -> Result<Vec<u16>> {
        let (mut slots, mut urls) = (Vec::new(), HashSet::new());
        let images = page.segments.iter().filter(|segment| segment.kind == SegmentKind::Image);
        for (index, image) in images.enumerate() {
            out.read(IMAGES);
            let slot = u16::try_from(index).ok();
            let seen = slot.and_then(|slot| gathered.seen(page.id, slot));
            let url = image.url.as_deref().unwrap_or_default();
            let candidate = Candidate { seen, url, is_repeated: urls.contains(url), kept: slots.len() };
            match (self.config.judge_image(candidate), slot) {
                (Ok(()), slot) => {
                    slots.extend(slot);
                    urls.insert(url);
                }
                (Err(refusal), _) => {
                    drop_one(out, IMAGES, page.id, refusal, Some(url))?;
                }
            }
        }
        Ok(slots)
    }

    fn document(&self, page: Page, pieces: Vec<Piece>, gathered: &Gathered) -> Result<Interleaved> {
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        for piece in pieces {
            let (text, image) = match piece {
                Piece::Text(text) => (Some(text), None),
                Piece::Image(slot) => (None, gathered.read(page.id, slot)?),
            };
            texts.push(text);
            images.push(image);
        }
        let cluster = page.id.to_bits().to_le_bytes();
        let split = Split::of_cluster(self.seed, &cluster, self.config.validation_share);
        Ok(Interleaved { id: page.id, url: page.url, texts, images, split })
    }
}

/// Returns what rules see of a page's pieces.
fn left(pieces: &[Piece]) -> Left {
    let is_text = |piece: &Piece| matches!(piece, Piece::Text(_));
    let (first, last) = (pieces.iter().position(is_text), pieces.iter().rposition(is_text));
    let between = first.zip(last).map_or(0..0, |(first, last)| first..last);
    Left {
        images: pieces.iter().filter(|piece| !is_text(piece)).count(),
        has_text: first.is_some(),
        is_between_texts: pieces[between].iter().any(|piece| !is_text(piece)),
    }
}

fn drop_one(out: &mut Output<'_>, unit: &str, id: Id, refusal: Refusal, url: Option<&str>) -> Result<()> {
    let Refusal { reason, value } = refusal;
    out.drop(unit, Removal { id, key: None, url, reason, value, preview: url.unwrap_or_default() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
