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
        /// The hash of its first words, as many as the shortest n-gram may have.
        pub start: u64,
        /// The number of its words.
        pub words: u32,
        /// The sets that it is of, a bit each in the order of their names.
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
        /// The sets that it is of, a bit each in the order of their names.
        pub sets: u64,
    }
}

record! {
    /// An n-gram of evaluation sets that documents hold, but not so many that it says nothing.
    pub struct RareNgram in "rare_ngram/1" {
        /// Its hash.
        pub ngram: u64,
        /// The sets that it is of, a bit each in the order of their names.
        pub sets: u64,
        /// How often all documents hold it.
        pub count: u64,
    }
}

record! {
    /// How much of an evaluation set documents hold.
    pub struct Contamination in "contamination/1" {
        /// The set's name.
        pub set: String,
        /// Items that are long enough to be found.
        pub items: u64,
        /// Of these, those of which an n-gram was found that is not common.
        pub items_found: u64,
        /// Different n-grams.
        pub ngrams: u64,
        /// Of these, those that were found and are not common.
        pub ngrams_found: u64,
        /// Of these, those that are common.
        pub ngrams_common: u64,
        /// Documents with an n-gram that is not common.
        pub documents: u64,
    }
}

record! {
    /// What was cut out of a document.
    pub struct Excision in "excision/1" {
        /// The document.
        pub id: Id,
        /// The evaluation sets.
        pub sets: Vec<String>,
        /// Where it began in the text, in bytes.
        pub start: u64,
        /// What was cut.
        pub text: String,
    }
}
