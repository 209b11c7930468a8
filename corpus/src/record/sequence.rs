//! A sequence: what the model is given.

use bytes::Bytes;

use crate::column::record;
use crate::stream::Stream;
use crate::{Id, Split};

/// Sequences for training.
pub const SEQUENCES: Stream<Sequence> = Stream::new("sequences");
/// Sequences that were held out, of the same stages: no training reads them.
pub const HELD_OUT: Stream<Sequence> = Stream::new("held_out");

record! {
    /// The tokens of a sequence that came from one document.
    pub struct Span {
        /// The document's, pair's or page's id.
        pub id: Id,
        /// First token, from 0.
        pub start: u32,
        /// One past the last token.
        pub end: u32,
    }
}

record! {
    /// One row of a training shard.
    pub struct Sequence in "sequence/2" {
        /// Token ids in the model's numbering, including placeholders for image slots.
        pub tokens: Vec<u32>,
        /// One per token: whether the prediction of the *next* token from this one counts towards the loss.
        pub loss_mask: Vec<bool>,
        /// Index of the first placeholder of each image, in order.
        pub image_starts: Vec<u32>,
        /// One payload per image, in order: f16 features or an encoded image, depending on the shard's
        /// settings.
        pub payloads: Vec<Bytes>,
        /// The source record of each range of tokens.
        pub spans: Vec<Span>,
        /// Train or validation. Each is a stream of its own.
        pub split: Split,
        /// The set that its documents are of (their `source`), by which text is mixed; null for pairs and interleaved
        /// documents.
        pub source: Option<String>,
    }
}

record! {
    /// Which set a sequence is of: a projection of the same table.
    pub struct SequenceSource in "sequence/2" {
        /// The set that its documents are of.
        pub source: Option<String>,
    }
}

impl Sequence {
    /// Returns the bytes that its tokens and payloads take in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self.tokens.as_slice()) + self.payloads.iter().map(|payload| payload.len()).sum::<usize>()
    }

    /// Returns the stream that it is written to.
    pub fn stream(&self) -> Stream<Self> {
        match self.split {
            Split::Train => SEQUENCES,
            Split::Validation => HELD_OUT,
        }
    }
}
