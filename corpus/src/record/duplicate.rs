//! What finding duplicates reads and writes.

use crate::Id;
use crate::column::record;

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
    /// A record that says nothing new, and the one that stands for it.
    pub struct Duplicate in "duplicate/1" {
        /// The record to drop.
        pub id: Id,
        /// The record of the same content that is kept.
        pub representative: Id,
    }
}
