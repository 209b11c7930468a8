//! Custom elements: the names of those that pages define themselves have a hyphen. What they
//! are like is said by style sheets and scripts that are not read, so that it is told by
//! where they stand: in the middle of a text they are inline, elsewhere blocks.

use html5ever::{LocalName, local_name};

use super::dom::{Data, Dom, NodeId};
use super::tag::is_standard_block;

/// Elements that hold a line of text.
const TEXTS: [&str; 26] = [
    "a",
    "abbr",
    "b",
    "caption",
    "cite",
    "code",
    "dd",
    "dt",
    "em",
    "figcaption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "li",
    "p",
    "q",
    "small",
    "span",
    "strong",
    "td",
    "th",
    "u",
];
/// Nodes of an inline element.
const NODES_MAX: usize = 32;
/// Nodes beside it that are looked at for text, each way.
const NEIGHBOURS_MAX: usize = 8;

/// Returns true if pages define the element themselves.
pub(super) fn is_custom(tag: &str) -> bool {
    tag.contains('-')
}

/// Returns true if a custom element is part of a line of text: it holds no block, and is in
/// an element of text or beside text.
pub(super) fn is_inline(dom: &Dom, id: NodeId) -> bool {
    let within = || dom.walk(id).skip(1).take(NODES_MAX + 1);
    if within().count() > NODES_MAX || within().any(|id| is_standard_block(dom.tag(id))) {
        return false;
    }
    let parent = dom.node(id).map_or("", |node| dom.tag(node.parent));
    TEXTS.contains(&parent) || is_beside_text(dom, id)
}

fn is_beside_text(dom: &Dom, id: NodeId) -> bool {
    let Some((before, behind)) = dom.node(id).map(|node| (node.previous, node.next)) else {
        return false;
    };
    let back = std::iter::successors(Some(before), |id| dom.node(*id).map(|node| node.previous));
    let on = std::iter::successors(Some(behind), |id| dom.node(*id).map(|node| node.next));
    has_text(dom, back) || has_text(dom, on)
}

/// Returns true if the first of some siblings that is no inline element is text.
fn has_text(dom: &Dom, siblings: impl Iterator<Item = NodeId>) -> bool {
    for id in siblings.take(NEIGHBOURS_MAX) {
        match dom.node(id).map(|node| &node.data) {
            Some(Data::Text(text)) if !text.trim().is_empty() => return true,
            Some(Data::Element(element)) => {
                let tag = &*element.name.local;
                if tag == "br" || is_standard_block(tag) {
                    return false;
                }
            }
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// Makes an element inline, whatever its name.
pub(super) fn make_inline(dom: &mut Dom, id: NodeId) {
    let Some(Data::Element(element)) = dom.nodes.get_mut(id as usize).map(|node| &mut node.data) else {
        return;
    };
    let inline: LocalName = local_name!("span");
    element.name.local = inline;
}

#[cfg(test)]
mod tests {
    use super::super::outline::Outline;
    use super::super::ruby::Ruby;
    use super::super::{parser, plain};

    fn blocks(html: &str) -> Vec<String> {
        let mut dom = parser::parse(html);
        plain::simplify(&mut dom, Ruby::Base);
        Outline::of(&dom).blocks.into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn custom_elements_within_a_text_do_not_break_it() {
        assert_eq!(blocks("<p>by <x-a>b</x-a><x-c><i>d</i></x-c>, e</p>"), ["by bd, e"]);
        assert_eq!(blocks("<div>by <x-a>b</x-a> <b>c</b> <x-d>d</x-d></div>"), ["by b c d"]);
        assert_eq!(blocks("<ul><li><x-a>b</x-a> <x-a>c</x-a></ul>"), ["b c"]);
    }

    #[test]
    fn custom_elements_elsewhere_are_blocks() {
        assert_eq!(blocks("<div><x-a>b</x-a><x-a>c</x-a></div>"), ["b", "c"]);
        assert_eq!(blocks("<div>a<x-a><p>b</p></x-a>c</div>"), ["a", "b", "c"]);
        assert_eq!(blocks("<div>a<br><x-a>b</x-a><p>c</div>"), ["a", "b", "c"]);
    }
}
