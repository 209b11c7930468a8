//! A pair: a caption and the URL of the image it describes.

use crate::Id;
use crate::column::record;

record! {
    /// One row of an image-caption source.
    pub struct Pair in "pair/1" {
        /// Where it came from.
        pub id: Id,
        /// The source's name.
        pub source: String,
        /// The image's URL as the source gives it.
        pub url: String,
        /// The caption.
        pub caption: String,
        /// The image's width in pixels as the source states it.
        pub width: Option<u32>,
        /// The image's height in pixels as the source states it.
        pub height: Option<u32>,
        /// CLIP similarity of image and caption as the source states it.
        pub similarity: Option<f32>,
    }
}
