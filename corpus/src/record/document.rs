//! A document: text with an address.

use crate::column::record;
use crate::{Id, Split};

record! {
    /// One text of the corpus, from extraction to packing.
    pub struct Document in "document/1" {
        /// Where it came from.
        pub id: Id,
        /// The source's name; for The Pile the name of the set.
        pub source: String,
        /// The page's URL, where there is one.
        pub url: Option<String>,
        /// The crawl's date as the source writes it (RFC 3339 for WARC).
        pub date: Option<String>,
        /// ISO 639-3 code, once it was judged.
        pub language: Option<String>,
        /// The text; paragraphs are lines.
        pub text: String,
        /// Train or validation, once it was assigned.
        pub split: Option<Split>,
    }
}
