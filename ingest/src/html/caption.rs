//! Captions of what is read as text: quotations, code, tables. They stay where that stays;
//! captions of images belong to those.

use super::dom::{Dom, NodeId};
use super::outline::Caption;

/// Nodes of a caption.
const NODES_MAX: usize = 1_000;

/// The figures that are open, from the outermost on.
#[derive(Debug, Default)]
pub(super) struct Figures {
    open: Vec<Figure>,
}

#[derive(Debug)]
struct Figure {
    /// The number of blocks before it.
    begin: u32,
    has_image: bool,
    /// Its captions, each with the number of blocks before it.
    captions: Vec<(NodeId, u32)>,
}

impl Figures {
    /// Enters a figure before which there are so many blocks.
    pub(super) fn enter(&mut self, blocks: u32) {
        self.open.push(Figure { begin: blocks, has_image: false, captions: Vec::new() });
    }

    /// Notes an image.
    pub(super) fn image(&mut self) {
        if let Some(figure) = self.open.last_mut() {
            figure.has_image = true;
        }
    }

    /// Notes a caption before which there are so many blocks.
    pub(super) fn caption(&mut self, node: NodeId, blocks: u32) {
        if let Some(figure) = self.open.last_mut() {
            figure.captions.push((node, blocks));
        }
    }

    /// Leaves a figure, and adds its captions if they are of text.
    pub(super) fn leave(&mut self, dom: &Dom, blocks: u32, captions: &mut Vec<Caption>) {
        let Some(figure) = self.open.pop() else {
            return;
        };
        if figure.has_image {
            return self.image();
        }
        for (node, block) in figure.captions {
            captions.extend(of(dom, node, block, (figure.begin, blocks)));
        }
    }
}

/// Returns the caption in an element, which stands before a block and is of some blocks.
pub(super) fn of(dom: &Dom, node: NodeId, block: u32, of: (u32, u32)) -> Option<Caption> {
    let text = dom.text(node, NODES_MAX);
    (!text.is_empty() && of.0 < of.1).then_some(Caption { text, block, of })
}
