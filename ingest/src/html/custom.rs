//! Custom elements: the names of those that pages define themselves have a hyphen. What they
//! are like is said by style sheets and scripts that are not read, so that it is told by
//! where they stand: in the middle of a text they are inline, elsewhere blocks.

use html5ever::{LocalName, local_name};

use super::dom::{Data, Dom, NodeId};
use super::tag::is_standard_block;

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
    let is_in_text = matches!(
        parent,
        "p" | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "a"
            | "abbr"
            | "b"
            | "cite"
            | "code"
            | "em"
            | "i"
            | "q"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "u"
    );
    is_in_text || is_beside_text(dom, id)
}

fn is_beside_text(dom: &Dom, id: NodeId) -> bool {
    let mut node = dom.node(id).map(|node| (node.previous, node.next));
    let (Some((before, behind)), false) = (node.take(), node.is_some()) else {
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
