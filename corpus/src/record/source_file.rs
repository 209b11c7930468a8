//! A file of a source: the listing that gives files their index in ids.

use crate::column::record;
use crate::stream::Stream;

/// The files of a source, in their order.
pub const FILES: Stream<SourceFile> = Stream::new("files");

record! {
    /// One file of a source. Listings only grow; files are never renumbered.
    pub struct SourceFile in "source_file/1" {
        /// Index of the file, as in ids.
        pub index: u32,
        /// The public URL (mirrors are applied on reading), or the local path.
        pub url: String,
    }
}
