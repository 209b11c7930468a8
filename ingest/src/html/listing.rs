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
const LINES: [&str; 5] = ["CodeMirror-line", "ace_line", "cm-line", "code-line", "view-line"];
/// Blocks that code may be laid out with.
const PARTS: [&str; 15] = [
    "div", "li", "listing", "ol", "p", "pre", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    "xmp",
];

/// Returns the code of a `pre` with lines that are elements, or with line numbers; none if its
/// text is all there is, or if it holds more than code.
pub(super) fn of_raw(dom: &Dom, id: NodeId) -> Option<String> {
    let mut lines = Lines::new(dom, Spaces::All);
    lines.line_parent = parent_of_bare_lines(dom, id);
    lines.read(id)?;
    (lines.has_parts || lines.line_parent != NONE).then(|| lines.finish())
}

/// Returns the code of a table of which each row is line numbers and code.
pub(super) fn of_table(dom: &Dom, id: NodeId) -> Option<String> {
    let mut lines = Lines::new(dom, Spaces::All);
    let first_row = dom.walk(id).take(FIRST_NODES_MAX).find(|id| dom.tag(*id) == "tr")?;
    let mut cells = dom.children(first_row).filter(|id| is_cell(dom, *id));
    let (number, code) = (cells.next()?, cells.next()?);
    if !lines.gutters.holds(dom, number) {
        // Without a name it counts if it counts lines, beside something that has lines.
        let mut within = dom.walk(code).take(FIRST_NODES_MAX);
        if !lines.gutters.counts_lines(dom, number) || !within.any(|id| is_raw(dom.tag(id))) {
            return None;
        }
        lines.numbers = number;
    }
    lines.read(id)?;
    lines.has_parts.then(|| lines.finish())
}

/// Returns the code of a block that holds nothing but `code` with line breaks, or numbered
/// boxes.
pub(super) fn of_block(dom: &Dom, id: NodeId) -> Option<String> {
    let mut breaks = 0;
    let first = dom.children(id).find(|id| dom.element(*id).is_some())?;
    match dom.tag(first) {
        // What follows is told of by elements that look alike.
        "code" => {
            for child in dom.children(id) {
                match (dom.tag(child), dom.node(child).map(|node| &node.data)) {
                    ("br", _) => breaks += 1,
                    ("code", _) => breaks += dom.children(child).filter(|id| dom.tag(*id) == "br").count(),
                    (_, Some(Data::Text(text))) if text.trim().is_empty() => {}
                    (_, Some(Data::Other)) => {}
                    _ => return None,
                }
            }
            // A break at the end of one line makes no second.
            let mut lines = Lines::new(dom, Spaces::WithoutLineEnds);
            if breaks == 0 {
                return None;
            }
            lines.read(id)?;
            Some(lines.finish()).filter(|code| code.contains('\n'))
        }
        "div" => {
            let class = dom.element(first)?.attribute("class")?;
            let mut lines = Lines::new(dom, Spaces::All);
            let is_numbered = match class {
                "line" => {
                    let mut heads = dom.walk(first).skip(1).take(FIRST_NODES_MAX);
                    heads.any(|id| dom.tag(id) == "span" && lines.gutters.holds(dom, id))
                }
                _ => LINES.iter().any(|name| class.contains(name)),
            };
            if !is_numbered || !dom.children(id).all(|child| matches!(dom.tag(child), "div" | "")) {
                return None;
            }
            lines.read(id)?;
            Some(lines.finish())
        }
        _ => None,
    }
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
            self.has_parts = true;
            return Some(());
        }
        match tag {
            "br" => self.text.new_line(),
            "td" | "th" => self.enter_cell(id)?,
            _ if PARTS.contains(&tag) || node.parent == self.line_parent => {
                self.has_parts = true;
                self.begin_line();
                let is_row = matches!(tag, "tr" | "li");
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

    fn finish(mut self) -> String {
        self.text.take().trim_matches('\n').trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;
    use super::*;

    fn code(html: &str, tag: &str, of: fn(&Dom, NodeId) -> Option<String>) -> Option<String> {
        let dom = parser::parse(html);
        let id = dom.walk(ROOT).find(|id| dom.tag(*id) == tag)?;
        of(&dom, id)
    }

    const CODE: &str = "if a:\n    b\n\nc";

    #[test]
    fn lines_that_are_elements_are_lines_of_one_text() {
        for html in [
            "<pre><div>if a:</div><div>    b</div><div><br></div><div>c</div></pre>",
            "<pre><div>if a:\n</div>\n<div>    b\n</div>\n<div>\n</div><div>c</div></pre>",
            "<pre><ol><li>if a:</li>\n<li>&nbsp;   b</li>\n<li></li>\n<li>c</li></ol></pre>",
            "<pre><span class=lineno>1 </span>if a:\n<span class=lineno>2 </span>    b\n\n<span class=ln>3</span>c</pre>",
            "<pre><code><table><tr><td class=gutter><pre>1\n2\n3</pre></td><td><pre>if a:\n    b\n\nc\n</pre></table></code></pre>",
            "<pre><button>Copy</button><code>if a:\n    b\n\nc</code></pre>",
            "<pre><code>if a:</code><code>    b</code><code>\u{a0}</code><code>c</code></pre>",
        ] {
            let found = code(html, "pre", of_raw).map(|code| code.replace("\n \n", "\n\n"));
            assert_eq!(found.as_deref(), Some(CODE), "{html}");
        }
    }

    #[test]
    fn tables_of_numbered_lines_are_code() {
        let row = |number: &str, line: &str| {
            format!(
                "<tr>\n<td class=blob-num data-line-number={number}></td>\n<td class=blob-code>{line}</td>\n</tr>\n"
            )
        };
        let lines = [row("1", "if a:"), row("2", "    <b>b</b>"), row("3", "\n"), row("4", "c")].concat();
        assert_eq!(code(&format!("<table>{lines}</table>"), "table", of_table).as_deref(), Some(CODE));
        let two = "<table><tr><td><pre>1\n2\n3\n4</pre></td><td><div><pre>if a:\n    b\n\nc</pre></div></td></table>";
        assert_eq!(code(two, "table", of_table).as_deref(), Some(CODE));
        let boxes = "<table><tr><td class=gutter><div>1</div><div>2</div></td><td><div>\n<div><code>if</code> <code>a:</code></div>
            <div><code>&nbsp;&nbsp;&nbsp;&nbsp;</code><code>b</code></div></div></table>";
        assert_eq!(code(boxes, "table", of_table).as_deref(), Some("if a:\n    b"));
    }

    #[test]
    fn tables_of_data_are_no_code() {
        for html in [
            "<table><tr><td>1</td><td>a</td></tr><tr><td>2</td><td>b</td></tr></table>",
            "<table><tr><td class=number>1</td><td>a</td><td>b</td></tr></table>",
            "<table><tr><td>1911\n1912</td><td>a</td></tr></table>",
            "<table><tr><td class=gutter></td><td><h2>a</h2></td></tr></table>",
        ] {
            assert_eq!(code(html, "table", of_table), None, "{html}");
        }
    }

    #[test]
    fn blocks_of_code_with_line_breaks_are_code() {
        let html = "<div>\n<code>if a:</code><br/>\n<code>&nbsp;&nbsp;&nbsp;&nbsp;b</code><br><br><code>c</code><br></div>";
        assert_eq!(code(html, "div", of_block).as_deref(), Some(CODE));
        let html = "<p><code>if a:<br>\n\u{a0}   b<br>\n<br>c</code></p>";
        assert_eq!(code(html, "p", of_block).as_deref(), Some(CODE));
        let doxygen = "<section><div class=line><a id=l1></a><span class=lineno>    1</span>if a:</div>\n<div class=line><span class=lineno>    2</span>&#160;   b</div></section>";
        assert_eq!(code(doxygen, "section", of_block).as_deref(), Some("if a:\n    b"));
        for html in [
            "<p><code>a</code><br></p>",
            "<p><code>a</code> and<br><code>b</code></p>",
            "<p><code>a</code> <code>b</code></p>",
        ] {
            assert_eq!(code(html, "p", of_block), None, "{html}");
        }
    }
}
