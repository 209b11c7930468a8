//! What documents share with evaluation sets.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// N-grams of evaluation sets.
pub const EVALUATION_NGRAMS: Stream<EvaluationNgram> = Stream::new("ngrams");
/// N-grams of evaluation sets in documents.
pub const MATCHES: Stream<Match> = Stream::new("matches");
/// Of n-grams in documents those that are not common.
pub const RARE_NGRAMS: Stream<RareNgram> = Stream::new("ngrams");
/// How much of each evaluation set was found.
pub const CONTAMINATION: Stream<Contamination> = Stream::new("sets");
/// What was cut from documents.
pub const EXCISIONS: Stream<Excision> = Stream::new("excisions");

record! {
    /// An n-gram of evaluation sets.
    pub struct EvaluationNgram in "evaluation_ngram/1" {
        /// Its hash.
        pub ngram: u64,
        /// Hash of its first words, as many as the shortest n-gram has.
        pub start: u64,
        /// The number of its words.
        pub words: u32,
        /// The sets that contain it: one bit per set, in the order of their names.
        pub sets: u64,
    }
}

record! {
    /// An n-gram of an evaluation set in a document.
    pub struct Match in "match/1" {
        /// The document.
        pub id: Id,
        /// Hash of the n-gram.
        pub ngram: u64,
        /// The sets that contain it: one bit per set, in the order of their names.
        pub sets: u64,
    }
}

record! {
    /// An n-gram of evaluation sets that occurs in documents and is not common.
    pub struct RareNgram in "rare_ngram/1" {
        /// Its hash.
        pub ngram: u64,
        /// The sets that contain it: one bit per set, in the order of their names.
        pub sets: u64,
        /// Number of occurrences in all documents.
        pub count: u64,
    }
}

record! {
    /// How much of an evaluation set occurs in documents.
    pub struct Contamination in "contamination/1" {
        /// The set's name.
        pub set: String,
        /// Number of items that are long enough to be matched.
        pub items: u64,
        /// Items with at least one n-gram that was found and is not common.
        pub items_found: u64,
        /// Number of distinct n-grams.
        pub ngrams: u64,
        /// N-grams that were found and are not common.
        pub ngrams_found: u64,
        /// N-grams that are common.
        pub ngrams_common: u64,
        /// Documents that contain an n-gram that is not common.
        pub documents: u64,
    }
}

record! {
    /// A passage cut out of a document.
    pub struct Excision in "excision/1" {
        /// The document.
        pub id: Id,
        /// The evaluation sets.
        pub sets: Vec<String>,
        /// Byte offset of the passage in the text.
        pub start: u64,
        /// The passage.
        pub text: String,
    }
}
