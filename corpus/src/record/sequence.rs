//! A sequence: what the model is given.

use bytes::Bytes;

use crate::column::record;
use crate::stream::Stream;
use crate::{Id, Split};

/// Sequences for training.
pub const SEQUENCES: Stream<Sequence> = Stream::new("sequences");

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
    pub struct Sequence in "sequence/1" {
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
        /// Train or validation.
        pub split: Split,
    }
}
