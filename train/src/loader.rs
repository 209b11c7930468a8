//! The loader: micro-batches in training order, made ahead by a thread of its own.
//!
//! In memory are one window of each source (see [`crate::source`]), `micro_batches_ahead`
//! finished micro-batches, the one in the making and the one in use.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use corpus::Dataset;
use corpus::record::Sequence;

use crate::layout::Layout;
use crate::micro_batch::MicroBatch;
use crate::sampler::Rank;
use crate::stream::{Stream, StreamState};
use crate::{Config, Error, Kind, Result};

/// The sealed datasets of packed sequences, by kind.
pub type Shards = BTreeMap<Kind, Dataset>;

/// How far all shards were used: a few integers for each source.
pub type LoaderState = BTreeMap<Kind, StreamState>;

/// A micro-batch, and the state after it.
#[derive(Debug)]
pub struct Loaded {
    /// The micro-batch.
    pub batch: MicroBatch,
    /// Where to go on, once this micro-batch was used.
    pub state: LoaderState,
}

/// Makes the micro-batches, step after step without end.
#[derive(Debug)]
pub struct MicroBatches {
    plan: Vec<(Kind, u32)>,
    next: usize,
    streams: BTreeMap<Kind, Stream>,
    layout: Layout,
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
        let plan = config.micro_batches();
        let mut streams = BTreeMap::new();
        for &kind in Kind::ALL.iter().filter(|kind| config.batch.of(**kind) > 0) {
            let dataset = shards.get(&kind).ok_or_else(|| Error::NoSequences {
                kind,
                reason: "the batch wants them, but no packing stage gives them".to_owned(),
            })?;
            let state = state.get(&kind).cloned().unwrap_or_default();
            let stream = Stream::open(config, (kind, dataset), rank, &state)?;
            streams.insert(kind, stream);
        }
        Ok(Self { plan, next: 0, streams, layout })
    }

    /// Makes the next micro-batch.
    ///
    /// # Errors
    /// When a part cannot be read, or a row cannot be what packing writes.
    pub fn next_batch(&mut self) -> Result<Loaded> {
        let Some(&(kind, rows)) = self.plan.get(self.next) else {
            return Err(Error::LoaderEnded);
        };
        self.next = (self.next + 1) % self.plan.len();
        let stream = self.streams.get_mut(&kind).ok_or(Error::LoaderEnded)?;
        let rows: Vec<Sequence> = (0..rows).map(|_| stream.next_sequence()).collect::<Result<_>>()?;
        let batch = MicroBatch::collate(kind, &rows, &self.layout)?;
        let state = self.streams.iter().map(|(kind, stream)| (*kind, stream.state())).collect();
        Ok(Loaded { batch, state })
    }
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
