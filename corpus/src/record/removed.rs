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
        /// The source's own id of the record, if it has one.
        pub key: Option<String>,
        /// The URL of the page, document or image, if it has one.
        pub url: Option<String>,
        /// The unit it is counted in: documents, pairs, images, ...
        pub unit: String,
        /// Why it was removed: one word of a closed set.
        pub reason: String,
        /// The deciding value, such as a measurement or an HTTP status. For duplicates, the representative's
        /// id, followed by its description.
        pub value: String,
        /// The beginning of the record.
        pub preview: String,
    }
}

record! {
    /// One rule's result for a record.
    pub struct RuleValue {
        /// The rule's name, which is also the reason for its drops.
        pub rule: String,
        /// The value that the rule compares.
        pub value: f64,
        /// Whether the record passed.
        pub passed: bool,
    }
}

record! {
    /// The value of each rule for one record, kept or dropped, for reviewing thresholds later.
    pub struct Verdicts in "verdicts/1" {
        /// The record's id.
        pub id: Id,
        /// The rules, in order.
        pub values: Vec<RuleValue>,
    }
}
