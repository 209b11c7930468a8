//! Slots: the columns in which the cells of a table stand (WHATWG HTML, "forming a table").
//!
//! A cell takes the first slot of its row that no cell of an earlier row reaches into, and as many as it spans. A
//! column in which no cell begins holds nothing of its own, and does not count: `colspan=1000` is how pages say "the
//! whole row". Cost and size are bounded by the number of cells, whatever their spans are.

use super::dom::{Dom, NodeId};

/// Columns that a cell spans at most, and rows: the standard's bounds.
const COLUMNS_MAX: usize = 1_000;
const ROWS_MAX: usize = 65_534;
/// Slots per cell, on average, that cells of earlier rows reach into or that stay empty before a cell. Spans of a table
/// with more are not believed.
const SLOTS_PER_CELL_MAX: usize = 16;

/// A row as the page has it.
#[derive(Debug)]
pub(super) struct Row {
    /// The element that groups it with others: no cell reaches out of it.
    pub(super) group: NodeId,
    pub(super) cells: Vec<NodeId>,
}

/// A row of the grid.
#[derive(Debug)]
pub(super) struct Line {
    /// Its cells, with their columns.
    pub(super) cells: Vec<(NodeId, usize)>,
    /// Columns up to the end of its last cell, those included that earlier rows reach into.
    pub(super) width: usize,
}

/// The slots of a row from one on to the one before another.
#[derive(Debug, Clone, Copy)]
struct Slots {
    begin: usize,
    end: usize,
    /// Rows that they still reach into.
    rows: usize,
}

/// Returns the rows with the columns of their cells, in the same order.
pub(super) fn lines(dom: &Dom, rows: &[Row]) -> Vec<Line> {
    spanned(dom, rows).unwrap_or_else(|| {
        let line =
            |row: &Row| Line { cells: row.cells.iter().copied().zip(0..).collect(), width: row.cells.len() };
        rows.iter().map(line).collect()
    })
}

/// Places cells by their spans; none where these are beyond belief.
fn spanned(dom: &Dom, rows: &[Row]) -> Option<Vec<Line>> {
    let cells: usize = rows.iter().map(|row| row.cells.len()).sum();
    let mut left = cells * SLOTS_PER_CELL_MAX;
    let mut spend = |slots: usize| {
        let enough = left.checked_sub(slots);
        left = enough.unwrap_or_default();
        enough.map(|_| ())
    };
    let mut lines = Vec::with_capacity(rows.len());
    let mut begins = Vec::with_capacity(cells);
    let mut reaching: Vec<Slots> = Vec::new();
    let mut group = None;
    for row in rows {
        if group.replace(row.group) != Some(row.group) {
            reaching.clear();
        }
        spend(reaching.len())?;
        let own = place(dom, &row.cells, &reaching);
        begins.extend(own.iter().map(|slots| slots.begin));
        let width = reaching.iter().chain(&own).map(|slots| slots.end).max().unwrap_or_default();
        let begun = own.iter().map(|slots| slots.begin);
        lines.push(Line { cells: row.cells.iter().copied().zip(begun).collect(), width });
        reaching.extend(own);
        reaching.retain_mut(|slots| {
            slots.rows -= 1;
            slots.rows > 0
        });
        // Two sorted sequences.
        reaching.sort_by_key(|slots| slots.begin);
    }
    begins.sort_unstable();
    begins.dedup();
    let column = |slot: usize| begins.partition_point(|begin| *begin < slot);
    for line in &mut lines {
        line.width = column(line.width);
        line.cells.iter_mut().for_each(|(_, slot)| *slot = column(*slot));
        spend(line.cells.last().map_or(0, |(_, last)| *last))?;
    }
    Some(lines)
}

/// Returns the slots of a row's cells, between those that cells of earlier rows reach into.
fn place(dom: &Dom, cells: &[NodeId], reaching: &[Slots]) -> Vec<Slots> {
    let mut reaching = reaching.iter().peekable();
    let mut begin = 0;
    let mut own = Vec::with_capacity(cells.len());
    for cell in cells {
        while let Some(before) = reaching.next_if(|slots| slots.begin <= begin) {
            begin = begin.max(before.end);
        }
        let columns = span(dom, *cell, ["colspan", "aria-colspan"]).filter(|columns| *columns > 0);
        let end = begin + columns.unwrap_or(1).min(COLUMNS_MAX);
        let rows = match span(dom, *cell, ["rowspan", "aria-rowspan"]) {
            // To the end of its group.
            Some(0) => usize::MAX,
            rows => rows.unwrap_or(1).min(ROWS_MAX),
        };
        own.push(Slots { begin, end, rows });
        begin = end;
    }
    own
}

/// Returns the number that the first of these attributes states, as the standard reads one (WHATWG HTML, "rules for
/// parsing non-negative integers").
fn span(dom: &Dom, cell: NodeId, names: [&str; 2]) -> Option<usize> {
    let element = dom.element(cell)?;
    let text = names.iter().find_map(|name| element.attribute(name))?.trim_ascii_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeSet, HashSet};

    /// Returns the columns of each row's cells, with its width; rows of two groups.
    fn placed(html: &str) -> Vec<(Vec<usize>, usize)> {
        let dom = parser::parse(&format!("<table>{html}</table>"));
        let rows = dom.walk(ROOT).filter(|id| dom.tag(*id) == "tr");
        let row = |id: NodeId| Row {
            group: dom.node(id).map_or(ROOT, |row| row.parent),
            cells: dom.children(id).filter(|id| matches!(dom.tag(*id), "td" | "th")).collect(),
        };
        let lines = lines(&dom, &rows.map(row).collect::<Vec<_>>()).into_iter();
        lines.map(|line| (line.cells.iter().map(|(_, column)| *column).collect(), line.width)).collect()
    }

    #[test]
    fn cells_stand_behind_those_that_reach_into_their_row() {
        for (html, expected) in [
            ("<tr><td rowspan=2>a<td>b<tr><td>c", vec![(vec![0, 1], 2), (vec![1], 2)]),
            (
                "<tr><td>a<td rowspan=3>b<td>c<tr><td>d<td>e<tr><td>f<tr><td>g<td>h<td>i",
                vec![(vec![0, 1, 2], 3), (vec![0, 2], 3), (vec![0], 2), (vec![0, 1, 2], 3)],
            ),
            (
                "<tr><td colspan=2 rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e<td>f",
                vec![(vec![0, 2], 3), (vec![2], 3), (vec![0, 1, 2], 3)],
            ),
            // The second cell of the second row lies over the third of the first.
            (
                "<tr><td>a<td>b<td rowspan=2>c<td>d<tr><td>e<td colspan=2>f<td>g",
                vec![(vec![0, 1, 2, 3], 4), (vec![0, 1, 3], 4)],
            ),
            // A row without cells is one, too.
            (
                "<tr><td rowspan=2>a<td>b<tr></tr><tr><td>c<td>d",
                vec![(vec![0, 1], 2), (vec![], 1), (vec![0, 1], 2)],
            ),
        ] {
            assert_eq!(placed(html), expected, "{html}");
        }
    }

    #[test]
    fn no_cell_reaches_out_of_its_group_and_zero_reaches_to_its_end() {
        let groups = "<tbody><tr><td rowspan=9>a<td>b<tbody><tr><td>c<td>d";
        assert_eq!(placed(groups), [(vec![0, 1], 2), (vec![0, 1], 2)]);
        let all = "<tbody><tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d<tbody><tr><td>e<td>f";
        assert_eq!(placed(all), [(vec![0, 1], 2), (vec![1], 2), (vec![1], 2), (vec![0, 1], 2)]);
    }

    #[test]
    fn columns_in_which_no_cell_begins_do_not_count() {
        let whole = "<tr><td colspan=1000>a<tr><td>b<td>c<tr><td colspan=99999>d<tr><td colspan=0>e<td>f";
        assert_eq!(placed(whole), [(vec![0], 2), (vec![0, 1], 2), (vec![0], 2), (vec![0, 1], 2)]);
        let twelfths = "<tr><td colspan=4>a<td colspan=8>b<tr><td colspan=' +4px'>c<td colspan=-1>d";
        assert_eq!(placed(twelfths), [(vec![0, 1], 2), (vec![0, 1], 2)]);
    }

    /// Forms a table slot by slot, as the standard says; returns the columns of each row's cells.
    fn formed(rows: &[Vec<(usize, usize)>]) -> Vec<Vec<usize>> {
        let mut taken = HashSet::new();
        let mut formed: Vec<Vec<usize>> = Vec::new();
        for (y, cells) in rows.iter().enumerate() {
            let mut x = 0;
            let mut columns = Vec::new();
            for (colspan, rowspan) in cells {
                while taken.contains(&(x, y)) {
                    x += 1;
                }
                columns.push(x);
                let below = if *rowspan == 0 { y..rows.len() } else { y..y + rowspan };
                taken.extend(below.flat_map(|y| (x..x + colspan).map(move |x| (x, y))));
                x += colspan;
            }
            formed.push(columns);
        }
        let begins: BTreeSet<usize> = formed.iter().flatten().copied().collect();
        let column = |slot: usize| begins.range(..slot).count();
        formed.into_iter().map(|row| row.into_iter().map(column).collect()).collect()
    }

    proptest! {
        #[test]
        fn cells_stand_where_the_standard_puts_them(
            rows in proptest::collection::vec(proptest::collection::vec((1_usize..4, 0_usize..4), 0..5), 1..7),
        ) {
            let cell = |(columns, rows): &(usize, usize)| format!("<td colspan={columns} rowspan={rows}>a");
            let row = |cells: &Vec<(usize, usize)>| format!("<tr>{}</tr>", cells.iter().map(cell).collect::<String>());
            let html: String = rows.iter().map(row).collect();
            let found: Vec<Vec<usize>> = placed(&html).into_iter().map(|(columns, _)| columns).collect();
            prop_assert_eq!(found, formed(&rows));
        }
    }

    #[test]
    fn spans_beyond_belief_are_none() {
        let wide = "<td rowspan=65534 colspan=1000>a".repeat(4_000);
        let tall = "<tr><td>b".repeat(4_000);
        let lines = placed(&format!("<tr>{wide}{tall}"));
        assert_eq!(lines.len(), 4_001);
        assert_eq!((lines[0].1, &lines[4_000]), (4_000, &(vec![0], 1)));
        let empty = placed(&format!("<tr>{wide}{}", "<tr></tr>".repeat(4_000)));
        assert_eq!((empty[0].1, empty[4_000].1), (4_000, 0));
    }
}
