//! Stage `images.pass{k}`: fetches targets, stores what becomes an image, and leaves what
//! failed transiently to the next pass.
//!
//! A task holds one part of targets in memory and works on images one after the other, while
//! the client fetches ahead. Blocks of targets are committed together, because the images of
//! pages are sorted by place within a block.

use std::sync::Arc;

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::{EncodedImage, Image, Target, Use};
use corpus::{Error, Id, Inputs, Output, Removal, Result, Stage, Task};
use ingest::Client;
use ingest::fetch::FetchError;
use serde_json::{Value, json};

use super::address::Key;
use super::{Config, Stored, store};

/// The unit that is counted: a distinct URL.
const UNIT: &str = "images";
/// Targets of a block at most: what a killed run fetches again.
const BLOCK_TARGETS_MAX: u64 = 1_000;
/// Encoded bytes of a block at most, beside its last target's.
const BLOCK_BYTES_MAX: usize = 64 << 20;

/// The stage.
#[derive(Clone)]
pub struct Pass {
    /// Its name in the run.
    pub name: String,
    /// The list, or the pass before.
    pub input: String,
    /// Which pass it is, from 0: the first reads `targets`, the others `retry`.
    pub index: u32,
    /// The settings; pass `passes - 1` leaves nothing to retry.
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

    fn settings(&self) -> Value {
        let Config { side_pixels, mode, only_shrink, format, pixels_max, .. } = &self.config;
        let ingest::fetch::Config { body_bytes_max, redirects_max, robots_tags, .. } = &self.fetch;
        json!({
            "last": self.is_last(),
            "side_pixels": side_pixels,
            "mode": mode,
            "only_shrink": only_shrink,
            "format": format,
            "pixels_max": pixels_max,
            "body_bytes_max": body_bytes_max,
            "redirects_max": redirects_max,
            "robots_tags": robots_tags,
        })
    }

    fn plan(&self, inputs: &Inputs) -> Result<u32> {
        Ok(inputs.get(&self.input)?.parts(self.stream()).count() as u32)
    }

    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        if out.is_done() {
            return Ok(());
        }
        // A block is a range.
        out.set_range_records_max(1);
        let targets = self.targets(task, out.position())?;
        let urls: Vec<String> = targets.iter().map(|target| target.url.clone()).collect();
        let mut outcomes = self.client.fetch_in_order(urls);
        let mut block = Block::default();
        for target in targets {
            task.cancel.check()?;
            let outcome = outcomes.next().ok_or_else(|| Error::work(task.stage, LostOutcome))?;
            let fetched = outcome.result.map(|body| body.bytes).map_err(|error| Failure {
                is_transient: error.is_transient(),
                reason: error.reason(),
                detail: detail(&error),
            });
            self.take(task, &mut out, &mut block, target, fetched)?;
            if block.is_full() {
                std::mem::take(&mut block).commit(&mut out)?;
            }
        }
        block.commit(&mut out)?;
        out.finish()
    }
}

/// The client ended before it answered for every URL: a fault of our own.
#[derive(Debug, thiserror::Error)]
#[error("the client gave fewer answers than it was asked for")]
struct LostOutcome;

/// An image of a target, and the digest of its bytes as fetched.
struct Found {
    stored: Stored,
    sha256: String,
}

/// Why there is no image of a target.
#[derive(Debug)]
struct Failure {
    reason: String,
    detail: String,
    is_transient: bool,
}

/// Returns what decided, where it is the same in every run; the words of the operating system
/// and of TLS are not.
fn detail(error: &FetchError) -> String {
    match error {
        FetchError::SchemeRefused(value)
        | FetchError::AddressRefused(value)
        | FetchError::RobotsTag(value) => value.clone(),
        FetchError::Status(status) => status.to_string(),
        _ => String::new(),
    }
}

impl Pass {
    fn stream(&self) -> &'static str {
        if self.index == 0 { "targets" } else { "retry" }
    }

    fn is_last(&self) -> bool {
        self.index + 1 >= self.config.passes
    }

    fn targets(&self, task: &Task<'_>, position: u64) -> Result<Vec<Target>> {
        let dataset = task.inputs.get(&self.input)?;
        match dataset.parts(self.stream()).nth(task.index as usize) {
            Some(part) => dataset.open_at(part, position)?.collect(),
            None => Ok(Vec::new()),
        }
    }

    /// Counts and writes one target.
    fn take(
        &self,
        task: &Task<'_>,
        out: &mut Output<'_>,
        block: &mut Block,
        target: Target,
        fetched: Result<Bytes, Failure>,
    ) -> Result<()> {
        out.read(UNIT);
        block.target_count += 1;
        match fetched.and_then(|bytes| self.judge(task, &target, &bytes)) {
            Ok(found) => {
                out.keep(UNIT);
                block.add(out, target, found)
            }
            Err(failure) => self.give_up(out, target, failure),
        }
    }

    fn judge(&self, task: &Task<'_>, target: &Target, bytes: &Bytes) -> Result<Found, Failure> {
        let failed =
            |reason: &str, detail: String| Failure { reason: reason.to_owned(), detail, is_transient: false };
        let stored = task
            .crashes
            .guard(mark(&target.key), || store(bytes, &self.config))
            .map_err(|fatal| failed(fatal.reason(), String::new()))?
            .map_err(|fault| failed(fault.reason(), fault.to_string()))?;
        let sha256 = Digest::of(bytes).as_str().to_owned();
        Ok(Found { stored, sha256 })
    }

    fn give_up(&self, out: &mut Output<'_>, target: Target, failure: Failure) -> Result<()> {
        let id = target.uses.first().map_or(mark(&target.key), |first| first.id);
        if failure.is_transient && !self.is_last() {
            let value = failure.reason;
            out.drop(UNIT, Removal { id, key: None, reason: "retry", value, preview: &target.url })?;
            return out.write("retry", target);
        }
        let Failure { reason, detail: value, .. } = failure;
        out.fail(UNIT, Removal { id, key: None, reason: &reason, value, preview: &target.url })
    }
}

/// Returns the mark of a target for the crash file. Uses share ids of pages, so the key
/// stands in: only the one image that brought the process down is given up.
fn mark(key: &Key) -> Id {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    Id::from_bits(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

/// The row of an image for some of its uses; the encoded bytes are shared, not copied.
fn row(target: &Target, found: &Found, id: Id, uses: Vec<Use>) -> Image {
    let Found { stored, sha256 } = found;
    let name = target.key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Image {
        id,
        key: target.key,
        url: target.url.clone(),
        image: EncodedImage {
            bytes: stored.bytes.clone(),
            path: Some(format!("{name}.{}", stored.extension)),
        },
        width: stored.width,
        height: stored.height,
        original_width: stored.original_width,
        original_height: stored.original_height,
        sha256: sha256.clone(),
        colour_spread: stored.colour_spread.into(),
        uses,
    }
}

/// What is committed together.
#[derive(Debug, Default)]
struct Block {
    target_count: u64,
    payload_bytes: usize,
    page_images: Vec<Image>,
}

impl Block {
    /// Writes an image for its pairs at once, and keeps one per page slot until the block ends.
    fn add(&mut self, out: &mut Output<'_>, mut target: Target, found: Found) -> Result<()> {
        let uses = std::mem::take(&mut target.uses);
        let (pairs, slots): (Vec<Use>, Vec<Use>) =
            uses.into_iter().partition(|place| place.caption.is_some());
        self.payload_bytes += found.stored.bytes.len() * (slots.len() + 1);
        for slot in slots {
            self.page_images.push(row(&target, &found, slot.id, vec![slot]));
        }
        match pairs.first().map(|first| first.id) {
            Some(id) => out.write("images", row(&target, &found, id, pairs)),
            None => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        self.target_count >= BLOCK_TARGETS_MAX || self.payload_bytes >= BLOCK_BYTES_MAX
    }

    fn commit(mut self, out: &mut Output<'_>) -> Result<()> {
        if self.target_count == 0 {
            return Ok(());
        }
        self.page_images.sort_by_key(|image| (image.id, image.uses.first().map(|place| place.slot)));
        for image in self.page_images {
            out.write("page_images", image)?;
        }
        out.advance(self.target_count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
