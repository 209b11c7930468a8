//! A record of an archive that a selection takes.

use crate::column::record;
use crate::stream::Stream;

/// Records of archives to be read.
pub const RECORD_LOCATIONS: Stream<RecordLocation> = Stream::new("picks");

record! {
    /// The location of one record, so that it can be read by itself.
    pub struct RecordLocation in "pick/1" {
        /// Index of the archive, as in ids.
        pub file: u32,
        /// Byte offset of the record's member.
        pub offset: u64,
        /// Compressed size of the member in bytes.
        pub length: u64,
    }
}
