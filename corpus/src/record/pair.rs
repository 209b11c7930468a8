//! A pair: a caption and the URL of the image it describes.

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Captions with the URLs of their images.
pub const PAIRS: Stream<Pair> = Stream::new("pairs");

record! {
    /// One row of an image-caption source.
    pub struct Pair in "pair/2" {
        /// Where it came from.
        pub id: Id,
        /// The source's own id of the row, where it has one.
        pub key: Option<String>,
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
        /// Probability that the image is unsafe as the source states it; words of LAION-400M are
        /// 0 (`UNLIKELY`), 0.5 (`UNSURE`) and 1 (`NSFW`).
        pub nsfw: Option<f32>,
        /// Probability of a watermark as the source states it.
        pub watermark: Option<f32>,
        /// Aesthetic score (1 to 10) as the source states it.
        pub aesthetic: Option<f32>,
        /// Digest of the image's bytes as the source states it: `sha256:` or `md5:`, and hexadecimal.
        pub digest: Option<String>,
        /// Further columns of the source that travel along: a JSON object.
        pub extra: Option<String>,
    }
}

record! {
    /// What users know a pair by: of the same table.
    pub struct PairName in "pair/2" {
        /// Where it came from.
        pub id: Id,
        /// The source's own id of the row, if it has one.
        pub key: Option<String>,
        /// The image's URL as the source gives it.
        pub url: String,
    }
}

impl Pair {
    /// Returns a pair of which no more is stated.
    pub fn new(id: Id, source: &str, url: &str, caption: &str) -> Self {
        Self {
            id,
            key: None,
            source: source.to_owned(),
            url: url.to_owned(),
            caption: caption.to_owned(),
            width: None,
            height: None,
            similarity: None,
            nsfw: None,
            watermark: None,
            aesthetic: None,
            digest: None,
            extra: None,
        }
    }
}
