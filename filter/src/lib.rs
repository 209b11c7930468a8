//! Tables in, fewer rows out: rules, then duplicates, exact and near.
//!
//! ```text
//! rule       Words, Symbols, Language, ...   what a record is judged by; pure once files are read
//! language   Detector                        a text -> its language
//! fasttext   Model                           fastText classifiers
//! blocklist  Blocklists                      hosts, URLs and words that are not wanted
//! words, tokens, sentences, scripts          what rules count
//! mojibake                                   UTF-8 that was decoded as something else
//! subject    Document, Pair, Page            what can be judged, and what a rule sees of it
//! content    Content                         what makes two records the same
//! near       Signer, Components              what makes two texts nearly the same
//! passages   Unit, cut                       what makes parts of two texts the same
//! decontaminate   Index, cuts                what documents share with evaluation sets
//! stage      Rules -> ContentKeys -> Exact -> Deduplicated  judge each record, find duplicates, drop them
//!            Keys -> Links -> Clusters       find near-duplicates, between the two last
//!            Passages -> Repeats -> Cut      cut what was in an earlier document, after them
//!            Ngrams -> Matches -> Counts -> Decontaminated      cut what is in an evaluation set, at last
//! flow       text_stages, pair_stages, ...   from a section of the configuration to its stages
//! ```
//!
//! Every rule is evaluated for every record and its value is kept (`verdicts`), so that a
//! threshold can be questioned later without another run. The reason of a drop is the first
//! rule that the record does not pass, in the order of the configuration.

mod bits;
pub mod blocklist;
mod characters;
pub mod config;
pub mod content;
pub mod decontaminate;
pub mod fasttext;
pub mod flow;
pub mod image_hashes;
pub mod language;
mod mojibake;
pub mod near;
pub mod passages;
pub mod rule;
mod scripts;
pub mod sentences;
pub mod stage;
pub mod subject;
pub mod text;
pub mod tokens;
pub mod words;

pub use config::{
    ExactConfig, ImageDuplicatesConfig, InterleavedConfig, NearConfig, PairsConfig, TextConfig,
};
pub use stage::{
    ContentKeys, Counts, Decontaminated, Deduplicated, Exact, Matches, Ngrams, Representatives, Rules,
    SourcePriority, SplitAssignment,
};
pub use subject::Subject;
