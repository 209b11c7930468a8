//! Segments: a region in reading order, in one walk.

use std::collections::BTreeSet;

use corpus::record::{Segment, SegmentKind};
use url::Url;

use super::collapsed::Collapsed;
use super::dom::{Data, Dom, NodeId};
use super::image::image_url;
use super::region::{Region, is_block};

/// Share of link text above which a block is a menu and no content.
const LINK_SHARE_MAX: f64 = 0.66;
/// Nodes of a table that is read as one; a larger one is layout.
const TABLE_NODES_MAX: usize = 20_000;
/// Characters of a cell; a longer one is layout.
const CELL_CHARS_MAX: usize = 400;
/// Elements within a table that show that it is layout.
const LAYOUT_TAGS: [&str; 12] =
    ["article", "blockquote", "div", "h1", "h2", "h3", "h4", "img", "ol", "pre", "table", "ul"];
/// Nodes of a caption.
const CAPTION_NODES_MAX: usize = 1_000;
/// Images of a page; the rest is left out.
pub(super) const IMAGES_MAX: usize = 1_000;
/// Elements between an image and the figure it belongs to.
const FIGURE_DEPTH_MAX: usize = 8;

/// Writes down the region of a page; images need the URL they are relative to.
pub(super) fn segments(dom: &Dom, region: &Region, base: Option<&Url>) -> Vec<Segment> {
    let mut walk = Walk {
        dom,
        region,
        base,
        segments: Vec::new(),
        text: Collapsed::default(),
        images: Vec::new(),
        image_count: 0,
        kinds: vec![SegmentKind::Text],
        captioned: BTreeSet::new(),
    };
    walk.run();
    walk.segments
}

struct Walk<'d> {
    dom: &'d Dom,
    region: &'d Region,
    base: Option<&'d Url>,
    segments: Vec<Segment>,
    /// The text of the segment that is being read.
    text: Collapsed,
    /// Images within it: they come after it, so that they never divide a text.
    images: Vec<Segment>,
    image_count: usize,
    /// What the text is, by the elements that are open.
    kinds: Vec<SegmentKind>,
    /// Figures whose caption is given to an image already.
    captioned: BTreeSet<NodeId>,
}

enum Step {
    Enter(NodeId),
    Leave { is_kind: bool },
}

impl Walk<'_> {
    fn run(&mut self) {
        let mut steps = vec![Step::Enter(self.region.root)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(id) => self.enter(id, &mut steps),
                Step::Leave { is_kind } => {
                    self.flush();
                    if is_kind {
                        self.kinds.pop();
                    }
                }
            }
        }
        self.flush();
    }

    fn enter(&mut self, id: NodeId, steps: &mut Vec<Step>) {
        if let Some(Data::Text(text)) = self.dom.node(id).map(|node| &node.data) {
            self.push(text);
            return;
        }
        let is_root = id == self.region.root;
        if self.region.leaves_out(id) && !is_root {
            return;
        }
        let tag = self.dom.tag(id);
        match tag {
            "br" => return self.break_line(),
            "img" => return self.image(id),
            "figcaption" => return,
            "table" if self.table(id) => return,
            _ => {}
        }
        if is_block(tag) {
            let kind = kind_of(tag);
            let is_menu = self.region.link_share(id) > LINK_SHARE_MAX;
            if is_menu && kind != Some(SegmentKind::Heading) && !is_root {
                return;
            }
            self.flush();
            self.kinds.extend(kind);
            steps.push(Step::Leave { is_kind: kind.is_some() });
        }
        let begin = steps.len();
        steps.extend(self.dom.children(id).map(Step::Enter));
        steps[begin..].reverse();
    }

    fn kind(&self) -> SegmentKind {
        self.kinds.last().copied().unwrap_or(SegmentKind::Text)
    }

    fn push(&mut self, text: &str) {
        match self.kind() {
            SegmentKind::Code => self.text.push_raw(text),
            _ => self.text.push(text),
        }
    }

    /// One line break is a new line; a second one begins a new paragraph.
    fn break_line(&mut self) {
        let text = self.text.as_str();
        match text.ends_with('\n') && self.kind() != SegmentKind::Code {
            true => self.flush(),
            false if text.is_empty() => {}
            false => self.text.new_line(),
        }
    }

    /// Ends the segment that is being read.
    fn flush(&mut self) {
        let kind = self.kind();
        let text = self.text.take();
        let text = match kind {
            SegmentKind::Code => text.trim_matches('\n').trim_end(),
            _ => text.trim(),
        };
        if !text.trim().is_empty() {
            self.segments.push(Segment { kind, text: text.to_owned(), url: None });
        }
        self.segments.append(&mut self.images);
    }

    fn image(&mut self, id: NodeId) {
        let Some(url) = image_url(self.dom, id, self.base) else {
            return;
        };
        if self.image_count == IMAGES_MAX {
            return;
        }
        self.image_count += 1;
        let alternative = || {
            let element = self.dom.element(id)?;
            let words = element.attribute("alt").or(element.attribute("title"))?;
            Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let alternative = alternative().unwrap_or_default();
        let image = Segment {
            kind: SegmentKind::Image,
            text: self.caption(id).unwrap_or(alternative),
            url: Some(url),
        };
        match self.text.as_str().trim().is_empty() {
            true => self.segments.push(image),
            false => self.images.push(image),
        }
    }

    /// Returns the caption of the figure around an image, to the figure's first image.
    fn caption(&mut self, image: NodeId) -> Option<String> {
        let dom = self.dom;
        let parent = |id: &NodeId| dom.node(*id).map(|node| node.parent);
        let mut ancestors = std::iter::successors(Some(image), parent).take(FIGURE_DEPTH_MAX);
        let figure = ancestors.find(|id| dom.tag(*id) == "figure")?;
        if !self.captioned.insert(figure) {
            return None;
        }
        let mut nodes = dom.walk(figure).take(CAPTION_NODES_MAX);
        let caption = nodes.find(|id| dom.tag(*id) == "figcaption")?;
        Some(dom.text(caption, CAPTION_NODES_MAX)).filter(|text| !text.is_empty())
    }

    /// Reads a table of data as one segment; false where it is layout.
    fn table(&mut self, id: NodeId) -> bool {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (count, node) in self.dom.walk(id).enumerate().skip(1) {
            let tag = self.dom.tag(node);
            if LAYOUT_TAGS.contains(&tag) || count > TABLE_NODES_MAX {
                return false;
            }
            match (tag, rows.last_mut()) {
                ("tr", _) => rows.push(Vec::new()),
                ("td" | "th", Some(row)) => {
                    let text = self.dom.text(node, TABLE_NODES_MAX);
                    if text.chars().count() > CELL_CHARS_MAX {
                        return false;
                    }
                    row.push(text);
                }
                _ => {}
            }
        }
        if rows.iter().all(|row| row.len() < 2) {
            return false;
        }
        self.flush();
        if self.region.link_share(id) <= LINK_SHARE_MAX {
            let lines: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
            self.kinds.push(SegmentKind::Table);
            self.text.push_raw(&lines.join("\n"));
            self.flush();
            self.kinds.pop();
        }
        true
    }
}

/// Returns the kind that an element gives to the text within.
fn kind_of(tag: &str) -> Option<SegmentKind> {
    match tag {
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Some(SegmentKind::Heading),
        "li" | "dd" | "dt" => Some(SegmentKind::ListItem),
        "pre" => Some(SegmentKind::Code),
        _ => None,
    }
}
