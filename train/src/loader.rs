//! The loader: micro-batches in training order, made ahead by a thread of its own.
//!
//! In memory are one window of each source (see [`crate::source`]), the sequences of a kind that are sorted together
//! (256 MiB), `micro_batches_ahead` finished micro-batches, the one in the making and the one in use.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use corpus::Dataset;
use corpus::record::Sequence;

use crate::bucket::buckets;
use crate::layout::Layout;
use crate::micro_batch::MicroBatch;
use crate::sampler::Rank;
use crate::stream::{Stream, StreamState};
use crate::{Amount, Config, Error, Kind, Result};

/// The sealed datasets of packed sequences, by kind.
pub type Shards = BTreeMap<Kind, Dataset>;

/// How far all shards were used: a few integers for each source.
pub type LoaderState = BTreeMap<Kind, StreamState>;

/// Bytes of tokens and payloads of the sequences of a step that are sorted by length together.
const GATHERED_BYTES_MAX: usize = 256 << 20;

/// A micro-batch, and the state after it.
#[derive(Debug)]
pub struct Loaded {
    /// The micro-batch.
    pub batch: MicroBatch,
    /// Whether it is the last one of its step.
    pub ends_step: bool,
    /// Where to go on, once the step was made that this micro-batch ends.
    pub state: LoaderState,
}

/// Makes the micro-batches, step after step without end.
#[derive(Debug)]
pub struct MicroBatches {
    parts: Vec<StepPart>,
    /// The part that is gathered next, and what it has of this step.
    next: usize,
    drawn: Count,
    /// Passes that were gathered, each with whether it ends the step.
    passes: VecDeque<(Kind, Vec<Sequence>, bool)>,
    streams: BTreeMap<Kind, Stream>,
    layout: Layout,
}

/// A kind's part of a step.
#[derive(Debug, Clone, Copy)]
struct StepPart {
    kind: Kind,
    batch: Amount,
    pass: Amount,
}

/// What was drawn.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    sequences: u64,
    tokens: u64,
}

impl MicroBatches {
    /// Opens the shards of all kinds in the batch at the state between two steps.
    ///
    /// # Errors
    /// As [`Stream::open`], and when the shard of a kind in the batch is missing.
    pub fn open(
        config: &Config,
        shards: &Shards,
        layout: Layout,
        rank: Rank,
        state: &LoaderState,
    ) -> Result<Self> {
        let part = |kind| StepPart { kind, batch: config.batch.of(kind), pass: config.pass().of(kind) };
        let mut streams = BTreeMap::new();
        for kind in config.batch.kinds() {
            let dataset = shards.get(&kind).ok_or_else(|| Error::NoSequences {
                kind,
                reason: "the batch wants them, but no packing stage gives them".to_owned(),
            })?;
            let state = state.get(&kind).cloned().unwrap_or_default();
            let stream = Stream::open(config, (kind, dataset), rank, &state)?;
            streams.insert(kind, stream);
        }
        let parts = config.batch.kinds().map(part).collect();
        Ok(Self { parts, next: 0, drawn: Count::default(), passes: VecDeque::new(), streams, layout })
    }

    /// Makes the next micro-batch.
    ///
    /// # Errors
    /// When a part cannot be read, or a row cannot be what packing writes.
    pub fn next_batch(&mut self) -> Result<Loaded> {
        if self.passes.is_empty() {
            self.gather()?;
        }
        let (kind, rows, ends_step) = self.passes.pop_front().ok_or(Error::LoaderEnded)?;
        let batch = MicroBatch::collate(kind, &rows, &self.layout)?;
        let state = self.streams.iter().map(|(kind, stream)| (*kind, stream.state())).collect();
        Ok(Loaded { batch, ends_step, state })
    }

    /// Draws a kind's sequences of this step, as many as are held at a time, and cuts them into passes.
    fn gather(&mut self) -> Result<()> {
        let StepPart { kind, batch, pass } = *self.parts.get(self.next).ok_or(Error::LoaderEnded)?;
        let stream = self.streams.get_mut(&kind).ok_or(Error::LoaderEnded)?;
        let (mut gathered, mut bytes) = (Vec::new(), 0);
        let is_complete = |drawn: Count| batch.is_reached(drawn.sequences, drawn.tokens);
        while !is_complete(self.drawn) && bytes < GATHERED_BYTES_MAX && !is_pass(pass, &gathered) {
            let sequence = stream.next_sequence()?;
            self.drawn.sequences += 1;
            self.drawn.tokens += sequence.tokens.len() as u64;
            bytes += sequence.bytes();
            gathered.push(sequence);
        }
        let completes = is_complete(self.drawn);
        if completes {
            self.drawn = Count::default();
            self.next = (self.next + 1) % self.parts.len();
        }
        let ends_step = completes && self.next == 0;
        let mut cut = buckets(gathered, pass);
        let last = cut.pop().map(|last| (kind, last, ends_step));
        self.passes.extend(cut.into_iter().map(|rows| (kind, rows, false)).chain(last));
        Ok(())
    }
}

/// Returns true if and only if nothing is gained by drawing more: the pass is one of so many sequences.
fn is_pass(pass: Amount, gathered: &[Sequence]) -> bool {
    matches!(pass, Amount::Sequences(count) if gathered.len() >= count as usize)
}

/// Makes micro-batches ahead of their use; ends its thread when it is dropped.
#[derive(Debug)]
pub struct Loader {
    // Taken in `drop`, before the thread is waited for: a full channel holds it up.
    receiver: Option<Receiver<Result<Loaded>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Starts the thread, which stays at most `ahead` micro-batches ahead.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(feed: MicroBatches, ahead: u32) -> Result<Self> {
        let (sender, receiver) = sync_channel(ahead as usize);
        let thread = std::thread::Builder::new()
            .name("loader".to_owned())
            .spawn(move || supply(feed, &sender))
            .map_err(Error::io("start a thread for", "the loader"))?;
        Ok(Self { receiver: Some(receiver), thread: Some(thread) })
    }

    /// Returns the next micro-batch, waiting for it where needed.
    ///
    /// # Errors
    /// As [`MicroBatches::next_batch`]; there is nothing after an error.
    pub fn next_batch(&mut self) -> Result<Loaded> {
        match self.receiver.as_ref().map(Receiver::recv) {
            Some(Ok(loaded)) => loaded,
            Some(Err(_)) | None => Err(Error::LoaderEnded),
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        drop(self.receiver.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was seen by `next_batch` as its end.
            let _ = thread.join();
        }
    }
}

/// Sends micro-batches until an error was sent or nobody listens any more.
fn supply(mut feed: MicroBatches, sender: &SyncSender<Result<Loaded>>) {
    loop {
        let loaded = feed.next_batch();
        let failed = loaded.is_err();
        if sender.send(loaded).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
