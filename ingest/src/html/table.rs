//! Tables of data: read as one, told from tables that are layout.
//!
//! A table of short plain cells is data. Blocks, images, long texts and tables within cells
//! are found in layout as well as in data: there it is the shape that tells, a grid with
//! headers or with many rows. Of a grid of short texts the whole is judged, as one block; of
//! one that holds prose the blocks are, since they may be all that a page has.

use super::dom::{Data, Dom, NodeId};

/// Nodes of a table that is read as one; a larger one is layout.
const NODES_MAX: usize = 20_000;
/// Characters of a cell; a longer one may be layout.
const CELL_CHARS_MAX: usize = 400;
/// Characters of a cell that no table of data has.
const LONG_CELL_CHARS_MAX: usize = 2_000;
/// Characters of the cells of a grid without headers, on average.
const GRID_CELL_CHARS_MAX: usize = 100;
/// Characters of the cells of a grid that is judged as a whole, on average.
const SHORT_CELL_CHARS_MAX: usize = 40;
/// Columns that a cell spans at most, and rows.
const SPAN_MAX: usize = 100;
/// Elements that show that a table is layout.
const LAYOUT_TAGS: [&str; 6] = ["article", "aside", "footer", "form", "main", "nav"];
/// Elements that do so unless the table has headers.
const FRAME_TAGS: [&str; 4] = ["blockquote", "h1", "pre", "section"];
/// Elements that may be part of layout.
const BLOCK_TAGS: [&str; 9] = ["div", "h2", "h3", "h4", "h5", "h6", "img", "ol", "ul"];

/// A table's text, cells separated by tabs and rows by newlines, and what it consists of.
pub(super) struct Table {
    pub(super) text: String,
    /// Whether it is one block; else it is judged by the blocks within.
    pub(super) is_block: bool,
    /// The element that names it.
    pub(super) caption: Option<NodeId>,
    pub(super) images: Vec<NodeId>,
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
    fn of(dom: &Dom, node: NodeId, within: NodeId) -> Self {
        Self { is_open: true, end: dom.behind(node, within) }
    }

    fn pass(&mut self, node: NodeId) {
        self.is_open &= self.end != Some(node);
    }
}

/// What a table is made of.
#[derive(Debug, Default)]
struct Parts {
    rows: Vec<Vec<NodeId>>,
    caption: Option<NodeId>,
    images: Vec<NodeId>,
    tables: usize,
    has_headers: bool,
    has_blocks: bool,
    has_frames: bool,
    links: u32,
    link_chars: u32,
}

/// Reads a table of data; none where it is layout.
pub(super) fn read(dom: &Dom, id: NodeId) -> Option<Table> {
    let parts = Parts::of(dom, id)?;
    if parts.rows.iter().all(|row| row.len() < 2) {
        return None;
    }
    let mut rows = Vec::with_capacity(parts.rows.len());
    let (mut longest, mut cells, mut chars) = (0, 0, 0);
    for row in &parts.rows {
        let mut texts = Vec::with_capacity(row.len());
        for node in row {
            let text = dom.text(*node, NODES_MAX);
            let own = text.chars().count();
            (longest, chars) = (longest.max(own), chars + own);
            cells += usize::from(own > 0);
            if longest > LONG_CELL_CHARS_MAX {
                return None;
            }
            texts.push(text);
        }
        rows.push(texts);
    }
    let is_plain = !parts.has_blocks && !parts.has_frames && parts.tables == 0 && longest <= CELL_CHARS_MAX;
    if !is_plain && !parts.is_grid(dom, id, longest, (cells, chars)) {
        return None;
    }
    let is_of_links = parts.link_chars as usize * 2 > chars;
    let is_block = is_plain || (chars <= cells * SHORT_CELL_CHARS_MAX && !is_of_links);
    let lines = rows.iter().map(|row| row.join("\t").trim_end().to_owned());
    let text = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let chars = chars_of(&text);
    let Parts { caption, images, links, link_chars, .. } = parts;
    let link_chars = link_chars.min(chars);
    (chars > 0).then_some(Table { text, is_block, caption, images, chars, link_chars, links })
}

impl Parts {
    /// Gathers them; none where one shows that the table is layout.
    fn of(dom: &Dom, id: NodeId) -> Option<Self> {
        let mut parts = Self::default();
        let [mut cell, mut link, mut table] = [Span::default(), Span::default(), Span::default()];
        // Of nested cells, links and tables the outer ones count. A table within a table within
        // a table is layout, so that no text is read more than three times.
        for (count, node) in dom.walk(id).enumerate().skip(1) {
            let tag = dom.tag(node);
            if LAYOUT_TAGS.contains(&tag) || count > NODES_MAX || (tag == "table" && table.is_open) {
                return None;
            }
            cell.pass(node);
            link.pass(node);
            table.pass(node);
            match (tag, parts.rows.last_mut()) {
                ("table", _) => {
                    parts.tables += 1;
                    table = Span::of(dom, node, id);
                }
                ("tr", _) if !table.is_open => parts.rows.push(Vec::new()),
                ("td" | "th", Some(row)) if !cell.is_open => {
                    parts.has_headers |= tag == "th";
                    row.push(node);
                    cell = Span::of(dom, node, id);
                }
                ("caption", _) if !table.is_open => {
                    parts.caption = parts.caption.or(Some(node));
                }
                ("a", _) => {
                    parts.links += 1;
                    if !link.is_open {
                        link = Span::of(dom, node, id);
                    }
                }
                ("img", _) => parts.images.push(node),
                _ => {}
            }
            parts.has_blocks |= BLOCK_TAGS.contains(&tag);
            parts.has_frames |= FRAME_TAGS.contains(&tag);
            if let (true, Some(Data::Text(text))) = (link.is_open, dom.node(node).map(|node| &node.data)) {
                parts.link_chars += chars_of(text);
            }
        }
        parts.has_headers |= parts.rows.first().is_some_and(|row| is_bold(dom, row));
        Some(parts)
    }

    /// Returns true if the cells make a grid such as layout does not; of those that hold text
    /// the number is given, and of characters that of the longest and of all.
    fn is_grid(&self, dom: &Dom, id: NodeId, longest: usize, (cells, chars): (usize, usize)) -> bool {
        let role = dom.element(id).and_then(|table| table.attribute("role"));
        let widths = widths(dom, &self.rows);
        let width = widths.iter().copied().max().unwrap_or(0);
        let regular = widths.iter().filter(|own| **own == width).count();
        if matches!(role, Some("presentation" | "none"))
            || width < 2
            || widths.len() < 2
            || regular * 4 < widths.len() * 3
        {
            return false;
        }
        if self.tables * 2 > widths.len() {
            return false;
        }
        if self.has_headers {
            return true;
        }
        if self.has_frames
            || self.tables > 0
            || widths.len() < 3
            || (self.has_blocks && longest > CELL_CHARS_MAX)
        {
            return false;
        }
        !self.has_blocks || chars <= cells * GRID_CELL_CHARS_MAX
    }
}

/// Returns true if all cells of a row are set in bold.
fn is_bold(dom: &Dom, row: &[NodeId]) -> bool {
    let is_bold_cell = |cell: &NodeId| {
        let is_blank = |id: &NodeId| match dom.node(*id).map(|node| &node.data) {
            Some(Data::Text(text)) => text.trim().is_empty(),
            _ => false,
        };
        let mut children = dom.children(*cell).filter(|id| !is_blank(id));
        let only = children.next().filter(|_| children.next().is_none());
        only.is_some_and(|id| matches!(dom.tag(id), "b" | "strong"))
    };
    row.len() > 1 && row.iter().all(is_bold_cell)
}

/// Returns the columns of each row that has cells, those of earlier rows that reach into it
/// included.
fn widths(dom: &Dom, rows: &[Vec<NodeId>]) -> Vec<usize> {
    let span = |id: NodeId, name| -> usize {
        let stated = dom.element(id).and_then(|cell| cell.attribute(name)?.trim().parse().ok());
        stated.unwrap_or(1).clamp(1, SPAN_MAX)
    };
    // By column of earlier rows, the rows that it still reaches into.
    let mut reaching: Vec<usize> = Vec::new();
    let mut widths = Vec::new();
    for row in rows.iter().filter(|row| !row.is_empty()) {
        let mut width = reaching.len();
        reaching.iter_mut().for_each(|rows| *rows -= 1);
        for cell in row {
            let (columns, rows) = (span(*cell, "colspan"), span(*cell, "rowspan"));
            width += columns;
            reaching.extend(std::iter::repeat_n(rows - 1, columns));
        }
        reaching.retain(|rows| *rows > 0);
        reaching.truncate(SPAN_MAX);
        widths.push(width);
    }
    widths
}

/// Returns the characters of a text that are no white space.
pub(super) fn chars_of(text: &str) -> u32 {
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

    fn text(rows: &str) -> Option<String> {
        first_table(&format!("<table>{rows}</table>")).map(|table| table.text)
    }

    #[test]
    fn links_are_counted_by_cell_and_once() {
        let html = "<table><tr><td><a>one</a> two<td>3 <a>4</a><tr><td>5<td>6</table>";
        let found = first_table(html).map(|t| (t.text, t.chars, t.links, t.link_chars));
        assert_eq!(found, Some(("one two\t3 4\n5\t6".to_owned(), 10, 2, 4)));
        let nested = "<table><tr><td>x<td><svg><a>y<a>z</a></a><td>w</td></svg></table>";
        let found = first_table(nested).map(|t| (t.links, t.link_chars));
        assert_eq!(found, Some((2, 1)));
    }

    #[test]
    fn a_grid_with_headers_is_data_whatever_its_cells_hold() {
        let long = "many words ".repeat(60);
        for cell in [
            "<div>1</div>",
            "<ul><li>1</ul>",
            "<h4>1</h4>",
            "1<img src=i.png>",
            "<table><tr><td>1</table>",
            &long,
        ] {
            let found = text(&format!("<tr><th>a<th>b<tr><td>x<td>{cell}<tr><td>y<td>2"));
            let shown = if cell == long { long.trim() } else { "1" };
            assert_eq!(found, Some(format!("a\tb\nx\t{shown}\ny\t2")), "{cell}");
        }
        assert_eq!(
            text("<tr><td><b>a</b><td> <b>b</b><tr><td>x<td><pre>1\n2</pre>").as_deref(),
            Some("a\tb\nx\t1 2")
        );
        assert_eq!(text("<tr><th rowspan=2>a<td><div>1</div><tr><td>2").as_deref(), Some("a\t1\n2"));
        assert_eq!(text("<tr><td><th>b<tr><th>x<td>1").as_deref(), Some("\tb\nx\t1"));
    }

    #[test]
    fn a_grid_without_headers_needs_more_rows_and_short_cells() {
        let rows = |count: usize, cell: &str| format!("<tr><td>x<td><div>{cell}</div>").repeat(count);
        assert_eq!(text(&rows(3, "1")).as_deref(), Some("x\t1\nx\t1\nx\t1"));
        assert_eq!(text(&rows(2, "1")), None);
        assert_eq!(text(&rows(3, &"many words ".repeat(40))), None);
        assert_eq!(
            text(&"<tr><td>x<td>y".repeat(3).replace('y', &"words ".repeat(100))).map(|t| t.lines().count()),
            Some(3)
        );
    }

    #[test]
    fn a_grid_of_short_texts_is_one_block() {
        let is_block = |cell: &str| {
            first_table(&format!("<table><tr><th>a<th>b<tr><td>x<td><div>{cell}</div></table>"))
                .map(|t| t.is_block)
        };
        assert_eq!(is_block("some words"), Some(true));
        assert_eq!(is_block("<a>some words</a>"), Some(false));
        assert_eq!(is_block(&"some words ".repeat(20)), Some(false));
    }

    #[test]
    fn layout_is_no_data() {
        let header = "<tr><th>a<th>b";
        for rows in [
            "<tr><td>x<td><table><tr><td>y<td>z</table>",
            "<tr><td><div>x</div></td><td>y",
            &format!("{header}<tr><td>x<td><form>y</form>"),
            &format!("{header}<tr><td>x<td><table><tr><td><table><tr><td>y</table></table>"),
            &format!("{header}<tr><td><div>x</div><tr><td>y<tr><td>z"),
            &format!("{header}<tr><td>x<td><div>{}</div>", "words ".repeat(400)),
        ] {
            assert_eq!(text(rows), None, "{rows}");
        }
        assert!(
            first_table("<table role=presentation><tr><th>a<th>b<tr><td>x<td><div>y</div></table>").is_none()
        );
    }
}
