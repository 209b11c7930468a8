//! Pictures: which images of a page belong to its content, and what is said under them.
//!
//! Images follow the text: one is content where the text around it is.

use std::collections::BTreeSet;
use std::ops::Range;

use corpus::record::{Segment, SegmentKind};
use url::Url;

use super::dom::{Dom, NodeId};
use super::image::image_url;
use super::outline::{Outline, Picture, ScopeId};
use super::signal::Signal;

/// Characters of content that a scope must hold for its images to be judged by it.
const SURROUNDINGS_CHARS_MIN: u32 = 100;
/// Share of a scope's characters that must be content for its images to be.
const SURROUNDINGS_SHARE_MIN: f64 = 0.5;
/// Sides in pixels below which an image counts visits and shows nothing.
const SIDE_PIXELS_MIN: u32 = 8;
/// Scopes around an image whose names tell that it is clutter.
const CLUTTER_FAR: u8 = 3;
/// Nodes of a caption.
const CAPTION_NODES_MAX: usize = 1_000;
/// Elements between an image and the figure it belongs to.
const FIGURE_DEPTH_MAX: usize = 8;
/// What never holds images of content.
const CLUTTER: [Signal; 8] = [
    Signal::Nav,
    Signal::Advert,
    Signal::Share,
    Signal::Related,
    Signal::User,
    Signal::Footer,
    Signal::Comment,
    Signal::Side,
];

/// The pictures of a page that are content, in reading order.
pub(super) struct Pictures<'p> {
    dom: &'p Dom,
    outline: &'p Outline,
    /// By block, characters before it: of all blocks, and of content.
    before: Vec<(u32, u32)>,
    /// From the first block of content to the last.
    span: Range<usize>,
}

impl<'p> Pictures<'p> {
    /// Prepares judging by what is content.
    pub(super) fn new(dom: &'p Dom, outline: &'p Outline, content: &[bool]) -> Self {
        let mut before = vec![(0, 0)];
        let (mut all, mut kept) = (0, 0);
        for (block, is_content) in outline.blocks.iter().zip(content) {
            all += block.chars;
            kept += if *is_content { block.chars } else { 0 };
            before.push((all, kept));
        }
        let first = content.iter().position(|is_content| *is_content);
        let last = content.iter().rposition(|is_content| *is_content);
        let span = first.unwrap_or(0)..last.map_or(0, |last| last + 1);
        Self { dom, outline, before, span }
    }

    /// Returns the images of content as segments, each with the block that it comes before.
    pub(super) fn segments(&self, base: Option<&Url>) -> Vec<(u32, Segment)> {
        let mut captioned = BTreeSet::new();
        let is_content = |picture: &&Picture| self.is_content(picture);
        let pictures = self.outline.pictures.iter().filter(is_content);
        let mut last = None;
        let segment = |picture: &Picture| {
            let url = image_url(self.dom, picture.node, base)?;
            // Pages that load images late repeat each for readers without scripts.
            let is_again = last.as_ref() == Some(&url) && self.is_spare(picture.node);
            last = Some(url.clone());
            if is_again {
                return None;
            }
            let caption = self.caption(picture.node, &mut captioned);
            let text = caption.or_else(|| self.alternative(picture.node)).unwrap_or_default();
            Some((picture.block, Segment { kind: SegmentKind::Image, text, url: Some(url) }))
        };
        pictures.filter_map(segment).collect()
    }

    fn is_content(&self, picture: &Picture) -> bool {
        let place = picture.block as usize;
        let is_between = self.span.start <= place && place <= self.span.end && !self.span.is_empty();
        // The first image often stands before the first paragraph, in the same element.
        let is_within = || self.outline.ids_around(picture.scope).any(|id| id == self.outline.heaviest);
        (is_between || is_within())
            && !self.is_mark(picture)
            && !self.is_clutter(picture.scope)
            && self.is_among_content(picture)
    }

    /// Returns true if and only if the nearest scope with enough content, or else the page,
    /// is mostly content.
    fn is_among_content(&self, picture: &Picture) -> bool {
        let mut surroundings = (0, 0);
        for scope in self.outline.around(picture.scope) {
            let [begin, end] = [scope.blocks.0, scope.blocks.1].map(|place| self.before[place as usize]);
            surroundings = (end.0 - begin.0, end.1 - begin.1);
            if surroundings.1 >= SURROUNDINGS_CHARS_MIN {
                break;
            }
        }
        let (all, content) = surroundings;
        f64::from(content) >= f64::from(all) * SURROUNDINGS_SHARE_MIN
    }

    /// Returns true if and only if the image is there for readers without scripts.
    fn is_spare(&self, image: NodeId) -> bool {
        let parent = |id: &NodeId| self.dom.node(*id).map(|node| node.parent);
        let mut ancestors = std::iter::successors(Some(image), parent).take(FIGURE_DEPTH_MAX);
        ancestors.any(|id| self.dom.tag(id) == "noscript")
    }

    /// Returns true if and only if the page states sides that only marks and counters have.
    fn is_mark(&self, picture: &Picture) -> bool {
        let element = self.dom.element(picture.node);
        let side = |name| -> Option<u32> {
            let value = element?.attribute(name)?;
            value.trim().trim_end_matches("px").parse().ok()
        };
        let is_small = |name| side(name).is_some_and(|side| side < SIDE_PIXELS_MIN);
        is_small("width") || is_small("height")
    }

    /// Returns true if and only if the image is in something that never is content.
    fn is_clutter(&self, scope: ScopeId) -> bool {
        let near = &self.outline.scopes[scope as usize].near;
        CLUTTER.iter().any(|signal| near[*signal as usize] < CLUTTER_FAR)
    }

    /// Returns the caption of the figure around an image, to the figure's first image.
    fn caption(&self, image: NodeId, captioned: &mut BTreeSet<NodeId>) -> Option<String> {
        let dom = self.dom;
        let parent = |id: &NodeId| dom.node(*id).map(|node| node.parent);
        let mut ancestors = std::iter::successors(Some(image), parent).take(FIGURE_DEPTH_MAX);
        let figure = ancestors.find(|id| dom.tag(*id) == "figure")?;
        if !captioned.insert(figure) {
            return None;
        }
        let mut nodes = dom.walk(figure).take(CAPTION_NODES_MAX);
        let caption = nodes.find(|id| dom.tag(*id) == "figcaption")?;
        Some(dom.text(caption, CAPTION_NODES_MAX)).filter(|text| !text.is_empty())
    }

    /// Returns the text that stands for an image: `alt`, or else `title`.
    fn alternative(&self, image: NodeId) -> Option<String> {
        let element = self.dom.element(image)?;
        let words = element.attribute("alt").or(element.attribute("title"))?;
        Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
