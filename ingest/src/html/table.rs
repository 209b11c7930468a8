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

/// Reads a table of data; none where it is layout.
pub(super) fn read(dom: &Dom, id: NodeId) -> Option<Table> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let (mut links, mut link_chars) = (0, 0);
    for (count, node) in dom.walk(id).enumerate().skip(1) {
        let tag = dom.tag(node);
        if LAYOUT_TAGS.contains(&tag) || count > NODES_MAX {
            return None;
        }
        match (tag, rows.last_mut()) {
            ("tr", _) => rows.push(Vec::new()),
            ("td" | "th", Some(row)) => {
                let text = dom.text(node, NODES_MAX);
                if text.chars().count() > CELL_CHARS_MAX {
                    return None;
                }
                row.push(text);
            }
            ("a", _) => {
                links += 1;
                let texts = dom.walk(node).filter_map(|id| match &dom.node(id)?.data {
                    Data::Text(text) => Some(chars_of(text)),
                    _ => None,
                });
                link_chars += texts.sum::<u32>();
            }
            _ => {}
        }
    }
    if rows.iter().all(|row| row.len() < 2) {
        return None;
    }
    let lines: Vec<String> = rows.iter().map(|row| row.join("\t").trim_end().to_owned()).collect();
    let text = lines.join("\n").trim().to_owned();
    let chars = chars_of(&text);
    (chars > 0).then_some(Table { text, chars, link_chars: link_chars.min(chars), links })
}

fn chars_of(text: &str) -> u32 {
    text.chars().filter(|c| !c.is_whitespace()).count() as u32
}
