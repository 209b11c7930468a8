//! The gate before the tree builder: it counts what tokens cost, and lets none through once a
//! page has cost too much.
//!
//! The algorithm of the standard looks through the open elements and the formatting elements
//! for most tokens, compares formatting elements with each other, and makes them anew in every
//! block they are not closed before. What that comes to is not bounded by the page's length,
//! so that it is counted here.

use std::cell::Cell;

use html5ever::interface::{Tracer, TreeSink};
use html5ever::local_name;
use html5ever::tokenizer::{StartTag, Tag, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};

use super::dom::Dom;
use super::sink::{Handle, Made, Sink};
use super::tag::is_formatting;

/// Open elements that may be looked at, summed over all tokens.
const LOOKS_MAX: u64 = 1 << 27;
/// Attributes of formatting elements that may be compared or copied for a look.
const COMPARED_MAX: u64 = 1 << 24;
/// Elements that no tag stands for: formatting elements made anew, and implied ones.
const COPIES_MAX: usize = 1 << 18;
/// Attributes of such elements.
const COPIED_ATTRIBUTES_MAX: usize = 1 << 20;
/// Bytes of such attributes.
const COPIED_BYTES_MAX: usize = 32 << 20;
/// Tokens, or elements made, between two counts of the open elements.
const COUNT_EVERY: usize = 64;

/// How the text behind a tag is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As markup.
    Data,
    /// As text up to the end tag of the element.
    Raw,
    /// As text up to the end of the page.
    Plain,
}

/// Takes tokens for the tree builder.
pub(super) struct Gate {
    tree: TreeBuilder<Handle, Sink>,
    mode: Cell<Mode>,
    texts: Cell<usize>,
    is_full: Cell<bool>,
    /// What the page has cost.
    looks: Cell<u64>,
    compared: Cell<u64>,
    copies: Cell<Made>,
    /// What a token may be compared with.
    near: Near,
    /// Tokens and elements until that is counted again.
    left: Cell<usize>,
    #[cfg(test)]
    most_attributes: Cell<usize>,
}

/// What a token may be compared with, as of the last count.
#[derive(Debug, Default)]
struct Near {
    /// Elements that are open, and formatting elements.
    open: Cell<u64>,
    /// Of these those that are formatting elements, and the attributes of them.
    formatting: Cell<u64>,
    attributes: Cell<u64>,
}

impl Gate {
    pub(super) fn new() -> Self {
        // We run no scripts, so what is there for readers without them is ours to read.
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            tree: TreeBuilder::new(Sink::new(), options),
            mode: Cell::new(Mode::Data),
            texts: Cell::new(0),
            is_full: Cell::new(false),
            looks: Cell::new(0),
            compared: Cell::new(0),
            copies: Cell::default(),
            near: Near::default(),
            left: Cell::new(0),
            #[cfg(test)]
            most_attributes: Cell::new(0),
        }
    }

    /// Returns true if and only if the rest of the page is not read.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.get()
    }

    /// Returns how the text behind the last tag is read.
    pub(super) fn mode(&self) -> Mode {
        self.mode.get()
    }

    /// Returns the number of pieces of text up to now.
    pub(super) fn texts(&self) -> usize {
        self.texts.get()
    }

    /// Returns the page.
    pub(super) fn finish(self) -> Dom {
        let is_cut = self.is_full.get() || self.tree.sink.is_full();
        Dom { is_cut, ..self.tree.sink.finish() }
    }

    /// Returns how many attributes the tag had that had most of them.
    #[cfg(test)]
    pub(super) fn most_attributes(&self) -> usize {
        self.most_attributes.get()
    }

    /// Counts what a token costs before it is let through.
    fn charge(&self, token: &Token) {
        if self.left.get() == 0 {
            self.near.clear();
            self.tree.trace_handles(&self.near);
            self.left.set(COUNT_EVERY);
        }
        self.left.set(self.left.get() - 1);
        self.looks.set(self.looks.get() + self.near.open.get() + 1);
        if self.looks.get() > LOOKS_MAX || self.tree.sink.is_full() {
            self.is_full.set(true);
        }
        match token {
            Token::TagToken(tag) if is_formatting(&tag.name) => self.charge_formatting(tag),
            _ => {}
        }
    }

    fn charge_formatting(&self, tag: &Tag) {
        let Near { formatting, attributes, .. } = &self.near;
        let mut compared = self.compared.get() + attributes.get();
        // A link is never compared with others: it ends the one before.
        if tag.kind == StartTag && tag.name != local_name!("a") {
            let own = tag.attrs.len() as u64;
            compared += formatting.get() * (1 + own);
            // It will be open, and among the formatting elements.
            formatting.set(formatting.get() + 2);
            attributes.set(attributes.get() + 2 * own);
        }
        self.compared.set(compared);
        if compared > COMPARED_MAX {
            self.is_full.set(true);
        }
    }

    /// Counts what was made for a token beyond its own element, which is the last one.
    fn charge_copies(&self, before: Made, has_own: bool) {
        let (now, last) = self.tree.sink.made();
        let own = if has_own { last } else { Made::default() };
        let copies = self.copies.get();
        let copies = Made {
            elements: copies.elements + (now.elements - before.elements).saturating_sub(own.elements),
            attributes: copies.attributes
                + (now.attributes - before.attributes).saturating_sub(own.attributes),
            bytes: copies.bytes + (now.bytes - before.bytes).saturating_sub(own.bytes),
        };
        self.copies.set(copies);
        if copies.elements > COPIES_MAX
            || copies.attributes > COPIED_ATTRIBUTES_MAX
            || copies.bytes > COPIED_BYTES_MAX
        {
            self.is_full.set(true);
        }
        self.left.set(self.left.get().saturating_sub(now.elements - before.elements));
    }
}

impl TokenSink for Gate {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        // Of errors nobody is told; the end is needed.
        if !matches!(token, Token::ParseError(_) | Token::EOFToken) {
            if !self.is_full.get() {
                self.charge(&token);
            }
            if self.is_full.get() {
                return TokenSinkResult::Continue;
            }
        }
        #[cfg(test)]
        if let Token::TagToken(tag) = &token {
            self.most_attributes.set(self.most_attributes.get().max(tag.attrs.len()));
        }
        let (is_tag, is_start) = match &token {
            Token::TagToken(tag) => (true, tag.kind == StartTag),
            Token::CharacterTokens(_) => {
                self.texts.set(self.texts.get() + 1);
                (false, false)
            }
            _ => (false, false),
        };
        let (before, _) = self.tree.sink.made();
        let result = self.tree.process_token(token, line);
        if self.tree.sink.elements() > before.elements + usize::from(is_start) {
            self.charge_copies(before, is_start);
        }
        if is_tag {
            self.mode.set(match result {
                TokenSinkResult::RawData(_) => Mode::Raw,
                TokenSinkResult::Plaintext => Mode::Plain,
                _ => Mode::Data,
            });
        }
        result
    }

    fn end(&self) {
        self.tree.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.tree.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Near {
    fn clear(&self) {
        self.open.set(0);
        self.formatting.set(0);
        self.attributes.set(0);
    }
}

impl Tracer for Near {
    type Handle = Handle;

    fn trace_handle(&self, node: &Handle) {
        self.open.set(self.open.get() + 1);
        if node.name().is_some_and(|name| is_formatting(&name.local)) {
            self.formatting.set(self.formatting.get() + 1);
            self.attributes.set(self.attributes.get() + u64::from(node.attributes()));
        }
    }
}
