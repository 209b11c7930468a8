//! A record of an archive that a selection takes.

use crate::column::record;
use crate::stream::Stream;

/// Records of archives to be read.
pub const RECORD_LOCATIONS: Stream<RecordLocation> = Stream::new("picks");

record! {
    /// Where one record is: it can be read by itself.
    pub struct RecordLocation in "pick/1" {
        /// Index of the archive, as ids hold it.
        pub file: u32,
        /// Byte offset of its member.
        pub offset: u64,
        /// Bytes of its member, compressed.
        pub length: u64,
    }
}
