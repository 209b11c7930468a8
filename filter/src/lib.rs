//! Tables in, fewer rows out: rules, then exact duplicates.
//!
//! ```text
//! rule       Words, Symbols, Language, ...   what a record is judged by; pure once files are read
//! language   Detector                        a text -> its language
//! fasttext   Model                           fastText classifiers
//! blocklist  Blocklists                      hosts, URLs and words that are not wanted
//! subject    Document, Pair, Page            what can be judged, and what a rule sees of it
//! content    Content                         what makes two records the same
//! stage      Rules -> Exact -> Deduplicated  judge each record, find duplicates, drop them
//! ```
//!
//! Every rule is evaluated for every record and its value is kept (`verdicts`), so that a
//! threshold can be questioned later without another run. The reason of a drop is the first
//! rule that the record does not pass, in the order of the configuration.

pub mod blocklist;
pub mod config;
pub mod content;
pub mod fasttext;
pub mod language;
pub mod rule;
pub mod stage;
pub mod subject;
pub mod text;

pub use config::{ExactConfig, InterleavedConfig, PairsConfig, TextConfig};
pub use stage::{Deduplicated, Exact, Rules, SplitAssignment};
pub use subject::Subject;
