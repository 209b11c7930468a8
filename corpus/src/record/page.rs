//! A crawled page as ordered segments of text and images.

use crate::Id;
use crate::column::{record, stored_as};
use crate::stream::Stream;

/// What a segment of a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentKind {
    /// A paragraph.
    Text,
    /// A heading.
    Heading,
    /// An item of a list.
    ListItem,
    /// A table, cells separated by tabs and rows by newlines.
    Table,
    /// Preformatted text.
    Code,
    /// A reference to an image; its text is the caption or the alternative text.
    Image,
}

impl SegmentKind {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Text, "text"),
        (Self::Heading, "heading"),
        (Self::ListItem, "list_item"),
        (Self::Table, "table"),
        (Self::Code, "code"),
        (Self::Image, "image"),
    ];

    /// Returns the name that tables hold.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("text", |(_, name)| name)
    }

    /// Returns the kind of a name that a table holds.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

stored_as!(SegmentKind, String, |kind: &SegmentKind| kind.as_str().to_owned(), |name: String| {
    SegmentKind::parse(&name).ok_or_else(|| format!("{name:?} is not a segment kind"))
});

/// Web pages.
pub const PAGES: Stream<Page> = Stream::new("pages");

record! {
    /// A piece of a page in reading order.
    pub struct Segment {
        /// The kind of segment.
        pub kind: SegmentKind,
        /// The text; for an image, its caption or alternative text, possibly empty.
        pub text: String,
        /// For an image, its absolute URL as given by the page.
        pub url: Option<String>,
    }
}

record! {
    /// A page with its main content in reading order.
    pub struct Page in "page/2" {
        /// Encodes source, file and position: the record's byte offset in a WARC, the row of a table, or 0 if
        /// the page is a file.
        pub id: Id,
        /// The source's own id, or the page's path if it is a file; null in archives.
        pub key: Option<String>,
        /// The source's name.
        pub source: String,
        /// The page's URL, if known; always known in archives.
        pub url: Option<String>,
        /// The crawl's date (RFC 3339).
        pub date: Option<String>,
        /// The title, possibly empty.
        pub title: String,
        /// The character set of the original page, by its WHATWG name.
        pub charset: String,
        /// Main content: text and images in reading order.
        pub segments: Vec<Segment>,
    }
}

record! {
    /// How users identify a page: a projection of the same table.
    pub struct PageName in "page/2" {
        /// Encodes source, file and position.
        pub id: Id,
        /// The source's own id or the path of the page's file, if it has one.
        pub key: Option<String>,
        /// The page's URL, if known.
        pub url: Option<String>,
    }
}

impl Page {
    /// Returns the main text: the text segments as lines, images left out.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for segment in self.segments.iter().filter(|s| s.kind != SegmentKind::Image) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&segment.text);
        }
        text
    }
}
