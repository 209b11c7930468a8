//! Gutters: the line numbers beside code, told by what elements are called and by what they
//! hold.

use super::dom::{Data, Dom, Element, NodeId};

/// Nodes of a gutter.
const NODES_MAX: usize = 1 << 14;
/// Parts of class names that say so.
const PARTS: [&str; 15] = [
    "LineN",
    "blob-num",
    "crayon-num",
    "gutter",
    "line-num",
    "lineN",
    "line_num",
    "linenr",
    "linenum",
    "lineno",
    "lines-num",
    "ln-n",
    "pre-numbering",
    "source-line-no",
    "tag_listingline",
];
/// Whole class names that say so within code.
const NAMES: [&str; 5] = ["ln", "lnt", "num", "number", "nu"];
/// What a style says of what is not copied with the code.
const NOT_SELECTED: [&str; 2] = ["user-select:none", "user-select: none"];
/// The line that an element is of: its number, or what stands in it.
const LINE_NUMBER: &str = "data-line-number";

/// How the names of lines begin within a page; those of sections and notes have numbers, too.
const LINE_PLACES: [&str; 5] = ["L", "l", "line", "line-", "t"];

/// Looks for gutters.
#[derive(Debug)]
pub(super) struct Gutters {
    /// Nodes that may still be looked at: elements within each other may all be called gutters.
    left: usize,
}

/// Nodes that are looked at in all.
const LOOKS_MAX: usize = 16 * NODES_MAX;

impl Default for Gutters {
    fn default() -> Self {
        Self { left: LOOKS_MAX }
    }
}

impl Gutters {
    /// Returns how many nodes were looked at.
    pub(super) fn looks(&self) -> usize {
        LOOKS_MAX - self.left
    }

    /// Returns true if all that is under a node is the numbers of lines, more than one.
    pub(super) fn counts_lines(&mut self, dom: &Dom, id: NodeId) -> bool {
        self.numbers(dom, id).is_some_and(|numbers| count_up(&numbers))
    }

    /// Returns true if all that is under a node that is called a gutter is the numbers of lines, or of the only one.
    pub(super) fn is_gutter(&mut self, dom: &Dom, id: NodeId) -> bool {
        self.numbers(dom, id).is_some_and(|numbers| numbers == [1] || count_up(&numbers))
    }

    /// Returns true if an element is called a gutter and holds numbers or nothing.
    pub(super) fn holds(&mut self, dom: &Dom, id: NodeId) -> bool {
        let Some(element) = dom.element(id) else {
            return false;
        };
        let line = element.attribute(LINE_NUMBER).or_else(|| line_of_link(element));
        let is_called_so = is_called_so(element);
        if !is_called_so && line.is_none() {
            return false;
        }
        let is_of_line = |numbers: &[u32]| match numbers {
            [] => element.attribute(LINE_NUMBER).is_some(),
            [number] => line.and_then(|line| line.trim().parse().ok()) == Some(*number),
            _ => false,
        };
        self.numbers(dom, id).is_some_and(|numbers| is_called_so || is_of_line(&numbers))
    }

    /// Returns the numbers that are all that is under a node; none if it holds anything else.
    pub(super) fn numbers(&mut self, dom: &Dom, id: NodeId) -> Option<Vec<u32>> {
        let mut numbers = Vec::new();
        let bound = self.left.min(NODES_MAX);
        for (count, node) in dom.walk(id).enumerate() {
            self.left = self.left.saturating_sub(1);
            if count >= bound {
                return None;
            }
            let Some(Data::Text(text)) = dom.node(node).map(|node| &node.data) else {
                continue;
            };
            for word in text.split(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '|')) {
                if !word.is_empty() {
                    numbers.push(word.parse().ok()?);
                }
            }
        }
        Some(numbers)
    }
}

/// Returns the number in the address of a link to a line of the page itself: `#L12`, `#t12`.
fn line_of_link(element: &Element) -> Option<&str> {
    let place = element.attribute("href").filter(|_| &*element.name.local == "a")?.strip_prefix('#')?;
    let digits = place.trim_start_matches(|c: char| !c.is_ascii_digit());
    LINE_PLACES.contains(&place.strip_suffix(digits)?).then_some(digits)
}

fn count_up(numbers: &[u32]) -> bool {
    numbers.len() > 1 && numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]))
}

/// Returns true if an element within code is called a gutter, or looks like one.
fn is_called_so(element: &Element) -> bool {
    element.attributes.iter().any(|attribute| match &*attribute.name.local {
        "class" => {
            is_name(&attribute.value)
                || attribute.value.split_ascii_whitespace().any(|name| NAMES.contains(&name))
        }
        // Numbers of lines in rustdoc's sources.
        "data-nosnippet" => true,
        "style" => NOT_SELECTED.iter().any(|style| attribute.value.contains(style)),
        _ => false,
    })
}

/// Returns true if class names say so wherever they are.
pub(super) fn is_name(names: &str) -> bool {
    PARTS.iter().any(|part| names.contains(part))
}

#[cfg(test)]
mod tests {
    use super::super::dom::ROOT;
    use super::super::parser;
    use super::*;

    fn is_gutter(html: &str) -> bool {
        let dom = parser::parse(html);
        let first = dom.walk(ROOT).find(|id| dom.tag(*id) == "span");
        first.is_some_and(|id| Gutters::default().holds(&dom, id))
    }

    #[test]
    fn gutters_are_called_so_and_hold_numbers() {
        assert!(is_gutter("<span class='x lineno'> 12 </span>"));
        assert!(is_gutter("<span class=hljs-ln-numbers><b></b></span>"));
        assert!(
            is_gutter("<span class=source-line-no>001</span>") && is_gutter("<span data-nosnippet>1</span>")
        );
        assert!(!is_gutter("<span data-nosnippet>1 apple</span>"));
        assert!(is_gutter("<span class=line-numbers><i>1</i><br><i>2:</i></span>"));
        assert!(is_gutter("<span style='color:#777;user-select:none'>12</span>"));
        assert!(
            is_gutter("<span data-line-number=12></span>")
                && is_gutter("<span data-line-number=12>12</span>")
        );
        assert!(!is_gutter("<span data-line-number=12>13</span>"), "a line of code");
        assert!(!is_gutter("<span class=x>12</span>"));
        let link = |html: &str| {
            let dom = parser::parse(html);
            let first = dom.walk(ROOT).find(|id| dom.tag(*id) == "a");
            first.is_some_and(|id| Gutters::default().holds(&dom, id))
        };
        assert!(link("<a id=t12 href='#t12'>12</a>") && !link("<a href='#t12'>13</a>"));
        assert!(!link("<a href='#t12'></a>") && !link("<a href='/12'>12</a>"));
        assert!(!is_gutter("<span class=line-numbers>12 x</span>"));
    }

    #[test]
    fn numbers_of_lines_count_up() {
        assert!(count_up(&[7, 8, 9]));
        assert!(!count_up(&[7]) && !count_up(&[1911, 1913]) && !count_up(&[u32::MAX, 0]));
    }
}
