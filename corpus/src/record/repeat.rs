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
        /// The hash of its words.
        pub key: u64,
        /// The document.
        pub id: Id,
        /// The first of its units (lines, sentences, words), from 0.
        pub unit: u32,
    }
}

record! {
    /// A passage that another one stands for.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct Repeat in "repeat/1" {
        /// The document.
        pub id: Id,
        /// The first of its units, from 0.
        pub unit: u32,
        /// The document that has the passage first.
        pub first: Id,
    }
}

record! {
    /// What was cut out of a document because it is elsewhere too.
    pub struct CutRepeat in "cut_repeat/1" {
        /// The document.
        pub id: Id,
        /// The document that had the beginning of it first.
        pub first: Id,
        /// Where it began in the text, in bytes.
        pub start: u64,
        /// What was cut.
        pub text: String,
    }
}
