//! CLIP features of an image, precomputed.

use bytes::Bytes;

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// What the image tower made of images.
pub const FEATURES: Stream<Features> = Stream::new("features");

record! {
    /// Features of one image, in the order of the source images.
    pub struct Features in "features/1" {
        /// Id of the image's first use (a pair or a page).
        pub id: Id,
        /// Position of the image in the interleaved document; 0 for a pair.
        pub slot: u16,
        /// Little-endian f16 values, `[tokens, width]`.
        pub values: Bytes,
    }
}
