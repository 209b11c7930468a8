//! A document: text with an address.

use crate::column::record;
use crate::stream::Stream;
use crate::{Id, Split};

/// Texts.
pub const DOCUMENTS: Stream<Document> = Stream::new("documents");

record! {
    /// One text of the corpus, from extraction to packing.
    pub struct Document in "document/2" {
        /// Where it came from.
        pub id: Id,
        /// The source's own id of it, where the configuration names its column.
        pub key: Option<String>,
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

record! {
    /// A document's text with its address: of the same table, what many stages read alone.
    pub struct DocumentText in "document/2" {
        /// Where it came from.
        pub id: Id,
        /// The text.
        pub text: String,
    }
}

record! {
    /// What not every document has: of the same table.
    pub struct DocumentExtras in "document/2" {
        /// The page's URL, if it has one.
        pub url: Option<String>,
        /// The crawl's date, if it is known.
        pub date: Option<String>,
        /// ISO 639-3 code, if it was judged.
        pub language: Option<String>,
    }
}

record! {
    /// What users know a document by: of the same table.
    pub struct DocumentName in "document/2" {
        /// Where it came from.
        pub id: Id,
        /// The source's own id of it, if it has one.
        pub key: Option<String>,
        /// The page's URL, if it has one.
        pub url: Option<String>,
    }
}

record! {
    /// A document as it is handed to other tools.
    #[derive(serde::Serialize)]
    pub struct ExportedText in "text/1" {
        /// The source's own id, or else the address.
        pub id: String,
        /// The text; paragraphs are lines.
        pub text: String,
        /// The source's name.
        pub source: String,
        /// The page's URL, where there is one.
        pub url: Option<String>,
        /// The date as the source writes it.
        pub date: Option<String>,
        /// ISO 639-3 code, where it was judged.
        pub language: Option<String>,
    }
}
