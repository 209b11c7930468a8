//! HTML becomes ordered segments of main content: text and images in reading order.
//!
//! ```text
//! charset      decode      bytes -> text, by the order of the HTML standard
//! markup       read        where tags begin and end, and how many attributes they have
//! parser       parse       text -> arena, through html5ever
//! cost         cost        what reading a page costs, told from its bytes
//! gate         Gate        what the parser may cost
//! sink         Sink        what the parser makes -> arena
//! shadow       compose     shadow trees put where they are shown
//! dom          Dom         the arena: nodes by index
//! plain        simplify    what has a better reading than its nodes' text, replaced: in
//!                          hidden, ruby, formula (with mathml), custom
//! walk         walk        the arena in one walk -> blocks of text, pictures, scopes around them
//! outline      Outline     these, with what each scope holds
//! table        read        a table of data as one block
//! slots        lines       in which columns its cells stand
//! listing      Listings    code that is laid out with elements as one block, without its gutter
//! caption      Figures     captions of what is text
//! tag, signal              what tags, roles and names of elements say
//! wording      Wording     what a block's characters and words are like
//! facts        Facts       what the page says of itself
//! address      stated      where it says it is from
//! feature      Features    all of this as numbers, by block
//! forest       Forest      boosted trees that judge numbers
//! genre        features    whether the page is an article
//! consent      notices     which blocks ask for cookies
//! content      judge       which blocks are the page's own
//! picture      Pictures    which images are, with their captions
//! image        image_url   which address an image is at
//! segments     segments    both in reading order
//! linked_data  paragraphs  the text of a page that shows none
//! ```
//!
//! Text never depends on images: an image within a paragraph comes after it, and the captions of
//! figures with images belong to those. An image of a formula is text.

pub(crate) mod address;
mod caption;
pub mod charset;
mod collapsed;
mod consent;
mod content;
mod cost;
mod custom;
mod dom;
mod facts;
mod feature;
mod forest;
mod formula;
mod gate;
mod genre;
mod gutter;
mod hidden;
mod image;
mod linked_data;
mod listing;
mod markup;
mod mathml;
mod outline;
mod parser;
mod picture;
mod plain;
mod ruby;
mod segments;
mod shadow;
mod signal;
mod sink;
mod slots;
mod table;
mod tag;
pub mod training;
mod walk;
mod wording;

use corpus::record::{Segment, SegmentKind};

pub(crate) use cost::cost;
use dom::Dom;
use facts::Facts;
pub use ruby::Ruby;

/// The main content of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// The title, possibly empty.
    pub title: String,
    /// Text and images in reading order.
    pub segments: Vec<Segment>,
    /// Whether the page was not read to its end: its markup costs more than that of a page may.
    pub is_cut: bool,
}

impl Extract {
    /// Returns the main text: the text segments as lines, images left out.
    pub fn text(&self) -> String {
        let texts = self.segments.iter().filter(|segment| segment.kind != SegmentKind::Image);
        texts.map(|segment| segment.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Returns true if and only if any segment but an image's has text.
    pub fn has_text(&self) -> bool {
        let mut texts = self.segments.iter().filter(|s| s.kind != SegmentKind::Image);
        texts.any(|segment| !segment.text.trim().is_empty())
    }
}

/// Extracts the main content of a page; the URL resolves those of images.
///
/// Any text is a page; work and memory are bounded by its length.
pub fn extract(html: &str, url: &str, ruby: Ruby) -> Extract {
    extract_dom(parser::parse(html), url, ruby)
}

/// Extracts the main content of a page whose URL is not known, and returns the one that it states.
pub fn extract_saved(html: &str, ruby: Ruby) -> (Extract, Option<String>) {
    let dom = parser::parse(html);
    let url = address::stated(&dom, html);
    (extract_dom(dom, url.as_deref().unwrap_or_default(), ruby), url)
}

fn extract_dom(mut dom: Dom, url: &str, ruby: Ruby) -> Extract {
    let facts = Facts::of(&dom);
    plain::simplify(&mut dom, ruby);
    let (segments, is_cut) = segments::segments(&dom, &facts, image::base_url(&dom, url).as_ref());
    Extract { title: facts.title, segments, is_cut }
}

#[cfg(test)]
mod tests;
