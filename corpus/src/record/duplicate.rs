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
        /// Hash of the normalised content.
        pub key: [u8; 16],
        /// The record.
        pub id: Id,
        /// Length of the hashed content in bytes.
        pub length: u64,
    }
}

record! {
    /// The length of the hashed content: a projection of the same table, without the hash.
    pub struct ContentLength in "fingerprinted/1" {
        /// The record.
        pub id: Id,
        /// Length of the hashed content in bytes.
        pub length: u64,
    }
}

record! {
    /// A content key, as sorted.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct ContentKey in "content_key/1" {
        /// Hash of the normalised content.
        pub key: [u8; 16],
        /// Rank of the record's source; lower ranks are preferred.
        pub rank: u16,
        /// The record.
        pub id: Id,
    }
}

record! {
    /// How users identify the record that is kept in place of another one.
    pub struct Representative in "representative/1" {
        /// The removed record.
        pub id: Id,
        /// The record kept in its place.
        pub representative: Id,
        /// The representative's own id at its source, or else its URL, if it has either.
        pub name: Option<String>,
        /// For near-duplicates, one byte per minimum of the representative's signature. The share of equal
        /// bytes estimates the similarity of two texts.
        pub sketch: Option<Bytes>,
    }
}

record! {
    /// A duplicate, and the record kept in its place.
    pub struct Duplicate in "duplicate/1" {
        /// The record to drop.
        pub id: Id,
        /// The record with the same content that is kept.
        pub representative: Id,
    }
}
