//! A record of an archive that a selection takes.

use crate::column::record;

record! {
    /// Where one record is: it can be read by itself.
    pub struct Pick in "pick/1" {
        /// Index of the archive, as ids hold it.
        pub file: u32,
        /// Byte offset of its member.
        pub offset: u64,
        /// Bytes of its member, compressed.
        pub length: u64,
    }
}
