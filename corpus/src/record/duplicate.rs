//! What finding duplicates reads and writes.

use bytes::Bytes;

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Content keys, from rules to duplicate finding.
pub const FINGERPRINTS: Stream<Fingerprinted> = Stream::new("fingerprints");
/// Content keys in their order.
pub const CONTENT_KEYS: Stream<ContentKey> = Stream::new("keys");
/// Representatives, sorted by the record they stand for within each task.
pub const REPRESENTATIVES: Stream<Representative> = Stream::new("representatives");
/// Records that say nothing new, by their ids.
pub const DUPLICATES: Stream<Duplicate> = Stream::new("duplicates");
/// The same, in the order of what stands for them.
pub const REPRESENTED: Stream<Duplicate> = Stream::new("represented");

record! {
    /// A record's content reduced to a 128-bit hash.
    pub struct Fingerprinted in "fingerprinted/1" {
        /// The hash of the normalised content.
        pub key: [u8; 16],
        /// The record.
        pub id: Id,
        /// Length in bytes of what was hashed.
        pub length: u64,
    }
}

record! {
    /// The length of what was hashed of a record: of the same table, what need not be compared.
    pub struct ContentLength in "fingerprinted/1" {
        /// The record.
        pub id: Id,
        /// Length in bytes of what was hashed.
        pub length: u64,
    }
}

record! {
    /// A content key where keys are in order.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct ContentKey in "content_key/1" {
        /// The hash of the normalised content.
        pub key: [u8; 16],
        /// The rank of the record's source: the smaller, the more preferred.
        pub rank: u16,
        /// The record.
        pub id: Id,
    }
}

record! {
    /// What users know the record by that stands for another one.
    pub struct Representative in "representative/1" {
        /// The record that another one stands for.
        pub id: Id,
        /// The one that stands for it.
        pub representative: Id,
        /// The representative's own id at its source, or else its URL, if it has either.
        pub name: Option<String>,
        /// Of near-duplicates a byte for every minimum of the representative's signature: the share of equal
        /// bytes estimates the similarity of two texts.
        pub sketch: Option<Bytes>,
    }
}

record! {
    /// A record that says nothing new, and the one that stands for it.
    pub struct Duplicate in "duplicate/1" {
        /// The record to drop.
        pub id: Id,
        /// The record of the same content that is kept.
        pub representative: Id,
    }
}
