//! The parser: text becomes an arena, by the algorithm of the HTML standard.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, parse_document};

use super::dom::{Data, Dom, Element, NONE, NodeId, ROOT};

/// Nodes after which the rest of a page is not read.
pub(super) const NODES_MAX: usize = 1 << 20;
/// Depth after which the rest of a page is not read: the algorithm looks through the open
/// elements again and again.
const DEPTH_MAX: u32 = 1 << 10;
/// Bytes given to the parser between two looks at these bounds.
const PIECE_BYTES: usize = 8 << 10;

/// Parses a page; beyond the bounds the rest of it is left out.
pub(super) fn parse(html: &str) -> Dom {
    let mut options = ParseOpts::default();
    // We run no scripts, so what is there for readers without them is ours to read.
    options.tree_builder.scripting_enabled = false;
    let mut parser = parse_document(Sink::new(), options);
    let mut rest = html;
    while !rest.is_empty() && !parser.tokenizer.sink.sink.is_full() {
        let mut length = rest.len().min(PIECE_BYTES);
        while !rest.is_char_boundary(length) {
            length += 1;
        }
        let (piece, after) = rest.split_at(length);
        parser.process(StrTendril::from_slice(piece));
        rest = after;
    }
    parser.finish()
}

/// A node as the tree builder knows it: elements with their name.
#[derive(Debug, Clone)]
struct Handle {
    id: NodeId,
    name: Option<Rc<QualName>>,
}

struct Sink {
    dom: RefCell<Dom>,
    templates: RefCell<BTreeMap<NodeId, NodeId>>,
    /// By node, its depth when it was put in its place.
    depths: RefCell<Vec<u32>>,
    too_deep: Cell<bool>,
    /// What the tree builder is told of a node without a name, which it never asks for.
    nameless: QualName,
}

impl Sink {
    fn new() -> Self {
        let mut dom = Dom::default();
        dom.add(Data::Other);
        let local = html5ever::local_name!("");
        Self {
            dom: RefCell::new(dom),
            templates: RefCell::default(),
            depths: RefCell::new(vec![0]),
            too_deep: Cell::new(false),
            nameless: QualName::new(None, html5ever::ns!(), local),
        }
    }

    fn is_full(&self) -> bool {
        self.too_deep.get() || self.dom.borrow().nodes.len() >= NODES_MAX
    }

    fn add(&self, data: Data) -> Handle {
        let id = self.dom.borrow_mut().add(data);
        Handle { id, name: None }
    }

    /// Puts a node or text where `place` says; text is joined to a text node before it.
    fn insert(&self, before: NodeId, child: NodeOrText<Handle>, place: impl FnOnce(&mut Dom, NodeId)) {
        let mut dom = self.dom.borrow_mut();
        let id = match child {
            NodeOrText::AppendText(text) if dom.extend_text(before, &text) => return,
            NodeOrText::AppendText(text) => dom.add(Data::Text(text)),
            NodeOrText::AppendNode(node) => {
                dom.detach(node.id);
                node.id
            }
        };
        place(&mut dom, id);
        let parent = dom.node(id).map_or(NONE, |node| node.parent);
        self.deepen(parent, id);
    }

    /// Notes how deep a node is under its parent.
    fn deepen(&self, parent: NodeId, id: NodeId) {
        let mut depths = self.depths.borrow_mut();
        let depth = depths.get(parent as usize).map_or(0, |depth| depth + 1);
        if depths.len() <= id as usize {
            depths.resize(id as usize + 1, 0);
        }
        if let Some(known) = depths.get_mut(id as usize) {
            *known = depth;
        }
        if depth > DEPTH_MAX {
            self.too_deep.set(true);
        }
    }

    fn last_child(&self, parent: NodeId) -> NodeId {
        self.dom.borrow().node(parent).map_or(NONE, |node| node.last_child)
    }

    fn has_parent(&self, id: NodeId) -> bool {
        self.dom.borrow().node(id).is_some_and(|node| node.parent != NONE)
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Dom;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Dom {
        self.dom.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn get_document(&self) -> Handle {
        Handle { id: ROOT, name: None }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.as_deref().unwrap_or(&self.nameless).expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let shared = Rc::new(name.clone());
        let handle = self.add(Data::Element(Element { name, attributes }));
        if flags.template {
            let content = self.add(Data::Other);
            self.templates.borrow_mut().insert(handle.id, content.id);
        }
        Handle { id: handle.id, name: Some(shared) }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.add(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.add(Data::Other)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let parent = parent.id;
        self.insert(self.last_child(parent), child, |dom, id| dom.append(parent, id));
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        match self.has_parent(element.id) {
            true => self.append_before_sibling(element, child),
            false => self.append(previous, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let content = self.templates.borrow().get(&target.id).copied();
        let id = content.unwrap_or(target.id);
        if id != target.id {
            self.deepen(target.id, id);
        }
        Handle { id, name: None }
    }

    fn same_node(&self, a: &Handle, b: &Handle) -> bool {
        a.id == b.id
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let sibling = sibling.id;
        let before = self.dom.borrow().node(sibling).map_or(NONE, |node| node.previous);
        self.insert(before, child, |dom, id| dom.insert_before(sibling, id));
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        let mut dom = self.dom.borrow_mut();
        let node = dom.nodes.get_mut(target.id as usize);
        if let Some(Data::Element(element)) = node.map(|node| &mut node.data) {
            for attribute in attributes {
                if !element.attributes.iter().any(|known| known.name == attribute.name) {
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.dom.borrow_mut().detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut dom = self.dom.borrow_mut();
        let children: Vec<NodeId> = dom.children(node.id).collect();
        for child in children {
            dom.detach(child);
            dom.append(new_parent.id, child);
        }
    }
}
