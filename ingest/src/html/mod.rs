//! HTML becomes ordered segments of main content: text and images in reading order.
//!
//! ```text
//! charset   decode      bytes -> text, by the order of the HTML standard
//! parser    parse       text -> arena, through html5ever
//! dom       Dom         the arena: nodes by index
//! collapsed Collapsed   inline text with single white space
//! clutter   judge       what is navigation, advertisement, comment ... by tag and by name
//! region    Region      which subtree holds the main content
//! segments  segments    that subtree as segments, in one walk
//! image     image_url   which address an image is at
//! ```
//!
//! Text never depends on images: an image within a paragraph comes after it, and captions
//! belong to images alone.

pub mod charset;
mod clutter;
mod collapsed;
mod dom;
mod image;
mod parser;
mod region;
mod segments;

use corpus::record::{Segment, SegmentKind};

use region::Region;

/// The main content of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// The title, possibly empty.
    pub title: String,
    /// Text and images in reading order.
    pub segments: Vec<Segment>,
}

impl Extract {
    /// Returns true if and only if any segment but an image's has text.
    pub fn has_text(&self) -> bool {
        let mut texts = self.segments.iter().filter(|s| s.kind != SegmentKind::Image);
        texts.any(|segment| !segment.text.trim().is_empty())
    }
}

/// Extracts the main content of a page; the URL resolves those of images.
///
/// Any text is a page; work and memory are bounded by its length.
pub fn extract(html: &str, url: &str) -> Extract {
    let dom = parser::parse(html);
    let of = |region: Region| Extract {
        title: region.title(&dom),
        segments: segments::segments(&dom, &region, image::base_url(&dom, url).as_ref()),
    };
    let extract = of(Region::find(&dom));
    match extract.has_text() {
        true => extract,
        false => of(Region::find_in_clutter(&dom)),
    }
}

#[cfg(test)]
mod tests;
