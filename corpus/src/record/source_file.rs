//! A file of a source: the listing that gives files their index in ids.

use crate::column::record;
use crate::stream::Stream;

/// The files of a source, in their order.
pub const FILES: Stream<SourceFile> = Stream::new("files");

record! {
    /// One file of a source. A listing is appended to and never renumbered.
    pub struct SourceFile in "source_file/1" {
        /// The file's index, as ids hold it.
        pub index: u32,
        /// The public URL (mirrors are applied when it is read) or the local path.
        pub url: String,
    }
}
