//! What finding repeated passages passes from stage to stage.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Passages' keys in their order.
pub const PASSAGE_KEYS: Stream<PassageKey> = Stream::new("keys");
/// Passages that another one stands for, by document.
pub const REPEATS: Stream<Repeat> = Stream::new("repeats");
/// What was cut from documents.
pub const CUTS: Stream<CutRepeat> = Stream::new("cuts");

record! {
    /// A passage of a document reduced to a hash.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct PassageKey in "passage_key/1" {
        /// Hash of its words.
        pub key: u64,
        /// The document.
        pub id: Id,
        /// Index of its first unit (line, sentence or word), from 0.
        pub unit: u32,
    }
}

record! {
    /// A passage with another occurrence that counts as the first.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct Repeat in "repeat/1" {
        /// The document.
        pub id: Id,
        /// Index of its first unit, from 0.
        pub unit: u32,
        /// The document with the first occurrence.
        pub first: Id,
    }
}

record! {
    /// A passage cut out of a document because it also occurs elsewhere.
    pub struct CutRepeat in "cut_repeat/1" {
        /// The document.
        pub id: Id,
        /// The document in which the start of the passage occurs first.
        pub first: Id,
        /// Byte offset of the passage in the text.
        pub start: u64,
        /// The passage.
        pub text: String,
    }
}
