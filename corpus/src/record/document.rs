//! A document: text with an address.

use crate::column::record;
use crate::stream::Stream;
use crate::{Id, Split};

/// Texts.
pub const DOCUMENTS: Stream<Document> = Stream::new("documents");

record! {
    /// One text of the corpus, from extraction to packing.
    pub struct Document in "document/2" {
        /// Encodes source, file and position.
        pub id: Id,
        /// The source's own id, if the configuration names its column.
        pub key: Option<String>,
        /// The source's name; for The Pile, the name of the set.
        pub source: String,
        /// The page's URL, if any.
        pub url: Option<String>,
        /// The crawl's date as the source writes it (RFC 3339 for WARC).
        pub date: Option<String>,
        /// ISO 639-3 code, once detected.
        pub language: Option<String>,
        /// The text; paragraphs are lines.
        pub text: String,
        /// Train or validation, once assigned.
        pub split: Option<Split>,
    }
}

record! {
    /// A document's id and text: a projection of the same table, for the many stages that read no more.
    pub struct DocumentText in "document/2" {
        /// Encodes source, file and position.
        pub id: Id,
        /// The text.
        pub text: String,
    }
}

record! {
    /// The optional columns: a projection of the same table.
    pub struct DocumentExtras in "document/2" {
        /// The page's URL, if it has one.
        pub url: Option<String>,
        /// The crawl's date, if it is known.
        pub date: Option<String>,
        /// ISO 639-3 code, if detected.
        pub language: Option<String>,
    }
}

record! {
    /// How users identify a document: a projection of the same table.
    pub struct DocumentName in "document/2" {
        /// Encodes source, file and position.
        pub id: Id,
        /// The source's own id, if it has one.
        pub key: Option<String>,
        /// The page's URL, if it has one.
        pub url: Option<String>,
    }
}

record! {
    /// A document as exported for other tools.
    #[derive(serde::Serialize)]
    pub struct ExportedText in "text/1" {
        /// The source's own id, or else the kosmos id.
        pub id: String,
        /// The text; paragraphs are lines.
        pub text: String,
        /// The source's name.
        pub source: String,
        /// The page's URL, if any.
        pub url: Option<String>,
        /// The date as the source writes it.
        pub date: Option<String>,
        /// ISO 639-3 code, if detected.
        pub language: Option<String>,
    }
}
