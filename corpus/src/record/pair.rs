//! A pair: a caption and the URL of the image it describes. A further number that sources state of pairs is an entry of
//! the table in this file.

use serde::{Deserialize, Serialize};

use crate::Id;
use crate::column::record;
use crate::stream::Stream;

/// Captions with the URLs of their images.
pub const PAIRS: Stream<Pair> = Stream::new("pairs");

/// Whose columns: a published layout's, or those of a list of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairLayout {
    /// LAION-2B and LAION-400M. Derivatives keep the layout but not the case.
    Laion,
    /// Re-LAION, which left both spellings around.
    Relaion,
    /// COYO-700M.
    Coyo,
    /// The usual names in other lists.
    Own,
}

/// A number as a column holds it.
trait Stated: Copy + Into<f64> {
    /// Returns the number, unless it makes no sense.
    fn of(number: f64) -> Option<Self>;
}

/// A side in pixels.
impl Stated for u32 {
    fn of(number: f64) -> Option<Self> {
        (1.0..=f64::from(Self::MAX)).contains(&number).then_some(number as Self)
    }
}

/// A score.
impl Stated for f32 {
    fn of(number: f64) -> Option<Self> {
        number.is_finite().then_some(number as Self)
    }
}

/// Declares the pair and what sources state of it in numbers: field and type, name in configurations, and the columns
/// that hold it in LAION, Re-LAION, COYO and other lists, the first that a file has.
macro_rules! pairs {
    ($(
        $(#[doc = $doc:literal])*
        $field:ident: $type:ident, $number:ident, $laion:expr, $relaion:expr, $coyo:expr, $own:expr;
    )*) => {
        record! {
            /// One row of an image-caption source.
            pub struct Pair in "pair/2" {
                /// Encodes source, file and position.
                pub id: Id,
                /// The source's own id of the row, if it has one.
                pub key: Option<String>,
                /// The source's name.
                pub source: String,
                /// The image's URL, as given by the source.
                pub url: String,
                /// The caption.
                pub caption: String,
                $($(#[doc = $doc])* pub $field: Option<$type>,)*
                /// Digest of the image's bytes, as stated by the source: `sha256:` or `md5:`, then hexadecimal.
                pub digest: Option<String>,
                /// Further columns copied from the source, as a JSON object.
                pub extra: Option<String>,
            }
        }

        impl Pair {
            /// Returns a pair of which no more is stated.
            pub fn new(id: Id, source: &str, url: &str, caption: &str) -> Self {
                let (source, url, caption) = (source.to_owned(), url.to_owned(), caption.to_owned());
                Self { id, key: None, source, url, caption, $($field: None,)* digest: None, extra: None }
            }

            /// Returns a number that the source states.
            pub fn number(&self, number: PairNumber) -> Option<f64> {
                match number { $(PairNumber::$number => self.$field.map(f64::from),)* }
            }

            /// Takes a number, if it makes sense.
            pub fn state(&mut self, number: PairNumber, stated: f64) {
                match number { $(PairNumber::$number => self.$field = Stated::of(stated),)* }
            }
        }

        /// A number that sources state of a pair.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum PairNumber {
            $($(#[doc = $doc])* $number,)*
        }

        impl PairNumber {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$number),*];

            /// Returns the name: of the column in pairs, in configurations, and as a reason.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$number => stringify!($field),)* }
            }

            /// Returns whether it is an integer.
            pub const fn is_integer(self) -> bool {
                match self { $(Self::$number => matches!(stringify!($type).as_bytes(), b"u32"),)* }
            }

            /// Returns the columns that hold it in a layout.
            pub const fn columns(self, layout: PairLayout) -> &'static [&'static str] {
                match self {
                    $(Self::$number => match layout {
                        PairLayout::Laion => &$laion,
                        PairLayout::Relaion => &$relaion,
                        PairLayout::Coyo => &$coyo,
                        PairLayout::Own => &$own,
                    },)*
                }
            }
        }
    };
}

pairs! {
    /// The image's width in pixels, as stated by the source.
    width: u32, Width, ["WIDTH", "width"], ["original_width", "width", "WIDTH"], ["width"],
        ["width", "WIDTH", "original_width"];
    /// The image's height in pixels, as stated by the source.
    height: u32, Height, ["HEIGHT", "height"], ["original_height", "height", "HEIGHT"], ["height"],
        ["height", "HEIGHT", "original_height"];
    /// CLIP similarity of image and caption, as stated by the source.
    similarity: f32, Similarity, ["similarity"], ["similarity"],
        ["clip_similarity_vitl14", "clip_similarity_vitb32"], ["similarity", "clip_similarity_vitl14"];
    /// Probability that the image is unsafe, as stated by the source. LAION-400M's words become 0 (`UNLIKELY`),
    /// 0.5 (`UNSURE`) and 1 (`NSFW`).
    nsfw: f32, Nsfw, ["punsafe"], ["punsafe"], ["nsfw_score_opennsfw2", "nsfw_score_gantman"],
        ["punsafe", "nsfw_score_opennsfw2"];
    /// Probability of a watermark, as stated by the source.
    watermark: f32, Watermark, ["pwatermark"], ["pwatermark"], ["watermark_score"],
        ["pwatermark", "watermark_score"];
    /// Aesthetic score (1 to 10), as stated by the source.
    aesthetic: f32, Aesthetic, ["AESTHETIC_SCORE", "aesthetic"], ["AESTHETIC_SCORE", "aesthetic"],
        ["aesthetic_score_laion_v2"], ["aesthetic", "aesthetic_score_laion_v2"];
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
