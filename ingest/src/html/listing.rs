//! Listings: code that is laid out with elements, one for each line, and line numbers beside
//! it: in tables, lists and boxes within and without `pre`.

use super::collapsed::Collapsed;
use super::dom::{Data, Dom, NONE, NodeId};
use super::gutter::Gutters;
use super::tag::{is_block, is_raw, is_skipped, is_standard_block};

/// Nodes of a listing; a larger one is read as if it were none.
const NODES_MAX: usize = 100_000;
/// Nodes looked at for the first line's number.
const FIRST_NODES_MAX: usize = 16;
/// Parts of class names of boxes that are lines of code.
const LINES: [&str; 7] =
    ["CodeMirror-line", "ace_line", "cm-line", "code-line", "line number", "ltx_listingline", "view-line"];
/// The whole class name of boxes that are lines, of code or of something else.
const LINE: &str = "line";
/// Whole class names of boxes that are lines of code if numbers stand before them.
const NUMBERED_LINES: [&str; 2] = [LINE, "pre"];
/// Whole class names of boxes whose elements are lines of code, whatever they are.
const BOXES: [&str; 2] = ["CodeMirror-code", "enlighter"];
/// The whole class name of Doxygen's boxes, and of those within whose lines can be folded.
const FRAGMENT: &str = "fragment";
const FOLDED: &str = "foldopen";
/// Whole class names of boxes of code whose lines breaks end.
const CODE: [&str; 6] = ["code", "codebox", "codeblock", "listing", "source", "sourceCode"];
/// Whole class names of lists whose items are lines of code.
const LISTS: [&str; 3] = ["enlighter", "line-numbers", "linenums"];
/// How those of others begin: of SyntaxHighlighter's first version.
const LIST_BEGINNING: &str = "dp-";
/// Class names of what holds a line in GeSHi's lists.
const LIST_LINES: [&str; 2] = ["de1", "de2"];
/// Blocks that code may be laid out with.
const PARTS: [&str; 15] = [
    "div", "li", "listing", "ol", "p", "pre", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    "xmp",
];

/// Looks for listings.
#[derive(Debug)]
pub(super) struct Listings {
    gutters: Gutters,
    /// Nodes that may still be read in vain: boxes of what is no code may be within each other.
    left: usize,
}

impl Default for Listings {
    fn default() -> Self {
        Self { gutters: Gutters::default(), left: 8 * NODES_MAX }
    }
}

impl Listings {
    /// Returns the code of a `pre` with lines that are elements, or with line numbers; none if its
    /// text is all there is, or if it holds more than code.
    pub(super) fn of_raw(&mut self, dom: &Dom, id: NodeId) -> Option<String> {
        let mut lines = Lines::new(dom, Spaces::All);
        lines.line_parent = parent_of_bare_lines(dom, id);
        let is_bare = lines.line_parent != NONE;
        self.read(lines, id).filter(|lines| lines.has_parts || is_bare).map(Lines::finish)
    }

    /// Returns the code of a table of which each row is line numbers and code.
    pub(super) fn of_table(&mut self, dom: &Dom, id: NodeId) -> Option<String> {
        let mut lines = Lines::new(dom, Spaces::All);
        let first_row = dom.walk(id).take(FIRST_NODES_MAX).find(|id| dom.tag(*id) == "tr")?;
        let mut cells = dom.children(first_row).filter(|id| is_cell(dom, *id));
        let (number, code) = (cells.next()?, cells.next()?);
        if !self.gutters.holds(dom, number) {
            // Without a name it counts if it counts lines, beside something that has lines.
            let mut within = dom.walk(code).take(FIRST_NODES_MAX);
            if !self.gutters.counts_lines(dom, number) || !within.any(|id| is_raw(dom.tag(id))) {
                return None;
            }
            lines.numbers = number;
        }
        self.read(lines, id).filter(|lines| lines.has_parts).map(Lines::finish)
    }

    /// Returns the code of a block that holds nothing but `code` with line breaks, numbered boxes, or items that are
    /// lines.
    pub(super) fn of_block(&mut self, dom: &Dom, id: NodeId) -> Option<String> {
        let first = dom.children(id).find(|id| dom.element(*id).is_some())?;
        let (spaces, line_parent) = match dom.tag(first) {
            // A break at the end of one line makes no second.
            "code" if has_breaks(dom, id)? => (Spaces::WithoutLineEnds, NONE),
            "li" if is_list_of_lines(dom, id, first) => (Spaces::WithoutLineEnds, NONE),
            "div" | "pre" if names(dom, id).any(|name| BOXES.contains(&name)) => (Spaces::All, id),
            tag @ ("div" | "p") if are_all(dom, id, tag) && self.are_lines(dom, first) => (Spaces::All, NONE),
            "br" if is_indented(dom, id) => (Spaces::WithoutLineEnds, NONE),
            _ => return None,
        };
        let mut lines = Lines::new(dom, spaces);
        lines.line_parent = line_parent;
        let code = self.read(lines, id)?.finish();
        Some(code).filter(|code| dom.tag(first) != "code" || code.contains('\n'))
    }

    /// Returns true if a box, and so those beside it, is a line of code.
    fn are_lines(&mut self, dom: &Dom, first: NodeId) -> bool {
        let is = |id: NodeId, name: &str| names(dom, id).any(|known| known == name);
        let parent = dom.node(first).map_or(NONE, |node| node.parent);
        let is_line = |id: NodeId| is(id, LINE) || is(id, FOLDED);
        if is(parent, FRAGMENT) && is_line(first) && dom.tag(first) == "div" {
            return true;
        }
        let class = dom.element(first).and_then(|element| element.attribute("class")).unwrap_or_default();
        if LINES.iter().any(|name| class.contains(name)) {
            return true;
        }
        let mut heads = dom.walk(first).skip(1).take(FIRST_NODES_MAX);
        let mut is_numbered = || {
            heads.any(|id| matches!(dom.tag(id), "a" | "code" | "span" | "td") && self.gutters.holds(dom, id))
        };
        // Those of coverage.py are paragraphs that begin with their numbers.
        let is_covered =
            || dom.children(first).find(|id| dom.element(*id).is_some()).is_some_and(|id| is(id, "n"));
        let is_line = match dom.tag(first) {
            "p" => is_covered(),
            _ => names(dom, first).any(|name| NUMBERED_LINES.contains(&name)),
        };
        is_line && is_numbered()
    }

    /// Reads what is under a node; none if it is more than code.
    fn read<'d>(&mut self, mut lines: Lines<'d>, id: NodeId) -> Option<Lines<'d>> {
        if self.left == 0 {
            return None;
        }
        let read = lines.read(id);
        if read.is_none() {
            self.left = self.left.saturating_sub(lines.nodes + lines.gutters.looks());
        }
        read.map(|()| lines)
    }
}

/// Returns true if a block that is called code has a line that spaces which do not break indent.
fn is_indented(dom: &Dom, id: NodeId) -> bool {
    let is_called_code = names(dom, id).any(|name| CODE.contains(&name));
    let is_indent = |id: NodeId| match dom.node(id).map(|node| &node.data) {
        Some(Data::Text(text)) => text.trim_start_matches(['\n', '\r', ' ']).starts_with("\u{a0}\u{a0}"),
        _ => false,
    };
    is_called_code && dom.children(id).any(is_indent)
}

/// Returns true if there are no elements but those of a tag in a block, and no text.
fn are_all(dom: &Dom, id: NodeId, tag: &str) -> bool {
    dom.children(id).all(|id| match dom.node(id).map(|node| &node.data) {
        Some(Data::Text(text)) => text.trim().is_empty(),
        _ => dom.tag(id).is_empty() || dom.tag(id) == tag,
    })
}

/// Returns whether there are line breaks in a block of `code`; none if it holds anything else.
fn has_breaks(dom: &Dom, id: NodeId) -> Option<bool> {
    let mut breaks = 0;
    for child in dom.children(id) {
        match (dom.tag(child), dom.node(child).map(|node| &node.data)) {
            ("br", _) => breaks += 1,
            ("code", _) => breaks += dom.children(child).filter(|id| dom.tag(*id) == "br").count(),
            (_, Some(Data::Text(text))) if text.trim().is_empty() => {}
            (_, Some(Data::Other)) => {}
            _ => return None,
        }
    }
    Some(breaks > 0)
}

/// Returns true if the items of a list, of which the first is given, are lines of code.
fn is_list_of_lines(dom: &Dom, id: NodeId, first: NodeId) -> bool {
    let is_list = |name: &str| LISTS.contains(&name) || name.starts_with(LIST_BEGINNING);
    let mut within = dom.children(first).filter(|id| dom.element(*id).is_some());
    let mut is_line =
        || within.next().is_some_and(|id| names(dom, id).any(|name| LIST_LINES.contains(&name)));
    names(dom, id).any(is_list) || is_line()
}

/// Returns the class names of an element.
fn names(dom: &Dom, id: NodeId) -> impl Iterator<Item = &str> {
    let class = dom.element(id).and_then(|element| element.attribute("class"));
    class.unwrap_or_default().split_ascii_whitespace()
}

/// Returns the element whose children are lines without line ends; [`NONE`] if none is.
fn parent_of_bare_lines(dom: &Dom, pre: NodeId) -> NodeId {
    let elements = |id: NodeId| dom.children(id).filter(|child| dom.element(*child).is_some());
    let mut parent = pre;
    if let (Some(only), None) = (elements(pre).next(), elements(pre).nth(1))
        && dom.tag(only) == "code"
    {
        parent = only;
    }
    let is_line = |id: NodeId| match dom.tag(id) {
        "code" => true,
        "span" => {
            dom.element(id).and_then(|e| e.attribute("class")).is_some_and(|class| class.contains("line"))
        }
        _ => false,
    };
    let are_lines = elements(parent).nth(1).is_some() && elements(parent).all(is_line);
    let breaks = |id: NodeId| match dom.node(id).map(|node| &node.data) {
        Some(Data::Text(text)) => text.contains('\n'),
        _ => dom.tag(id) == "br",
    };
    let is_bare = || !dom.walk(pre).take(NODES_MAX).any(breaks);
    if are_lines && is_bare() { parent } else { NONE }
}

fn is_cell(dom: &Dom, id: NodeId) -> bool {
    matches!(dom.tag(id), "td" | "th")
}

/// White space that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spaces {
    All,
    /// What has a line end in it is how the page is written.
    WithoutLineEnds,
}

/// Code that is being read line by line.
struct Lines<'d> {
    dom: &'d Dom,
    spaces: Spaces,
    gutters: Gutters,
    /// The cell of line numbers that is not called so.
    numbers: NodeId,
    /// Each element within is a line.
    line_parent: NodeId,
    text: Collapsed,
    /// Whether there were lines that are elements, or line numbers.
    has_parts: bool,
    /// Whether there were line numbers.
    has_gutter: bool,
    nodes: usize,
}

enum Step {
    Enter(NodeId),
    /// A line's end, with the length of what was before it.
    EndLine(Option<usize>),
}

impl<'d> Lines<'d> {
    fn new(dom: &'d Dom, spaces: Spaces) -> Self {
        Self {
            dom,
            spaces,
            gutters: Gutters::default(),
            numbers: NONE,
            line_parent: NONE,
            text: Collapsed::default(),
            has_parts: false,
            has_gutter: false,
            nodes: 0,
        }
    }

    /// Reads what is under a node; none if it is more than code.
    fn read(&mut self, root: NodeId) -> Option<()> {
        let mut steps = Vec::new();
        self.push_children(root, &mut steps);
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(id) => self.enter(id, &mut steps)?,
                Step::EndLine(before) => {
                    // A row without a character is an empty line.
                    if before == Some(self.text.as_str().len()) {
                        self.text.new_line();
                    }
                    self.begin_line();
                }
            }
        }
        Some(())
    }

    fn push_children(&self, id: NodeId, steps: &mut Vec<Step>) {
        let begin = steps.len();
        steps.extend(self.dom.children(id).map(Step::Enter));
        steps[begin..].reverse();
    }

    fn enter(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return None;
        }
        let node = self.dom.node(id)?;
        let tag = match &node.data {
            Data::Text(text) => {
                self.write(id, text);
                return Some(());
            }
            Data::Element(element) => &*element.name.local,
            Data::Other => return Some(()),
        };
        if is_skipped(tag) || matches!(tag, "button" | "img") {
            // It copies the code; without it the rest may be plain.
            self.has_parts |= tag == "button";
            return Some(());
        }
        if id == self.numbers || self.gutters.holds(self.dom, id) {
            (self.has_parts, self.has_gutter) = (true, true);
            return Some(());
        }
        match tag {
            "br" => self.text.new_line(),
            "td" | "th" => self.enter_cell(id)?,
            _ if PARTS.contains(&tag) || node.parent == self.line_parent => {
                self.has_parts = true;
                self.begin_line();
                let is_line = || names(self.dom, id).any(|name| name == LINE);
                let is_row = matches!(tag, "tr" | "li") || node.parent == self.line_parent || is_line();
                steps.push(Step::EndLine(is_row.then(|| self.text.as_str().len())));
            }
            _ if is_standard_block(tag) => return None,
            _ => {}
        }
        self.push_children(id, steps);
        Some(())
    }

    /// Enters a cell of code, the only one of its row.
    fn enter_cell(&mut self, id: NodeId) -> Option<()> {
        let dom = self.dom;
        let cells = dom.children(dom.node(id)?.parent).filter(|cell| is_cell(dom, *cell));
        let mut others = cells.take(FIRST_NODES_MAX).filter(|cell| *cell != id);
        let mut is_empty = |cell| self.gutters.numbers(dom, cell).is_some_and(|numbers| numbers.is_empty());
        if is_empty(id) {
            return Some(());
        }
        let is_beside = |cell: NodeId| {
            cell == self.numbers
                || self.gutters.holds(dom, cell)
                || self.gutters.numbers(dom, cell).is_some_and(|n| n.is_empty())
        };
        others.all(is_beside).then_some(())
    }

    fn write(&mut self, id: NodeId, text: &str) {
        let is_blank = text.trim().is_empty();
        if is_blank && text.contains('\n') && self.is_between_blocks(id) {
            return self.begin_line();
        }
        if self.spaces == Spaces::All || !text.contains('\n') {
            self.text.push_raw(text);
            return;
        }
        for line in text.split_inclusive('\n') {
            let (line, ends) = line.strip_suffix('\n').map_or((line, false), |line| (line, true));
            self.text.push_raw(if ends { line.trim_ascii_end() } else { line });
            if ends && !self.is_at_line_start() {
                self.text.push_raw(" ");
            }
        }
    }

    /// Returns true if text is only what separates blocks in the page's source.
    fn is_between_blocks(&self, id: NodeId) -> bool {
        let Some(node) = self.dom.node(id) else {
            return false;
        };
        let is_part = |id: NodeId| is_block(self.dom.tag(id));
        let parent = self.dom.tag(node.parent);
        is_part(node.previous)
            || is_part(node.next)
            || (is_block(parent) && !is_raw(parent) && !matches!(parent, "td" | "th" | "div" | "li" | "p"))
    }

    fn is_at_line_start(&self) -> bool {
        matches!(self.text.as_str().as_bytes().last(), None | Some(b'\n'))
    }

    fn begin_line(&mut self) {
        if !self.is_at_line_start() {
            self.text.new_line();
        }
    }

    /// Returns the code without what stands at the ends of its lines, and without the space that all of them have behind
    /// their numbers.
    fn finish(mut self) -> String {
        let text = self.text.take();
        let lines = || text.lines().map(str::trim_end);
        let is_indented = self.has_gutter && lines().all(|line| line.is_empty() || line.starts_with(' '));
        let own = |line| if is_indented { str::strip_prefix(line, ' ').unwrap_or(line) } else { line };
        let lines: Vec<&str> = lines().map(own).collect();
        lines.join("\n").trim_matches('\n').trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests;
