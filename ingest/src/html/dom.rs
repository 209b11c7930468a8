//! The arena: a page's nodes by index, with links to parents and siblings.

use std::collections::HashSet;

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, QualName};

use super::collapsed::Collapsed;
use super::tag::{is_block, is_skipped};

/// Index of a node.
pub(super) type NodeId = u32;
/// Stands for no node.
pub(super) const NONE: NodeId = NodeId::MAX;
/// The document itself.
pub(super) const ROOT: NodeId = 0;

/// A parsed page.
#[derive(Debug, Default)]
pub(super) struct Dom {
    pub(super) nodes: Vec<Node>,
    /// Blocks that the page hides.
    pub(super) hidden: HashSet<NodeId>,
    /// Whether the rest of the page was not read, because it cost too much.
    pub(super) is_cut: bool,
}

/// One node with its links.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    pub(super) parent: NodeId,
    pub(super) first_child: NodeId,
    pub(super) last_child: NodeId,
    pub(super) previous: NodeId,
    pub(super) next: NodeId,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Data {
    Element(Element),
    Text(StrTendril),
    /// The document, a comment, the content of a template: nothing that has text of its own.
    Other,
}

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: QualName,
    pub(super) attributes: Vec<Attribute>,
}

impl Element {
    /// Returns an attribute's value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|a| &*a.name.local == name);
        attribute.map(|attribute| &*attribute.value)
    }
}

impl Dom {
    pub(super) fn add(&mut self, data: Data) -> NodeId {
        self.nodes.push(Node {
            data,
            parent: NONE,
            first_child: NONE,
            last_child: NONE,
            previous: NONE,
            next: NONE,
        });
        // The parser stops long before 2^32 nodes.
        (self.nodes.len() - 1) as NodeId
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    pub(super) fn element(&self, id: NodeId) -> Option<&Element> {
        match &self.node(id)?.data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    /// Returns an element's tag, or nothing for any other node.
    pub(super) fn tag(&self, id: NodeId) -> &str {
        self.element(id).map_or("", |element| &*element.name.local)
    }

    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let first = self.node(id).map_or(NONE, |node| node.first_child);
        std::iter::successors(Some(first), |id| self.node(*id).map(|node| node.next))
            .take_while(|id| *id != NONE)
    }

    /// Walks the nodes from one on, parents before children, in document order.
    pub(super) fn walk(&self, from: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(from), move |id| match self.node(*id)?.first_child {
            NONE => self.behind(*id, from),
            child => Some(child),
        })
    }

    /// Returns the first node in document order that is within another, but not within this one
    /// and not before it.
    pub(super) fn behind(&self, id: NodeId, within: NodeId) -> Option<NodeId> {
        let mut id = id;
        while id != within {
            let node = self.node(id)?;
            if node.next != NONE {
                return Some(node.next);
            }
            id = node.parent;
        }
        None
    }

    /// Returns the text under a node in one line, at most so many nodes of it.
    pub(super) fn text(&self, from: NodeId, nodes_max: usize) -> String {
        let mut text = Collapsed::default();
        let mut next = Some(from);
        for _ in 0..nodes_max {
            let Some(id) = next else { break };
            let node = self.node(id);
            let mut child = node.map_or(NONE, |node| node.first_child);
            match node.map(|node| &node.data) {
                Some(Data::Text(piece)) => {
                    text.push(piece);
                }
                Some(Data::Element(element)) if id != from => match &*element.name.local {
                    tag if is_skipped(tag) => child = NONE,
                    tag if tag == "br" || is_block(tag) => text.space(),
                    _ => {}
                },
                _ => {}
            }
            next = if child == NONE { self.behind(id, from) } else { Some(child) };
        }
        text.take()
    }

    /// Takes a node out of its place.
    pub(super) fn detach(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(id as usize) else {
            return;
        };
        let (parent, previous, next) = (node.parent, node.previous, node.next);
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
        match self.nodes.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => self.with(parent, |parent| parent.first_child = next),
        }
        match self.nodes.get_mut(next as usize) {
            Some(next) => next.previous = previous,
            None => self.with(parent, |parent| parent.last_child = previous),
        }
    }

    /// Puts a detached node last under a parent.
    pub(super) fn append(&mut self, parent: NodeId, id: NodeId) {
        let last = self.node(parent).map_or(NONE, |node| node.last_child);
        self.with(id, |node| (node.parent, node.previous) = (parent, last));
        self.with(parent, |node| node.last_child = id);
        match last {
            NONE => self.with(parent, |node| node.first_child = id),
            last => self.with(last, |node| node.next = id),
        }
    }

    /// Puts a detached node before another.
    pub(super) fn insert_before(&mut self, sibling: NodeId, id: NodeId) {
        let Some(node) = self.node(sibling) else {
            return;
        };
        let (parent, previous) = (node.parent, node.previous);
        self.with(id, |node| {
            (node.parent, node.previous, node.next) = (parent, previous, sibling);
        });
        self.with(sibling, |node| node.previous = id);
        match previous {
            NONE => self.with(parent, |node| node.first_child = id),
            previous => self.with(previous, |node| node.next = id),
        }
    }

    /// Makes a node another one, without children.
    pub(super) fn replace(&mut self, id: NodeId, data: Data) {
        self.with(id, |node| {
            (node.data, node.first_child, node.last_child) = (data, NONE, NONE);
        });
    }

    /// Adds text to a text node; false where it is another node.
    pub(super) fn extend_text(&mut self, id: NodeId, more: &str) -> bool {
        match self.nodes.get_mut(id as usize).map(|node| &mut node.data) {
            Some(Data::Text(text)) => {
                text.push_slice(more);
                true
            }
            _ => false,
        }
    }

    fn with(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            change(node);
        }
    }
}
