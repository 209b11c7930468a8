//! The sink: what the tree builder makes becomes nodes of the arena.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, ExpandedName, QualName};

use super::dom::{Data, Dom, Element, NONE, NodeId, ROOT};
use super::shadow;

/// Nodes after which the rest of a page is not read.
pub(super) const NODES_MAX: usize = 1 << 20;
/// Depth after which the rest of a page is not read: the algorithm looks through the open
/// elements again and again.
const DEPTH_MAX: u32 = 1 << 10;
/// Attributes of `html` and `body`, to which later tags of theirs add: each is compared with
/// all others.
const MERGED_ATTRIBUTES_MAX: usize = 128;

/// A node as the tree builder knows it.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    id: NodeId,
    attributes: u32,
    /// The name of an element.
    name: Option<Rc<QualName>>,
}

impl Handle {
    fn nameless(id: NodeId) -> Self {
        Self { id, attributes: 0, name: None }
    }

    /// Returns an element's name.
    pub(super) fn name(&self) -> Option<&QualName> {
        self.name.as_deref()
    }

    /// Returns the number of an element's attributes.
    pub(super) fn attributes(&self) -> u32 {
        self.attributes
    }
}

/// What was made: elements, their attributes, and the bytes of those.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    pub(super) elements: usize,
    pub(super) attributes: usize,
    pub(super) bytes: usize,
}

/// Receives a page's nodes.
pub(super) struct Sink {
    dom: RefCell<Dom>,
    templates: RefCell<BTreeMap<NodeId, NodeId>>,
    /// By node, its depth when it was put in its place.
    depths: RefCell<Vec<u32>>,
    is_full: Cell<bool>,
    /// All elements that were made, and the last one.
    made: Cell<Made>,
    last: Cell<Made>,
    /// What the tree builder is told of a node without a name, which it never asks for.
    nameless: QualName,
}

impl Sink {
    pub(super) fn new() -> Self {
        let mut dom = Dom::default();
        dom.add(Data::Other);
        let local = html5ever::local_name!("");
        Self {
            dom: RefCell::new(dom),
            templates: RefCell::default(),
            depths: RefCell::new(vec![0]),
            is_full: Cell::new(false),
            made: Cell::default(),
            last: Cell::default(),
            nameless: QualName::new(None, html5ever::ns!(), local),
        }
    }

    /// Returns true if and only if the page has too many nodes, or too deep ones.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.get()
    }

    /// Returns the number of elements that were made.
    pub(super) fn elements(&self) -> usize {
        self.made.get().elements
    }

    /// Returns what was made up to now, and of that the last element.
    pub(super) fn made(&self) -> (Made, Made) {
        (self.made.get(), self.last.get())
    }

    fn add(&self, data: Data) -> Handle {
        let id = self.dom.borrow_mut().add(data);
        if id as usize >= NODES_MAX {
            self.is_full.set(true);
        }
        Handle::nameless(id)
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
            self.is_full.set(true);
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
        let mut dom = self.dom.into_inner();
        shadow::compose(&mut dom, &self.templates.into_inner());
        dom
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn get_document(&self) -> Handle {
        Handle::nameless(ROOT)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.as_deref().unwrap_or(&self.nameless).expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let bytes = attributes.iter().map(|attribute| attribute.value.len()).sum();
        let own = Made { elements: 1, attributes: attributes.len(), bytes };
        let made = self.made.get();
        self.made.set(Made {
            elements: made.elements + 1,
            attributes: made.attributes + own.attributes,
            bytes: made.bytes + own.bytes,
        });
        self.last.set(own);
        let shared = Rc::new(name.clone());
        let handle = self.add(Data::Element(Element { name, attributes }));
        if flags.template {
            let content = self.add(Data::Other);
            self.templates.borrow_mut().insert(handle.id, content.id);
        }
        Handle { id: handle.id, attributes: own.attributes as u32, name: Some(shared) }
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
        Handle::nameless(id)
    }

    fn allow_declarative_shadow_roots(&self, _: &Handle) -> bool {
        // They are put in their places once the page is read.
        false
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
            for attribute in attributes.into_iter().take(MERGED_ATTRIBUTES_MAX) {
                let is_known = || element.attributes.iter().any(|known| known.name == attribute.name);
                if element.attributes.len() < MERGED_ATTRIBUTES_MAX && !is_known() {
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
