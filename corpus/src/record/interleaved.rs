//! An interleaved document: text and images in reading order.

use crate::column::record;
use crate::record::EncodedImage;
use crate::stream::Stream;
use crate::{Id, Split};

/// Texts with their images in place.
pub const INTERLEAVED: Stream<Interleaved> = Stream::new("documents");

record! {
    /// Parallel lists, as in OBELICS: each position holds either a text or an image.
    pub struct Interleaved in "interleaved/1" {
        /// The page's id.
        pub id: Id,
        /// The page's URL, if known.
        pub url: Option<String>,
        /// The texts; null at the position of an image.
        pub texts: Vec<Option<String>>,
        /// The images; null at the position of a text.
        pub images: Vec<Option<EncodedImage>>,
        /// Train or validation.
        pub split: Split,
    }
}
