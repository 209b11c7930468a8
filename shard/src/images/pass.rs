//! Stage `images.pass{k}`: fetches targets, stores what becomes an image, and leaves what
//! failed transiently to the next pass.
//!
//! A task holds one part of targets in memory and works on images one after the other, while
//! the client fetches ahead. Blocks of targets are committed together, because the images of
//! pages are sorted by place within a block.

use std::sync::Arc;

use bytes::Bytes;
use corpus::digest::Digest;
use corpus::record::{Fetched, Image, Target, Use, key_prefix};
use corpus::{Error, Inputs, Output, Removal, Result, Stage, Task};
use ingest::Client;
use ingest::fetch::{Body, FetchError};
use serde_json::{Value, json};

use super::earlier::Earlier;
use super::stated::Stated;
use super::{Config, jpeg, store};

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
        let Config { side_pixels, mode, only_shrink, preprocess, format, pixels_max, .. } = &self.config;
        let ingest::fetch::Config { body_bytes_max, redirects_max, robots_tags, robots_txt, .. } =
            &self.fetch;
        json!({
            "last": self.is_last(),
            "side_pixels": side_pixels,
            "mode": mode,
            "only_shrink": only_shrink,
            "preprocess": preprocess,
            "format": format,
            "jpeg": jpeg::CODEC,
            "pixels_max": pixels_max,
            "body_bytes_max": body_bytes_max,
            "redirects_max": redirects_max,
            "robots_tags": robots_tags,
            "robots_txt": robots_txt,
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
        let mut earlier = match self.index {
            0 => Earlier::find(task, self, &self.input, &targets)?,
            _ => Earlier::default(),
        };
        let is_had =
            |earlier: &Earlier, target: &Target| earlier.has(&target.key) && !Stated::needs_bytes(target);
        let asked = targets.iter().filter(|target| !is_had(&earlier, target));
        let urls: Vec<String> = asked.map(|target| target.url.clone()).collect();
        let mut outcomes = self.client.fetch_in_order(urls);
        let mut block = Block::default();
        for target in targets {
            task.cancel.check()?;
            let lost = || Error::work(task.stage, LostOutcome);
            if is_had(&earlier, &target) {
                let image = earlier.take(&target.key)?.ok_or_else(lost)?;
                self.reuse(&mut out, &mut block, target, image)?;
            } else {
                let outcome = outcomes.next().ok_or_else(lost)?;
                self.take(task, &mut out, &mut block, target, outcome.result)?;
            }
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
#[error("the client or an earlier list gave fewer answers than it was asked for")]
struct LostOutcome;

/// Why there is no image of a target.
#[derive(Debug)]
struct Failure {
    reason: String,
    detail: String,
    is_transient: bool,
}

impl Failure {
    fn lasting(reason: &str, detail: String) -> Self {
        Self { reason: reason.to_owned(), detail, is_transient: false }
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        Self { is_transient: error.is_transient(), reason: error.reason(), detail: detail(error) }
    }
}

/// Returns what decided, where it is the same in every run; the words of the operating system
/// and of TLS are not.
fn detail(error: &FetchError) -> String {
    match error {
        FetchError::SchemeRefused(value)
        | FetchError::AddressRefused(value)
        | FetchError::RobotsTag(value)
        | FetchError::RobotsTxt(value) => value.clone(),
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

    /// Judges the answer for one target, and writes what became of it.
    fn take(
        &self,
        task: &Task<'_>,
        out: &mut Output<'_>,
        block: &mut Block,
        mut target: Target,
        answer: Result<Body, FetchError>,
    ) -> Result<()> {
        let row = fetched(&target, Some(&answer));
        let judged = match &answer {
            Ok(body) => match self.judge(task, &target, &body.bytes) {
                Ok(image) => stated(out, &mut target, &body.bytes, image)?,
                failed => failed,
            },
            Err(error) => Err(Failure::from(error)),
        };
        self.conclude(out, block, target, row, judged)
    }

    /// Takes the image of a target that an earlier list had fetched.
    fn reuse(&self, out: &mut Output<'_>, block: &mut Block, mut target: Target, image: Image) -> Result<()> {
        let row = fetched(&target, None);
        let judged = stated(out, &mut target, &[], image)?;
        self.conclude(out, block, target, row, judged)
    }

    /// Counts and writes one target, and what became of it.
    fn conclude(
        &self,
        out: &mut Output<'_>,
        block: &mut Block,
        target: Target,
        mut row: Fetched,
        judged: Result<Image, Failure>,
    ) -> Result<()> {
        out.read(UNIT);
        block.target_count += 1;
        match judged {
            Ok(image) => {
                out.keep(UNIT);
                block.add(out, target, image)?;
            }
            Err(failure) => {
                let is_retried = failure.is_transient && !self.is_last();
                row.status = if is_retried { "retry" } else { "failed" }.to_owned();
                row.reason = Some(failure.reason.clone());
                give_up(out, target, failure, is_retried)?;
            }
        }
        out.write("fetched", row)
    }

    fn judge(&self, task: &Task<'_>, target: &Target, bytes: &Bytes) -> Result<Image, Failure> {
        // Uses share ids of pages, so the key marks a target in the crash file: only the one image that
        // brought the process down is given up.
        let stored = task
            .crashes
            .guard(key_prefix(&target.key), || store(bytes, &self.config))
            .map_err(|fatal| Failure::lasting(fatal.reason(), String::new()))?
            .map_err(|fault| Failure::lasting(fault.reason(), fault.to_string()))?;
        Ok(stored.into_image(target.key, target.url.clone(), Digest::of(bytes).as_str().to_owned()))
    }
}

/// Holds an image against the digests that sources state for it.
fn stated(
    out: &mut Output<'_>,
    target: &mut Target,
    bytes: &[u8],
    image: Image,
) -> Result<Result<Image, Failure>> {
    let is_stated_one = Stated::check(out, target, bytes, &image.sha256)?;
    Ok(is_stated_one.then_some(image).ok_or_else(|| Failure::lasting("digest_mismatch", String::new())))
}

fn give_up(out: &mut Output<'_>, target: Target, failure: Failure, is_retried: bool) -> Result<()> {
    let first = target.uses.first();
    let id = first.map_or(key_prefix(&target.key), |first| first.id);
    let key = first.and_then(|first| first.key.as_deref());
    let url = Some(target.url.as_str());
    if is_retried {
        let value = failure.reason;
        out.drop(UNIT, Removal { id, key, url, reason: "retry", value, preview: &target.url })?;
        return out.write("retry", target);
    }
    let Failure { reason, detail: value, .. } = failure;
    out.fail(UNIT, Removal { id, key, url, reason: &reason, value, preview: &target.url })
}

/// The row that says what became of a target, as of one that was kept; there is no answer for one that
/// an earlier list had fetched.
fn fetched(target: &Target, answer: Option<&Result<Body, FetchError>>) -> Fetched {
    let body = answer.and_then(|answer| answer.as_ref().ok());
    let http_status = match answer {
        Some(Ok(_)) => Some(200),
        Some(Err(FetchError::Status(status))) => Some(*status),
        Some(Err(_)) | None => None,
    };
    Fetched {
        key: target.key,
        url: target.url.clone(),
        status: "kept".to_owned(),
        reason: None,
        http_status,
        body_bytes: body.map(|body| body.bytes.len() as u64),
        content_type: body.and_then(|body| body.content_type.clone()),
        final_url: body.map(|body| body.final_url.clone()),
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
    /// Writes an image for its pairs at once, and keeps one per page slot until the block ends; the
    /// encoded bytes are shared, not copied.
    fn add(&mut self, out: &mut Output<'_>, target: Target, image: Image) -> Result<()> {
        let (pairs, slots): (Vec<Use>, Vec<Use>) =
            target.uses.into_iter().partition(|place| place.caption.is_some());
        self.payload_bytes += image.image.bytes.len() * (slots.len() + 1);
        for slot in slots {
            self.page_images.push(Image { id: slot.id, uses: vec![slot], ..image.clone() });
        }
        match pairs.first().map(|first| first.id) {
            Some(id) => out.write("images", Image { id, uses: pairs, ..image }),
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
