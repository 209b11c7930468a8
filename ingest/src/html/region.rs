//! The region: which subtree of a page holds the main content.
//!
//! Prose is text outside links in blocks that are long enough and mostly not links. From
//! the element that says it is the article, or from the body, the search goes down as long
//! as one child holds nearly all prose.

use super::clutter::{self, Clutter};
use super::dom::{Data, Dom, NodeId, ROOT};

/// Characters without links from which a block counts as prose.
const PROSE_CHARS_MIN: u32 = 60;
/// Share of the prose that the search goes down for.
const DESCENT_SHARE: f64 = 0.8;
/// Share of the body's prose that an element must hold to be believed to be the article.
const ARTICLE_SHARE_MIN: f64 = 0.4;
/// Share of the body's prose above which an element is not clutter, whatever its name.
const CLUTTER_SHARE_MAX: f64 = 0.4;
/// Characters of prose below that share's exemption: a consent banner is shorter, an article longer.
const HIDDEN_PROSE_MIN: u32 = 250;
/// How many times the text outside clutter the prose inside must be to be taken in its place.
const HIDDEN_FACTOR_MIN: f64 = 0.5;
/// Nodes of a title.
const TITLE_NODES_MAX: usize = 64;
/// Blocks that hold text and nothing to go down to.
const LEAVES: [&str; 12] =
    ["blockquote", "dd", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "li", "p", "pre"];
/// Elements that begin a block of their own.
const BLOCKS: [&str; 44] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "ul",
    "legend",
];

/// Returns true if and only if the element begins a block of its own.
pub(super) fn is_block(tag: &str) -> bool {
    BLOCKS.contains(&tag)
}

/// Where the main content is, and what is to be left out within.
#[derive(Debug)]
pub(super) struct Region {
    /// The root of the subtree.
    pub(super) root: NodeId,
    left_out: Vec<bool>,
    measures: Vec<Measure>,
}

/// What a subtree holds, clutter excepted. Characters are counted without white space.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    chars: u32,
    link_chars: u32,
    prose: u32,
}

impl Region {
    /// Finds the region of a page.
    pub(super) fn find(dom: &Dom) -> Self {
        let order: Vec<NodeId> = dom.walk(ROOT).collect();
        let judged: Vec<Clutter> = (0..dom.nodes.len() as NodeId)
            .map(|id| dom.element(id).map_or(Clutter::No, clutter::judge))
            .collect();
        // First without what is surely clutter, to see how much the rest of it would take away.
        let surely: Vec<bool> = judged.iter().map(|c| *c == Clutter::Surely).collect();
        let loose = measure(dom, &order, &surely);
        let total = prose_of(&loose, ROOT);
        let is_out = |(clutter, measure): (&Clutter, &Measure)| match clutter {
            Clutter::No => false,
            Clutter::Likely => {
                measure.prose < HIDDEN_PROSE_MIN || f64::from(measure.prose) <= total * CLUTTER_SHARE_MAX
            }
            Clutter::Surely => true,
        };
        let strict: Vec<bool> = judged.iter().zip(&loose).map(is_out).collect();
        let measures = measure(dom, &order, &strict);
        let hides_most = total > text_of(&measures, ROOT) * HIDDEN_FACTOR_MIN;
        let (left_out, measures) = match prose_of(&measures, ROOT) == 0.0 && hides_most {
            // All prose has the name of clutter somewhere: better that than next to nothing.
            true => (surely, loose),
            false => (strict, measures),
        };
        Self::within(dom, &order, left_out, measures)
    }

    /// Finds the region of a page that has no text outside of what has the name of clutter.
    pub(super) fn find_in_clutter(dom: &Dom) -> Self {
        let order: Vec<NodeId> = dom.walk(ROOT).collect();
        let is_out = |id| dom.element(id).is_some_and(|element| clutter::judge(element) == Clutter::Surely);
        let surely: Vec<bool> = (0..dom.nodes.len() as NodeId).map(is_out).collect();
        let measures = measure(dom, &order, &surely);
        Self::within(dom, &order, surely, measures)
    }

    fn within(dom: &Dom, order: &[NodeId], left_out: Vec<bool>, measures: Vec<Measure>) -> Self {
        let mut region = Self { root: ROOT, left_out, measures };
        region.root = region.descend(dom, region.article(dom, order));
        region
    }

    /// Returns true if and only if the subtree is clutter.
    pub(super) fn leaves_out(&self, id: NodeId) -> bool {
        self.left_out.get(id as usize).copied().unwrap_or(true)
    }

    /// Returns the share of the subtree's characters that are in links; 0 where there are none.
    pub(super) fn link_share(&self, id: NodeId) -> f64 {
        let measure = self.measures.get(id as usize).copied().unwrap_or_default();
        f64::from(measure.link_chars) / f64::from(measure.chars.max(1))
    }

    /// Returns the page's title with white space collapsed.
    pub(super) fn title(&self, dom: &Dom) -> String {
        let is_title = |id: &NodeId| {
            let parent = dom.node(*id).map_or(ROOT, |node| node.parent);
            dom.tag(*id) == "title" && dom.tag(parent) != "svg"
        };
        let title = dom.walk(ROOT).find(is_title);
        title.map(|id| dom.text(id, TITLE_NODES_MAX)).unwrap_or_default()
    }

    fn prose(&self, id: NodeId) -> f64 {
        prose_of(&self.measures, id)
    }

    /// Returns the element that says it is the article and holds enough, or the document.
    fn article(&self, dom: &Dom, order: &[NodeId]) -> NodeId {
        let says_so = |id: &NodeId| {
            dom.element(*id).is_some_and(|element| {
                matches!(&*element.name.local, "article" | "main")
                    || element.attribute("role") == Some("main")
                    || element.attribute("itemprop") == Some("articleBody")
            })
        };
        let enough = self.prose(ROOT) * ARTICLE_SHARE_MIN;
        let candidates = order.iter().copied().filter(says_so).filter(|id| !self.leaves_out(*id));
        // Of nested ones with the same prose the inner one is taken: the later in the order.
        let best = candidates.max_by(|a, b| self.prose(*a).total_cmp(&self.prose(*b)));
        best.filter(|id| self.prose(*id) >= enough && enough > 0.0).unwrap_or(ROOT)
    }

    /// Goes down while one child holds nearly all prose.
    fn descend(&self, dom: &Dom, from: NodeId) -> NodeId {
        let mut id = from;
        loop {
            let heaviest = dom
                .children(id)
                .filter(|child| !self.leaves_out(*child))
                .max_by(|a, b| self.prose(*a).total_cmp(&self.prose(*b)));
            let Some(child) = heaviest else {
                return id;
            };
            let holds_it = self.prose(child) >= self.prose(id) * DESCENT_SHARE;
            let goes_on = holds_it && self.prose(id) > 0.0 && !LEAVES.contains(&dom.tag(child));
            if !goes_on || !is_block(dom.tag(child)) {
                return id;
            }
            id = child;
        }
    }
}

fn prose_of(measures: &[Measure], id: NodeId) -> f64 {
    measures.get(id as usize).map_or(0.0, |measure| f64::from(measure.prose))
}

/// Returns the characters outside links, prose or not.
fn text_of(measures: &[Measure], id: NodeId) -> f64 {
    measures.get(id as usize).map_or(0.0, |measure| f64::from(measure.chars - measure.link_chars))
}

/// Measures every subtree; `order` has parents before children.
fn measure(dom: &Dom, order: &[NodeId], left_out: &[bool]) -> Vec<Measure> {
    let mut own = vec![Measure::default(); dom.nodes.len()];
    // By node: the block it is in, whether it is in a link, and whether it is left out.
    let mut places = vec![(ROOT, false, false); dom.nodes.len()];
    for id in order {
        let index = *id as usize;
        let Some(node) = dom.nodes.get(index) else {
            continue;
        };
        let (block, in_link, out) = places.get(node.parent as usize).copied().unwrap_or_default();
        let tag = dom.tag(*id);
        let block = if is_block(tag) { *id } else { block };
        places[index] = (block, in_link || tag == "a", out || left_out[index]);
        let (block, in_link, out) = places[index];
        if let (Data::Text(text), false) = (&node.data, out) {
            let chars = text.chars().filter(|c| !c.is_whitespace()).count() as u32;
            own[block as usize].chars += chars;
            own[block as usize].link_chars += if in_link { chars } else { 0 };
        }
    }
    for measure in &mut own {
        let prose = measure.chars - measure.link_chars;
        if prose >= PROSE_CHARS_MIN && prose > measure.link_chars {
            measure.prose = prose;
        }
    }
    for id in order.iter().rev() {
        let child = own[*id as usize];
        let parent = dom.node(*id).map(|node| node.parent as usize);
        if let Some(parent) = parent.and_then(|parent| own.get_mut(parent)) {
            parent.chars += child.chars;
            parent.link_chars += child.link_chars;
            parent.prose += child.prose;
        }
    }
    own
}
