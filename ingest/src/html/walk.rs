//! The walk that makes a page's outline: every node once, in reading order.

use std::collections::HashMap;

use corpus::record::SegmentKind;

use super::caption::Figures;
use super::collapsed::Collapsed;
use super::dom::{Data, Dom, NodeId, ROOT};
use super::gutter::Gutters;
use super::listing::Listings;
use super::outline::{
    BLOCKS_MAX, Block, FAR, Grid, IMAGES_MAX, Outline, Picture, Scope, ScopeId, TOP, Totals,
};
use super::signal::{SIGNAL_COUNT, Signals, of_element, of_names};
use super::tag::{is_block, is_raw, is_skipped, role};
use super::{caption, gutter, table};

/// Walks a page; the sums over its scopes are still to be made.
pub(super) fn walk(dom: &Dom) -> Outline {
    let mut walk = Walk {
        dom,
        outline: Outline::default(),
        names: HashMap::new(),
        gutters: Gutters::default(),
        listings: Listings::default(),
        text: Collapsed::default(),
        inline: Signals::default(),
        counts: Counts::default(),
        kinds: vec![(SegmentKind::Text, 0)],
        scope: TOP,
        figures: Figures::default(),
        links: 0,
        bold: 0,
        is_raw: 0,
    };
    walk.enter_scope(ROOT);
    walk.run();
    walk.outline
}

/// Characters and links of the block that is being read.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    chars: u32,
    link_chars: u32,
    bold_chars: u32,
    links: u32,
}

struct Walk<'d> {
    dom: &'d Dom,
    outline: Outline,
    /// What names that were met say: pages repeat them.
    names: HashMap<&'d str, (Signals, bool)>,
    gutters: Gutters,
    listings: Listings,
    /// The block that is being read.
    text: Collapsed,
    inline: Signals,
    counts: Counts,
    /// What the text is, by the elements that are open, with the level of a heading.
    kinds: Vec<(SegmentKind, u8)>,
    scope: ScopeId,
    figures: Figures,
    /// Open links, bold elements and preformatted elements.
    links: u32,
    bold: u32,
    is_raw: u32,
}

enum Step {
    Enter(NodeId),
    LeaveScope { has_kind: bool, is_raw: bool, is_figure: bool },
    LeaveLink,
    LeaveBold,
}

impl<'d> Walk<'d> {
    fn run(&mut self) {
        let mut steps = Vec::new();
        self.push_children(ROOT, &mut steps);
        while let Some(step) = steps.pop() {
            if self.outline.blocks.len() >= BLOCKS_MAX {
                self.outline.is_cut = true;
                break;
            }
            match step {
                Step::Enter(id) => self.enter(id, &mut steps),
                Step::LeaveLink => self.links -= 1,
                Step::LeaveBold => self.bold -= 1,
                Step::LeaveScope { has_kind, is_raw, is_figure } => {
                    self.flush();
                    if is_figure {
                        let blocks = self.outline.blocks.len() as u32;
                        self.figures.leave(self.dom, blocks, &mut self.outline.captions);
                    }
                    if has_kind {
                        self.kinds.pop();
                    }
                    self.is_raw -= u32::from(is_raw);
                    let end = self.outline.blocks.len() as u32;
                    let scope = &mut self.outline.scopes[self.scope as usize];
                    scope.blocks.1 = end;
                    self.scope = scope.parent;
                }
            }
        }
        self.flush();
        // Those of a figure come after those of figures within it.
        self.outline.captions.sort_by_key(|caption| caption.block);
        let end = self.outline.blocks.len() as u32;
        for scope in &mut self.outline.scopes {
            // Scopes that were open when the walk ended end with it.
            if scope.blocks.1 == u32::MAX {
                scope.blocks.1 = end;
            }
        }
    }

    fn push_children(&self, id: NodeId, steps: &mut Vec<Step>) {
        let begin = steps.len();
        steps.extend(self.dom.children(id).map(Step::Enter));
        steps[begin..].reverse();
    }

    fn enter(&mut self, id: NodeId, steps: &mut Vec<Step>) {
        let element = match self.dom.node(id).map(|node| &node.data) {
            Some(Data::Text(text)) => return self.push(text),
            Some(Data::Element(element)) => element,
            _ => return,
        };
        let tag = &*element.name.local;
        if is_skipped(tag) {
            return;
        }
        match tag {
            "br" => return self.break_line(),
            "img" => {
                self.figures.image();
                return self.picture(id);
            }
            "figcaption" => {
                self.flush();
                return self.figures.caption(id, self.outline.blocks.len() as u32);
            }
            "a" => {
                self.links += 1;
                self.counts.links += 1;
                steps.push(Step::LeaveLink);
            }
            "b" | "strong" | "em" | "i" => {
                self.bold += 1;
                steps.push(Step::LeaveBold);
            }
            _ => {}
        }
        if is_block(tag) {
            let kind = kind_of(tag);
            let is_raw = is_raw(tag);
            self.flush();
            let is_gutter = self.enter_scope(id) && self.gutters.is_gutter(self.dom, id);
            if is_gutter || self.whole(id, tag) {
                steps.push(Step::LeaveScope { has_kind: false, is_raw: false, is_figure: false });
                return;
            }
            let is_figure = tag == "figure";
            if is_figure {
                self.figures.enter(self.outline.blocks.len() as u32);
            }
            self.kinds.extend(kind);
            self.is_raw += u32::from(is_raw);
            steps.push(Step::LeaveScope { has_kind: kind.is_some(), is_raw, is_figure });
        } else {
            let signals = self.signals(id).0;
            self.inline.add_all(signals);
        }
        self.push_children(id, steps);
    }

    /// Returns what an element says, a hash of its tag and names, and whether it is called a
    /// gutter.
    fn signals(&mut self, id: NodeId) -> (Signals, u64, bool) {
        let Some(element) = self.dom.element(id) else {
            return (Signals::default(), 0, false);
        };
        let mut is_gutter = false;
        let mut signals = of_element(element);
        let mut signature = fnv(FNV_BASIS, &element.name.local);
        for attribute in &element.attributes {
            let name = &*attribute.name.local;
            if matches!(name, "class" | "id" | "itemprop") {
                let value: &'d str = &attribute.value;
                let known = self.names.entry(value);
                let (said, is_called_so) =
                    *known.or_insert_with(|| (of_names(value), gutter::is_name(value)));
                signals.add_all(said);
                is_gutter |= is_called_so;
            }
            if name == "class" {
                signature = fnv(signature, &attribute.value);
            }
        }
        (signals, signature, is_gutter)
    }

    /// Enters an element that begins a block; returns whether it is called a gutter.
    fn enter_scope(&mut self, id: NodeId) -> bool {
        let (signals, signature, is_gutter) = self.signals(id);
        let parent = self.outline.scopes.get(self.scope as usize);
        let (mut near, depth) = match parent {
            Some(parent) => (parent.near.map(|far| (far + 1).min(FAR)), parent.depth.saturating_add(1)),
            None => ([FAR; SIGNAL_COUNT], 0),
        };
        let is_hidden = parent.is_some_and(|parent| parent.is_hidden) || self.dom.hidden.contains(&id);
        for (number, far) in near.iter_mut().enumerate() {
            if signals.holds(number) {
                *far = 0;
            }
        }
        self.outline.scopes.push(Scope {
            parent: self.scope,
            depth,
            is_hidden,
            role: role(self.dom.tag(id)),
            near,
            signature,
            twins: 1,
            twin_chars: 0,
            twin_prose: 0,
            children: 0,
            blocks: (self.outline.blocks.len() as u32, u32::MAX),
            totals: Totals::default(),
            weight: 0.0,
        });
        self.scope = (self.outline.scopes.len() - 1) as ScopeId;
        is_gutter
    }

    fn push(&mut self, text: &str) {
        let chars = match self.is_raw {
            0 => self.text.push(text),
            _ => self.text.push_raw(text),
        };
        self.counts.chars += chars;
        self.counts.link_chars += if self.links > 0 { chars } else { 0 };
        self.counts.bold_chars += if self.bold > 0 { chars } else { 0 };
    }

    /// One line break is a new line; a second one begins a new block.
    fn break_line(&mut self) {
        let text = self.text.as_str();
        match text.ends_with('\n') && self.is_raw == 0 {
            true => self.flush(),
            false if text.is_empty() => {}
            false => self.text.new_line(),
        }
    }

    /// Ends the block that is being read.
    fn flush(&mut self) {
        let (kind, level) = self.kinds.last().copied().unwrap_or((SegmentKind::Text, 0));
        let text = self.text.take();
        let text = match self.is_raw {
            0 => text.trim(),
            _ => text.trim_matches('\n').trim_end(),
        };
        let counts = std::mem::take(&mut self.counts);
        let inline = std::mem::take(&mut self.inline);
        if counts.chars > 0 && !text.is_empty() {
            let text = text.to_owned();
            self.outline.blocks.push(Block {
                kind,
                level,
                text,
                scope: self.scope,
                inline,
                chars: counts.chars,
                link_chars: counts.link_chars,
                bold_chars: counts.bold_chars,
                links: counts.links,
            });
        }
    }

    fn picture(&mut self, node: NodeId) {
        if self.outline.pictures.len() < IMAGES_MAX {
            // An image within a block comes after it, so that images never divide a text.
            let is_within = !self.text.as_str().trim().is_empty();
            let block = self.outline.blocks.len() as u32 + u32::from(is_within);
            self.outline.pictures.push(Picture { node, scope: self.scope, block });
        }
    }

    /// Reads a table of data or a listing as one block; false where the blocks within are to be read.
    fn whole(&mut self, id: NodeId, tag: &str) -> bool {
        let code = match tag {
            // What is within a `pre` that is no listing is none.
            _ if self.is_raw > 0 => None,
            "table" => self.listings.of_table(self.dom, id),
            _ if is_raw(tag) => self.listings.of_raw(self.dom, id),
            _ => self.listings.of_block(self.dom, id),
        };
        match code {
            Some(code) => self.code(code),
            None => table::is_table(self.dom, id) && self.table(id),
        }
    }

    fn code(&mut self, text: String) -> bool {
        let chars = table::chars_of(&text);
        if chars > 0 {
            self.outline.blocks.push(Block {
                kind: SegmentKind::Code,
                level: 0,
                scope: self.scope,
                inline: Signals::default(),
                chars,
                link_chars: 0,
                bold_chars: 0,
                links: 0,
                text,
            });
        }
        true
    }

    fn table(&mut self, id: NodeId) -> bool {
        let Some(table) = table::read(self.dom, id) else {
            return false;
        };
        let number = self.outline.blocks.len() as u32;
        let caption =
            table.caption.and_then(|node| caption::of(self.dom, node, number, (number, number + 1)));
        if !table.is_block {
            let caption = caption.map(|caption| caption.text);
            self.outline.grids.push(Grid { scope: self.scope, caption, text: table.text });
            return false;
        }
        self.outline.captions.extend(caption);
        self.outline.blocks.push(Block {
            kind: SegmentKind::Table,
            level: 0,
            scope: self.scope,
            inline: Signals::default(),
            chars: table.chars,
            link_chars: table.link_chars,
            bold_chars: 0,
            links: table.links,
            text: table.text,
        });
        table.images.into_iter().for_each(|image| self.picture(image));
        true
    }
}

/// Returns the kind that an element gives to the text within.
fn kind_of(tag: &str) -> Option<(SegmentKind, u8)> {
    match tag {
        "h1" => Some((SegmentKind::Heading, 1)),
        "h2" => Some((SegmentKind::Heading, 2)),
        "h3" => Some((SegmentKind::Heading, 3)),
        "h4" => Some((SegmentKind::Heading, 4)),
        "h5" => Some((SegmentKind::Heading, 5)),
        "h6" => Some((SegmentKind::Heading, 6)),
        "li" | "dd" | "dt" => Some((SegmentKind::ListItem, 0)),
        tag if is_raw(tag) => Some((SegmentKind::Code, 0)),
        _ => None,
    }
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(basis: u64, text: &str) -> u64 {
    text.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
