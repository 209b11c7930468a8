//! Tables of data: read as one block, told from tables that are layout.

use super::dom::{Data, Dom, NodeId};

/// Nodes of a table that is read as one; a larger one is layout.
const NODES_MAX: usize = 20_000;
/// Characters of a cell; a longer one is layout.
const CELL_CHARS_MAX: usize = 400;
/// Elements that show that a table is layout.
const LAYOUT_TAGS: [&str; 13] =
    ["article", "blockquote", "div", "form", "h1", "h2", "h3", "h4", "img", "ol", "pre", "table", "ul"];

/// A table's text, cells separated by tabs and rows by newlines, and what it consists of.
pub(super) struct Table {
    pub(super) text: String,
    pub(super) chars: u32,
    pub(super) link_chars: u32,
    pub(super) links: u32,
}

/// An element whose nodes are being passed, up to the one behind it.
#[derive(Debug, Default)]
struct Span {
    is_open: bool,
    end: Option<NodeId>,
}

impl Span {
    fn pass(&mut self, node: NodeId) {
        self.is_open &= self.end != Some(node);
    }
}

/// Reads a table of data; none where it is layout.
pub(super) fn read(dom: &Dom, id: NodeId) -> Option<Table> {
    let mut rows: Vec<Vec<NodeId>> = Vec::new();
    let (mut links, mut link_chars) = (0, 0);
    let (mut cell, mut link) = (Span::default(), Span::default());
    // Texts are read once it is known that no table is within, and of nested cells and links
    // the outer ones alone: nothing is read twice.
    for (count, node) in dom.walk(id).enumerate().skip(1) {
        let tag = dom.tag(node);
        if LAYOUT_TAGS.contains(&tag) || count > NODES_MAX {
            return None;
        }
        cell.pass(node);
        link.pass(node);
        match (tag, rows.last_mut()) {
            ("tr", _) => rows.push(Vec::new()),
            ("td" | "th", Some(row)) if !cell.is_open => {
                row.push(node);
                cell = Span { is_open: true, end: dom.behind(node, id) };
            }
            ("a", _) => {
                links += 1;
                if !link.is_open {
                    link = Span { is_open: true, end: dom.behind(node, id) };
                }
            }
            _ => {}
        }
        if let (true, Some(Data::Text(text))) = (link.is_open, dom.node(node).map(|node| &node.data)) {
            link_chars += chars_of(text);
        }
    }
    if rows.iter().all(|row| row.len() < 2) {
        return None;
    }
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let mut texts = Vec::with_capacity(row.len());
        for node in row {
            let text = dom.text(node, NODES_MAX);
            if text.chars().count() > CELL_CHARS_MAX {
                return None;
            }
            texts.push(text);
        }
        lines.push(texts.join("\t").trim_end().to_owned());
    }
    let text = lines.join("\n").trim().to_owned();
    let chars = chars_of(&text);
    (chars > 0).then_some(Table { text, chars, link_chars: link_chars.min(chars), links })
}

fn chars_of(text: &str) -> u32 {
    text.chars().filter(|c| !c.is_whitespace()).count() as u32
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;
    use super::*;

    fn first_table(html: &str) -> Option<Table> {
        let dom = parser::parse(html);
        let table = dom.walk(ROOT).find(|id| dom.tag(*id) == "table")?;
        read(&dom, table)
    }

    #[test]
    fn links_are_counted_by_cell_and_once() {
        let html = "<table><tr><td><a>one</a> two<td>3 <a>4</a><tr><td>5<td>6</table>";
        let found = first_table(html).map(|t| (t.text, t.chars, t.links, t.link_chars));
        assert_eq!(found, Some(("one two\t3 4\n5\t6".to_owned(), 10, 2, 4)));
        let nested = "<table><tr><td>x<td><svg><a>y<a>z</a></a><td>w</td></svg></table>";
        let found = first_table(nested).map(|t| (t.text, t.links, t.link_chars));
        assert_eq!(found, Some(("x\tyz w".to_owned(), 2, 2)));
    }

    #[test]
    fn a_table_around_another_is_layout() {
        assert!(first_table("<table><tr><td>x<td><table><tr><td>y<td>z</table></table>").is_none());
    }
}
