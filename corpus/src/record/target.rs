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
        /// The source's own id of the pair, where it has one.
        pub key: Option<String>,
        /// Digest that the pair's source states for the image's bytes.
        pub digest: Option<String>,
        /// Further columns of the pair: a JSON object.
        pub extra: Option<String>,
    }
}

impl Use {
    /// Returns the use of an image by a place of a page.
    pub fn of_slot(id: Id, slot: u16) -> Self {
        Self { id, slot, caption: None, key: None, digest: None, extra: None }
    }

    /// Returns the use of an image by a pair of which nothing else is known.
    pub fn of_pair(id: Id, caption: String) -> Self {
        Self { id, slot: 0, caption: Some(caption), key: None, digest: None, extra: None }
    }
}

record! {
    /// A URL of the fetch list; fetched once, whoever wants it.
    pub struct Target in "target/2" {
        /// 128-bit hash of the canonical URL; the list is sorted by it, which shuffles it.
        pub key: [u8; 16],
        /// The URL.
        pub url: String,
        /// Who wants it, sorted by (id, slot).
        pub uses: Vec<Use>,
    }
}
