//! Segments: what of an outline is content, texts and images in reading order.

use corpus::record::{Segment, SegmentKind};
use url::Url;

use super::content;
use super::dom::Dom;
use super::facts::Facts;
use super::linked_data;
use super::outline::{Caption, Grid, Outline};
use super::picture::Pictures;

/// Returns the segments of a page; the base resolves the URLs of images.
pub(super) fn segments(dom: &Dom, facts: &Facts, base: Option<&Url>) -> (Vec<Segment>, bool) {
    let mut outline = Outline::of(dom);
    let is_cut = dom.is_cut || outline.is_cut;
    let content = content::judge(&outline, facts);
    let pictures = Pictures::new(dom, &outline, &content).segments(base);
    let tables = tables(&mut outline, &content);
    let captions = captions(std::mem::take(&mut outline.captions), &content);
    let [mut pictures, mut captions] = [pictures, captions].map(|list| list.into_iter().peekable());
    let mut tables = tables.into_iter().peekable();
    let mut segments = Vec::new();
    // The end of the last table that was written whole.
    let mut written = 0;
    for (index, (block, is_content)) in (0..).zip(outline.blocks.into_iter().zip(content)) {
        while let Some((_, picture)) = pictures.next_if(|(place, _)| *place <= index) {
            segments.push(picture);
        }
        while let Some((_, caption)) = captions.next_if(|(place, _)| *place <= index) {
            segments.extend((index >= written).then_some(caption));
        }
        if let Some((range, grid)) = tables.next_if(|(range, _)| range.0 <= index) {
            segments.extend(grid.caption.map(text));
            segments.push(Segment { kind: SegmentKind::Table, text: grid.text, url: None });
            written = range.1;
        }
        if is_content && index >= written {
            segments.push(Segment { kind: block.kind, text: block.text, url: None });
        }
    }
    segments.extend(pictures.map(|(_, picture)| picture));
    segments.extend(captions.map(|(_, caption)| caption));
    if segments.is_empty() {
        segments.extend(linked_data::paragraphs(dom).into_iter().map(text));
    }
    (segments, is_cut)
}

/// Returns the tables of which three quarters are content, the outer ones, each with its range of blocks.
fn tables(outline: &mut Outline, content: &[bool]) -> Vec<((u32, u32), Grid)> {
    let mut tables: Vec<((u32, u32), Grid)> = Vec::new();
    for grid in std::mem::take(&mut outline.grids) {
        let range = outline.scopes[grid.scope as usize].blocks;
        let is_within = tables.last().is_some_and(|(outer, _)| range.0 < outer.1);
        if is_within || range.0 == range.1 {
            continue;
        }
        let (mut all, mut kept) = (0, 0);
        let range_of = range.0 as usize..range.1 as usize;
        for (block, is_content) in outline.blocks[range_of.clone()].iter().zip(&content[range_of]) {
            all += u64::from(block.chars);
            kept += if *is_content { u64::from(block.chars) } else { 0 };
        }
        if kept * 4 >= all * 3 {
            tables.push((range, grid));
        }
    }
    tables
}

/// Returns the captions of content, each with the number of blocks before it.
fn captions(captions: Vec<Caption>, content: &[bool]) -> Vec<(u32, Segment)> {
    // By block, the blocks of content before it.
    let mut before = vec![0_u32];
    before.extend(content.iter().scan(0, |sum, is_content| {
        *sum += u32::from(*is_content);
        Some(*sum)
    }));
    let count = |place: u32| before.get(place as usize).copied().unwrap_or_default();
    let is_content = |caption: &Caption| count(caption.of.1) > count(caption.of.0);
    captions.into_iter().filter(is_content).map(|caption| (caption.block, text(caption.text))).collect()
}

fn text(text: String) -> Segment {
    Segment { kind: SegmentKind::Text, text, url: None }
}
