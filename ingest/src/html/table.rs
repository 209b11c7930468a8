//! Tables of data: read as one, told from tables that are layout.
//!
//! A table of short plain cells is data. Blocks, images, long texts and tables within cells
//! are found in layout as well as in data: there it is the shape that tells, a grid with
//! headers or with many rows. Of a grid of short texts the whole is judged, as one block; of
//! one that holds prose the blocks are, since they may be all that a page has.

use super::dom::{Data, Dom, NodeId};
use super::slots::{self, Line, Row};

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
/// Elements that show that a table is layout.
const LAYOUT_TAGS: [&str; 6] = ["article", "aside", "footer", "form", "main", "nav"];
/// Elements that do so unless the table has headers.
const FRAME_TAGS: [&str; 4] = ["blockquote", "h1", "pre", "section"];
/// Elements that may be part of layout.
const BLOCK_TAGS: [&str; 9] = ["div", "h2", "h3", "h4", "h5", "h6", "img", "ol", "ul"];

/// A table's text, columns separated by tabs and rows by newlines, and what it consists of.
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
    rows: Vec<Row>,
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
    if is_unmade(dom, id) {
        return None;
    }
    let parts = Parts::of(dom, id)?;
    if parts.rows.iter().all(|row| row.cells.len() < 2) {
        return None;
    }
    let grid = slots::lines(dom, &parts.rows);
    let mut lines = Vec::with_capacity(grid.len());
    let (mut longest, mut cells, mut chars) = (0, 0, 0);
    for row in &grid {
        let (mut line, mut at) = (String::new(), 0);
        for (node, column) in &row.cells {
            let text = dom.text(*node, NODES_MAX);
            let own = text.chars().count();
            (longest, chars) = (longest.max(own), chars + own);
            cells += usize::from(own > 0);
            if longest > LONG_CELL_CHARS_MAX {
                return None;
            }
            line.extend(std::iter::repeat_n('\t', column - at));
            line.push_str(&text);
            at = *column;
        }
        lines.push(line);
    }
    let is_plain = !parts.has_blocks && !parts.has_frames && parts.tables == 0 && longest <= CELL_CHARS_MAX;
    if !is_plain && !parts.is_grid(&grid, longest, (cells, chars)) {
        return None;
    }
    let is_of_links = parts.link_chars as usize * 2 > chars;
    let is_block = is_plain || (chars <= cells * SHORT_CELL_CHARS_MAX && !is_of_links);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    let chars = chars_of(&text);
    let Parts { caption, images, links, link_chars, .. } = parts;
    let link_chars = link_chars.min(chars);
    (chars > 0).then_some(Table { text, is_block, caption, images, chars, link_chars, links })
}

impl Parts {
    /// Gathers them; none where one shows that the table is layout.
    fn of(dom: &Dom, id: NodeId) -> Option<Self> {
        let mut parts = Self::default();
        let by_role = dom.tag(id) != "table";
        let [mut cell, mut link, mut table] = [Span::default(), Span::default(), Span::default()];
        // Of nested cells, links and tables the outer ones count. A table within a table within
        // a table is layout, so that no text is read more than three times.
        for (count, node) in dom.walk(id).enumerate().skip(1) {
            let tag = dom.tag(node);
            if LAYOUT_TAGS.contains(&tag) || count > NODES_MAX {
                return None;
            }
            cell.pass(node);
            link.pass(node);
            table.pass(node);
            let part = part(dom, node, tag, by_role);
            if part == Part::Table && table.is_open {
                return None;
            }
            match (part, parts.rows.last_mut()) {
                (Part::Table, _) => {
                    parts.tables += 1;
                    table = Span::of(dom, node, id);
                }
                (Part::Row, _) if !table.is_open => {
                    let group = dom.node(node).map_or(id, |row| row.parent);
                    parts.rows.push(Row { group, cells: Vec::new() });
                }
                (Part::Cell | Part::Header, Some(row)) if !cell.is_open => {
                    parts.has_headers |= part == Part::Header;
                    row.cells.push(node);
                    cell = Span::of(dom, node, id);
                }
                (Part::Caption, _) if !table.is_open => {
                    parts.caption = parts.caption.or(Some(node));
                }
                _ => {}
            }
            match tag {
                "a" => {
                    parts.links += 1;
                    if !link.is_open {
                        link = Span::of(dom, node, id);
                    }
                }
                "img" => parts.images.push(node),
                _ => {}
            }
            // What a table is made of is no block within it.
            if !by_role || (part == Part::Other && cell.is_open) {
                parts.has_blocks |= BLOCK_TAGS.contains(&tag);
                parts.has_frames |= FRAME_TAGS.contains(&tag);
            }
            if let (true, Some(Data::Text(text))) = (link.is_open, dom.node(node).map(|node| &node.data)) {
                parts.link_chars += chars_of(text);
            }
        }
        // Wherever they stand, rows of feet come last.
        parts.rows.sort_by_key(|row| dom.tag(row.group) == "tfoot");
        parts.has_headers |= parts.rows.first().is_some_and(|row| is_bold(dom, &row.cells));
        Some(parts)
    }

    /// Returns true if the cells make a grid such as layout does not; of those that hold text
    /// the number is given, and of characters that of the longest and of all.
    fn is_grid(&self, grid: &[Line], longest: usize, (cells, chars): (usize, usize)) -> bool {
        let widths: Vec<usize> =
            grid.iter().filter(|row| !row.cells.is_empty()).map(|row| row.width).collect();
        let width = widths.iter().copied().max().unwrap_or(0);
        let regular = widths.iter().filter(|own| **own == width).count();
        if width < 2 || widths.len() < 2 || regular * 4 < widths.len() * 3 {
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

/// What an element is to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Table,
    Row,
    Cell,
    Header,
    Caption,
    Other,
}

/// Tells by an element's tag, or in a table of other elements by its role, what it is to the table.
fn part(dom: &Dom, id: NodeId, tag: &str, by_role: bool) -> Part {
    match tag {
        // Its rows and cells may be those of the table around it.
        "table" if by_role && is_unmade(dom, id) => Part::Other,
        _ if is_table(dom, id) => Part::Table,
        _ if by_role => match role(dom, id) {
            "row" => Part::Row,
            "cell" | "gridcell" => Part::Cell,
            "columnheader" | "rowheader" => Part::Header,
            _ => Part::Other,
        },
        "tr" => Part::Row,
        "td" => Part::Cell,
        "th" => Part::Header,
        "caption" => Part::Caption,
        _ => Part::Other,
    }
}

/// Returns true for tables, by their tag or their role (WAI-ARIA).
pub(super) fn is_table(dom: &Dom, id: NodeId) -> bool {
    dom.tag(id) == "table" || matches!(role(dom, id), "table" | "grid" | "treegrid")
}

/// Returns true for elements that their role says to be nothing.
fn is_unmade(dom: &Dom, id: NodeId) -> bool {
    matches!(role(dom, id), "presentation" | "none")
}

/// Returns the role of an element, the first if it states several.
fn role(dom: &Dom, id: NodeId) -> &str {
    let stated = dom.element(id).and_then(|element| element.attribute("role"));
    stated.and_then(|roles| roles.split_ascii_whitespace().next()).unwrap_or_default()
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
        assert_eq!(text("<tr><th rowspan=2>a<td><div>1</div><tr><td>2").as_deref(), Some("a\t1\n\t2"));
        assert_eq!(text("<tr><td><th>b<tr><th>x<td>1").as_deref(), Some("\tb\nx\t1"));
    }

    #[test]
    fn cells_stand_in_their_columns_whatever_those_before_them_span() {
        let years = "<tr><th rowspan=2>City<th colspan=2>People<tr><th>2010<th>2020<tr><td>Ulm<td>1<td>2";
        assert_eq!(text(years).as_deref(), Some("City\tPeople\n\t2010\t2020\nUlm\t1\t2"));
        let weeks = "<tr><td>1<td rowspan=2>x<td>2<tr><td>3<td>4<tr><td colspan=2>5<td>6";
        assert_eq!(text(weeks).as_deref(), Some("1\tx\t2\n3\t\t4\n5\t\t6"));
        let feet = "<thead><tr><th>a<th>b<tfoot><tr><td>sum<td>3<tbody><tr><td>x<td>3";
        assert_eq!(text(feet).as_deref(), Some("a\tb\nx\t3\nsum\t3"));
    }

    #[test]
    fn a_table_of_spans_is_no_larger_than_its_page() {
        let cells = "<td rowspan=65534 colspan=1000>a".repeat(2_000);
        let html = format!("<table><tr>{cells}{}</table>", "<tr><td>b".repeat(4_000));
        assert!(first_table(&html).is_some_and(|table| table.text.len() < html.len()));
    }

    #[test]
    fn roles_make_tables_of_other_elements_and_unmake_tables() {
        let cell = |role: &str, text: &str| format!("<div role={role}><span>{text}</span></div>");
        let row = |cells: &str| format!("<div role=rowgroup><div role=row class=x>{cells}</div></div>");
        let rows = [
            row(&(cell("columnheader", "k") + &cell("columnheader", "v"))),
            row(&(cell("rowheader", "a") + &cell("cell", "1"))),
            row("<div role=gridcell aria-colspan=2>whole</div>"),
        ];
        let found = |html: &str| {
            let dom = parser::parse(html);
            let table = dom.walk(ROOT).find(|id| is_table(&dom, *id))?;
            read(&dom, table).map(|table| table.text)
        };
        for role in ["table", "grid", "'treegrid list'"] {
            let html = format!("<div role={role}><div>{}</div></div>", rows.concat());
            assert_eq!(found(&html).as_deref(), Some("k\tv\na\t1\nwhole"), "{role}");
        }
        assert_eq!(found(&format!("<div role=list>{}</div>", rows.concat())), None);
        let cards = row(&cell("gridcell", "<div>a card</div>").repeat(2));
        assert_eq!(found(&format!("<div role=grid>{cards}</div>")), None, "a grid of boxes is layout");
        let within = "<table role=presentation><tr role=row><td role=gridcell>x<td role=gridcell>y</table>";
        assert_eq!(found(&format!("<div role=grid>{within}{within}</div>")).as_deref(), Some("x\ty\nx\ty"));
        for role in ["presentation", "none"] {
            assert_eq!(found(&format!("<table role={role}><tr><td>x<td>y<tr><td>z<td>w</table>")), None);
        }
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
    }
}
