//! What finding near-duplicates passes from stage to stage.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Band keys in their order.
pub const BAND_KEYS: Stream<BandKey> = Stream::new("keys");
/// Pairs of records that are near-duplicates of each other, or may be.
pub const LINKS: Stream<Link> = Stream::new("links");
/// Planted copies: `a` is a document, `b` its edited copy.
pub const PLANTED: Stream<Link> = Stream::new("planted");
/// Planted copies that share a key with their document.
pub const FOUND: Stream<Link> = Stream::new("found");

record! {
    /// One band of a document's signature: documents that share a key are candidates.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub struct BandKey in "band_key/1" {
        /// Hash of the band and its minima.
        pub key: u64,
        /// The document.
        pub id: Id,
    }
}

record! {
    /// Two documents that share a key, the smaller id first.
    pub struct Link in "link/1" {
        /// The smaller id.
        pub a: Id,
        /// The larger id.
        pub b: Id,
    }
}
