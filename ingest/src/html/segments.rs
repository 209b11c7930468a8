//! Segments: what of an outline is content, texts and images in reading order.

use corpus::record::{Segment, SegmentKind};
use url::Url;

use super::content;
use super::dom::Dom;
use super::facts::Facts;
use super::linked_data;
use super::outline::Outline;
use super::picture::Pictures;

/// Returns the segments of a page; the base resolves the URLs of images.
pub(super) fn segments(dom: &Dom, facts: &Facts, base: Option<&Url>) -> Vec<Segment> {
    let outline = Outline::of(dom);
    let content = content::judge(&outline, facts);
    let pictures = Pictures::new(dom, &outline, &content).segments(base);
    let mut pictures = pictures.into_iter().peekable();
    let mut segments = Vec::new();
    for (index, (block, is_content)) in (0..).zip(outline.blocks.into_iter().zip(content)) {
        while let Some((_, picture)) = pictures.next_if(|(place, _)| *place <= index) {
            segments.push(picture);
        }
        if is_content {
            segments.push(Segment { kind: block.kind, text: block.text, url: None });
        }
    }
    segments.extend(pictures.map(|(_, picture)| picture));
    if segments.is_empty() {
        let paragraphs = linked_data::paragraphs(dom).into_iter();
        segments.extend(paragraphs.map(|text| Segment { kind: SegmentKind::Text, text, url: None }));
    }
    segments
}
