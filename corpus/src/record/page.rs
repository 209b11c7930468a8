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
        /// What it is.
        pub kind: SegmentKind,
        /// Its text; for an image the caption or alternative text, possibly empty.
        pub text: String,
        /// For an image its absolute URL, as the page names it.
        pub url: Option<String>,
    }
}

record! {
    /// A page with its main content in reading order.
    pub struct Page in "page/2" {
        /// Where it came from: the record's byte offset in its WARC, the row of a table, 0 in a file of its own.
        pub id: Id,
        /// The source's own id of it, or the path of a file of its own; none in archives.
        pub key: Option<String>,
        /// The source's name.
        pub source: String,
        /// The page's URL, if it is known; in archives it always is.
        pub url: Option<String>,
        /// The crawl's date (RFC 3339).
        pub date: Option<String>,
        /// The title, possibly empty.
        pub title: String,
        /// The character set it was decoded from, by its WHATWG name.
        pub charset: String,
        /// Main content: text and images in reading order.
        pub segments: Vec<Segment>,
    }
}

record! {
    /// What users know a page by: of the same table.
    pub struct PageName in "page/2" {
        /// Where it came from.
        pub id: Id,
        /// The source's own id of it, or the path of its file, if it has one.
        pub key: Option<String>,
        /// The page's URL, if it is known.
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
