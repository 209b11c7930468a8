//! Stage `images.pass{k}`: fetches targets, stores what becomes an image, and leaves what
//! failed transiently to the next pass.
//!
//! A task holds one part of targets in memory and works on images one after the other, while
//! the client fetches ahead. A range is a fixed number of targets, whatever came back for them; the
//! images of pages are sorted by place within it.

use std::sync::Arc;

use corpus::record::{FETCHED, IMAGES, Image, PAGE_IMAGES, RETRY, TARGETS, Target, Use, key_prefix};
use corpus::stage::Resources;
use corpus::{Declared, Error, Inputs, Output, Removal, Result, Stage, Stream, Task};
use ingest::Client;
use ingest::fetch::InOrder;
use serde_json::{Value, json};

use super::earlier::Earlier;
use super::outcome::{Failure, Outcome};
use super::stated::Stated;
use super::{Config, jpeg};
use kept::Kept;
use page_images::PageImages;

mod kept;
mod page_images;
mod saved;

/// The unit that is counted: a distinct URL.
const UNIT: &str = "images";
/// Targets of a range: what is committed together, and the images of a part. Outcomes outlive a kill in between.
const RANGE_TARGETS: u64 = 10_000;

/// The stage.
#[derive(Clone)]
pub struct Pass {
    /// Its name in the run.
    pub name: String,
    /// The list, or the pass before.
    pub input: String,
    /// Which pass it is, from 0: the first reads `targets`, the others `retry`.
    pub index: u32,
    /// The settings; what fails transiently in pass `passes - 1` and later ones has failed.
    pub config: Config,
    /// What fetches.
    pub client: Arc<Client>,
    /// What the client was made with; the bounds that decide an outcome are part of the
    /// fingerprint, how long to wait and how many at once are not.
    pub fetch: ingest::fetch::Config,
}

impl Stage for Pass {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        vec![self.input.clone()]
    }

    fn settings(&self) -> Result<Value> {
        let Config {
            side_pixels, mode, only_shrink, preprocess, format, pixels_max, decoded_bytes_max, ..
        } = &self.config;
        let ingest::fetch::Config { body_bytes_max, redirects_max, robots_tags, robots_txt, .. } =
            &self.fetch;
        let mut settings = json!({
            "last": self.is_last(),
            "side_pixels": side_pixels,
            "mode": mode,
            "only_shrink": only_shrink,
            "preprocess": preprocess,
            "format": format,
            "jpeg": jpeg::CODEC,
            "pixels_max": pixels_max,
            "decoded_bytes_max": decoded_bytes_max,
            "body_bytes_max": body_bytes_max,
            "redirects_max": redirects_max,
            "robots_tags": robots_tags,
            "robots_txt": robots_txt,
        });
        // Only where it is off: results of before keep their fingerprint.
        if !self.fetch.tls_verify {
            settings["tls_verify"] = json!(false);
        }
        Ok(settings)
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        inputs.get(&self.input)?.part_count(self.stream())
    }

    fn streams(&self) -> Vec<Declared> {
        vec![IMAGES.into(), PAGE_IMAGES.into(), FETCHED.into(), RETRY.into()]
    }

    fn resources(&self) -> Resources {
        Resources::with_memory_mb(self.config.decode_memory_mb)
    }

    fn version(&self) -> u32 {
        4
    }

    fn guards_records(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        // One call ends a range: neither bytes nor targets end it before.
        out.set_range_records_max(1);
        let targets = self.targets(task, out.position())?;
        let mut kept = Kept::open(&task.keep, out.position());
        let mut earlier = match self.index {
            0 => Earlier::find(task, self, &self.input, &targets)?,
            _ => Earlier::default(),
        };
        let origins: Vec<Origin> = targets.iter().map(|target| Origin::of(target, &kept, &earlier)).collect();
        let asked = std::iter::zip(&targets, &origins).filter(|(_, origin)| **origin == Origin::Net);
        let urls: Vec<String> = asked.map(|(target, _)| target.url.clone()).collect();
        let mut answers = self.client.fetch_in_order(urls, &task.scratch);
        let mut range =
            Range { target_count: 0, page_images: PageImages::new(&task.scratch), is_further: false };
        for (target, origin) in targets.into_iter().zip(origins) {
            task.cancel.check()?;
            let had = match origin {
                Origin::Kept => kept.get(&target),
                Origin::Earlier => earlier.take(&target.key)?,
                Origin::Net => None,
            };
            let outcome = match had {
                Some(outcome) => outcome,
                None => {
                    let outcome = self.fetch(task, &target, origin, &mut answers)?;
                    if kept.add(&target.key, &outcome) && !std::mem::replace(&mut range.is_further, true) {
                        out.progressed();
                    }
                    outcome
                }
            };
            self.conclude(out, &mut range, target, outcome)?;
            if range.target_count >= RANGE_TARGETS {
                range.commit(out)?;
                kept = Kept::open(&task.keep, out.position());
            }
        }
        range.commit(out)
    }
}

/// What comes of the URLs that a task asks for.
type Answers<'c> = InOrder<'c, std::vec::IntoIter<String>>;

/// Where a target's outcome comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// An attempt before this one had it.
    Kept,
    /// It was fetched for an earlier list.
    Earlier,
    Net,
}

impl Origin {
    fn of(target: &Target, kept: &Kept, earlier: &Earlier) -> Self {
        if kept.has(&target.key) {
            Self::Kept
        } else if earlier.has(&target.key) && !Stated::needs_bytes(target) {
            Self::Earlier
        } else {
            Self::Net
        }
    }
}

/// The client ended before it answered for every URL: a fault of our own.
#[derive(Debug, thiserror::Error)]
#[error("the client gave fewer answers than it was asked for")]
struct LostOutcome;

impl Pass {
    fn stream(&self) -> Stream<Target> {
        if self.index == 0 { TARGETS } else { RETRY }
    }

    fn is_last(&self) -> bool {
        self.index + 1 >= self.config.passes
    }

    fn targets(&self, task: &Task<'_>, position: u64) -> Result<Vec<Target>> {
        let dataset = task.inputs.get(&self.input)?;
        match dataset.part(self.stream(), task.index)? {
            Some(part) => dataset.open_at(&part, position)?.collect(),
            None => Ok(Vec::new()),
        }
    }

    /// Takes the answer for a target that had to be fetched, and judges it.
    fn fetch(
        &self,
        task: &Task<'_>,
        target: &Target,
        origin: Origin,
        answers: &mut Answers<'_>,
    ) -> Result<Outcome> {
        let answer = match origin {
            Origin::Net => answers.next(),
            // It was damaged or is gone meanwhile.
            Origin::Kept | Origin::Earlier => {
                self.client.fetch_in_order(vec![target.url.clone()], &task.scratch).next()
            }
        };
        let answer = answer.ok_or_else(|| Error::work(task.stage, LostOutcome))?.result;
        // What went wrong on our side says nothing about the URL.
        if let Some(fault) = answer.as_ref().err().filter(|error| error.is_ours()) {
            return Err(Error::work(task.stage, fault.clone()));
        }
        // Later passes ask for what failed before.
        if self.index == 0 {
            self.client.check_reach().map_err(|fault| Error::work(task.stage, fault))?;
        }
        Ok(Outcome::of(task, &self.config, target, answer))
    }

    /// Counts and writes one target, and what became of it.
    fn conclude(
        &self,
        out: &mut Output<'_>,
        range: &mut Range,
        mut target: Target,
        outcome: Outcome,
    ) -> Result<()> {
        let Outcome { mut row, md5, judged } = outcome;
        let judged = match judged {
            Ok(image) => stated(out, &mut target, md5.as_deref(), image)?,
            failed => failed,
        };
        out.read(UNIT);
        range.target_count += 1;
        match judged {
            Ok(image) => {
                out.keep(UNIT);
                range.add(out, target, image)?;
            }
            Err(failure) => {
                let is_retried = failure.is_transient && !self.is_last();
                row.status = if is_retried { "retry" } else { "failed" }.to_owned();
                row.reason = Some(failure.reason.clone());
                give_up(out, target, failure, is_retried)?;
            }
        }
        out.write(FETCHED, row)
    }
}

/// Holds an image against the digests that sources state for it.
fn stated(
    out: &mut Output<'_>,
    target: &mut Target,
    md5: Option<&str>,
    image: Image,
) -> Result<Result<Image, Failure>> {
    let is_stated_one = Stated::check(out, target, md5, &image.sha256)?;
    Ok(is_stated_one.then_some(image).ok_or_else(|| Failure::lasting("digest_mismatch", String::new())))
}

fn give_up(out: &mut Output<'_>, target: Target, failure: Failure, is_retried: bool) -> Result<()> {
    let first = target.uses.first();
    let id = first.map_or(key_prefix(&target.key), |first| first.id);
    let key = first.and_then(|first| first.key.as_deref());
    let url = Some(target.url.as_str());
    let Failure { reason, detail, is_transient } = failure;
    if is_retried {
        out.drop(UNIT, Removal { id, key, url, reason: "retry", value: reason, preview: &target.url })?;
    } else {
        out.fail(UNIT, Removal { id, key, url, reason: &reason, value: detail, preview: &target.url })?;
    }
    // Also of the last pass: one more may be added when it is over.
    if is_transient { out.write(RETRY, target) } else { Ok(()) }
}

/// What is committed together.
#[derive(Debug)]
struct Range {
    target_count: u64,
    page_images: PageImages,
    /// Whether the next attempt would find more of it than this one did.
    is_further: bool,
}

impl Range {
    /// Writes an image for its pairs at once, and puts it aside for its page slots until the range ends.
    fn add(&mut self, out: &mut Output<'_>, target: Target, image: Image) -> Result<()> {
        let (pairs, slots): (Vec<Use>, Vec<Use>) =
            target.uses.into_iter().partition(|place| place.caption.is_some());
        self.page_images.add(&image, slots)?;
        match pairs.first().map(|first| first.id) {
            Some(id) => out.write(IMAGES, Image { id, uses: pairs, ..image }),
            None => Ok(()),
        }
    }

    /// Commits what was added, and is empty again.
    fn commit(&mut self, out: &mut Output<'_>) -> Result<()> {
        self.is_further = false;
        let target_count = std::mem::take(&mut self.target_count);
        if target_count == 0 {
            return Ok(());
        }
        self.page_images.write(out)?;
        out.advance(target_count)
    }
}

/// Returns how many outcomes are kept of a task's first range.
#[cfg(test)]
pub(super) fn kept_count(folder: &std::path::Path) -> usize {
    Kept::open(folder, 0).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
