//! What was removed and why; what every rule saw.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// What rules removed. Every stage has this stream.
pub const DROPPED: Stream<Removed> = Stream::new("dropped");
/// What could not be judged. Every stage has this stream.
pub const FAILED: Stream<Removed> = Stream::new("failed");
/// What every rule saw in every record.
pub const VERDICTS: Stream<Verdicts> = Stream::new("verdicts");

record! {
    /// A record that was dropped or failed, with its reason.
    pub struct Removed in "removed/3" {
        /// The record's id.
        pub id: Id,
        /// The source's own id of the record, where it has one.
        pub key: Option<String>,
        /// The URL of the page, document or image, if it has one.
        pub url: Option<String>,
        /// What was counted: documents, pairs, images, ...
        pub unit: String,
        /// Why it was removed, one word of a closed set.
        pub reason: String,
        /// The value that decided, an HTTP status, ...; of duplicates the representative's id, then what
        /// describes it.
        pub value: String,
        /// The beginning of the record.
        pub preview: String,
    }
}

record! {
    /// What one rule saw in a record.
    pub struct RuleValue {
        /// The rule's name, which is also the reason of its drops.
        pub rule: String,
        /// The value it compares.
        pub value: f64,
        /// Whether the record passed.
        pub passed: bool,
    }
}

record! {
    /// Every rule's value for one record, kept or not, so that a threshold can be questioned later.
    pub struct Verdicts in "verdicts/1" {
        /// The record's id.
        pub id: Id,
        /// The rules in their order.
        pub values: Vec<RuleValue>,
    }
}
