//! The plain page: what has a better reading than its nodes' own text is replaced, once, so
//! that whoever reads a text later need not know of it.
//!
//! ```text
//! hidden     what the page hides is left out
//! ruby       readings are left out, or put in parentheses
//! formula    a formula in several notations becomes one
//! custom     elements that pages define themselves become inline in the middle of a text
//! ```

use super::custom;
use super::dom::{Data, Dom, NodeId, ROOT};
use super::formula::Formulas;
use super::hidden;
use super::ruby::{self, Ruby};

/// Simplifies a page.
pub(super) fn simplify(dom: &mut Dom, ruby: Ruby) {
    hidden::leave_out(dom);
    let mut formulas = Formulas::default();
    let mut next = Some(ROOT);
    while let Some(id) = next {
        // What was replaced is passed by, with all that was in it.
        let child = match simplified(dom, id, ruby, &mut formulas) {
            Some(replaced) => Err(replaced),
            None => dom.node(id).map(|node| node.first_child).filter(|c| dom.node(*c).is_some()).ok_or(id),
        };
        next = child.map_or_else(|id| dom.behind(id, ROOT), Some);
    }
}

/// Simplifies an element; returns the node that needs not be entered, itself or one around it.
fn simplified(dom: &mut Dom, id: NodeId, ruby: Ruby, formulas: &mut Formulas) -> Option<NodeId> {
    let Some(Data::Element(element)) = dom.node(id).map(|node| &node.data) else {
        return None;
    };
    let tag = &element.name.local;
    if ruby::is_annotation(tag) {
        return ruby::simplify(dom, id, ruby).then_some(id);
    }
    let is_custom = custom::is_custom(tag);
    let replaced = formulas.simplify(dom, id);
    if replaced.is_none() && is_custom && custom::is_inline(dom, id) {
        custom::make_inline(dom, id);
    }
    replaced
}
