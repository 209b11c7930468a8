//! A target: one URL to fetch, with everything that wants its image.

use crate::Id;
use crate::column::record;

record! {
    /// A pair or a slot of a page that wants an image.
    pub struct Use {
        /// The pair's or page's id.
        pub id: Id,
        /// The image's place among the page's images, from 0; 0 for a pair.
        pub slot: u16,
        /// The caption, for a pair alone.
        pub caption: Option<String>,
    }
}

record! {
    /// A URL of the fetch list; fetched once, whoever wants it.
    pub struct Target in "target/1" {
        /// 128-bit hash of the canonical URL; the list is sorted by it, which shuffles it.
        pub key: [u8; 16],
        /// The URL.
        pub url: String,
        /// Who wants it, sorted by (id, slot).
        pub uses: Vec<Use>,
    }
}
