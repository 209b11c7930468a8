//! The outline of a page: its blocks of text in reading order, the images between them, and
//! the elements that they are in.
//!
//! Elements that begin a block are *scopes*; what inline elements say is noted at the block
//! they are in. One [walk](super::walk) makes all of it.

use std::collections::HashMap;

use corpus::record::SegmentKind;

use super::dom::{Dom, NodeId};
use super::signal::{SIGNAL_COUNT, Signals};
use super::tag::Role;
use super::walk;

/// Index of a scope.
pub(super) type ScopeId = u32;
/// The outermost scope, its own parent.
pub(super) const TOP: ScopeId = 0;
/// Stands for a signal that no scope around has.
pub(super) const FAR: u8 = 16;
/// Blocks of a page; what follows is not read.
pub(super) const BLOCKS_MAX: usize = 1 << 16;
/// Images of a page; the rest is left out.
pub(super) const IMAGES_MAX: usize = 1_000;
/// Twins that make a series.
const SERIES_MIN: u32 = 3;
/// Characters without links from which a block counts as prose.
const PROSE_CHARS_MIN: u32 = 60;

/// A block of text.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: SegmentKind,
    /// 1 to 6 for a heading, else 0.
    pub(super) level: u8,
    pub(super) text: String,
    pub(super) scope: ScopeId,
    /// What the inline elements within say.
    pub(super) inline: Signals,
    /// Characters without white space: all, those in links, those in bold or emphasised text.
    pub(super) chars: u32,
    pub(super) link_chars: u32,
    pub(super) bold_chars: u32,
    pub(super) links: u32,
}

impl Block {
    /// Returns the characters that count as prose: enough of them outside links.
    pub(super) fn prose(&self) -> u32 {
        let plain = self.chars - self.link_chars;
        if plain >= PROSE_CHARS_MIN && plain > self.link_chars { plain } else { 0 }
    }
}

/// An image and the number of blocks that begin before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub(super) node: NodeId,
    pub(super) scope: ScopeId,
    pub(super) block: u32,
}

/// A caption of blocks.
#[derive(Debug)]
pub(super) struct Caption {
    pub(super) text: String,
    /// The number of blocks before it.
    pub(super) block: u32,
    /// What it is of, as a range of blocks: it is content where any of them is.
    pub(super) of: (u32, u32),
}

/// A table of data that is judged by the blocks within: it is content where three quarters
/// of its characters are.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) scope: ScopeId,
    pub(super) caption: Option<String>,
    pub(super) text: String,
}

/// An element that begins a block.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) parent: ScopeId,
    pub(super) depth: u16,
    /// Whether the page hides it, or what is around it.
    pub(super) is_hidden: bool,
    pub(super) role: Role,
    /// By signal, how many scopes up the nearest one is that says so; [`FAR`] for none.
    pub(super) near: [u8; SIGNAL_COUNT],
    /// Hash of the tag and the names: alike for the entries of a list.
    pub(super) signature: u64,
    /// Siblings with the same signature, itself included.
    pub(super) twins: u32,
    /// What they hold together.
    pub(super) twin_chars: u32,
    pub(super) twin_prose: u32,
    pub(super) children: u32,
    /// The blocks within, as a range.
    pub(super) blocks: (u32, u32),
    pub(super) totals: Totals,
    /// Prose of the paragraphs directly within and, by half, of those one scope further.
    pub(super) weight: f32,
}

/// What a scope holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) chars: u32,
    pub(super) link_chars: u32,
    pub(super) prose: u32,
    pub(super) links: u32,
    pub(super) paragraphs: u32,
}

/// A page's blocks, images and scopes.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) scopes: Vec<Scope>,
    pub(super) blocks: Vec<Block>,
    pub(super) pictures: Vec<Picture>,
    /// Captions of text, by the blocks before them. The forests do not know of them.
    pub(super) captions: Vec<Caption>,
    /// Tables of data that are judged by their blocks, in reading order.
    pub(super) grids: Vec<Grid>,
    /// Whether the page has more than [`BLOCKS_MAX`].
    pub(super) is_cut: bool,
    /// The scope of the greatest weight; the first of equals.
    pub(super) heaviest: ScopeId,
    /// The first scope of the row of at least three twins that holds the most.
    pub(super) series: Option<ScopeId>,
}

impl Outline {
    /// Walks a page.
    pub(super) fn of(dom: &Dom) -> Self {
        let mut outline = walk::walk(dom);
        outline.sum_blocks();
        outline.sum_scopes();
        outline
    }

    /// Returns the scopes around a scope from itself outwards, the outermost last.
    pub(super) fn around(&self, scope: ScopeId) -> impl Iterator<Item = &Scope> {
        self.ids_around(scope).map(|id| &self.scopes[id as usize])
    }

    /// Returns their ids.
    pub(super) fn ids_around(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> {
        let step = |id: &ScopeId| (*id != TOP).then(|| self.scopes[*id as usize].parent);
        std::iter::successors(Some(scope), step)
    }

    /// Gives each scope what its own blocks hold.
    fn sum_blocks(&mut self) {
        for block in &self.blocks {
            let scope = &mut self.scopes[block.scope as usize];
            scope.totals.add(&Totals {
                chars: block.chars,
                link_chars: block.link_chars,
                prose: block.prose(),
                links: block.links,
                paragraphs: u32::from(block.prose() > 0),
            });
            let prose = block.prose() as f32;
            // A block of a `div` is within it; one of a `p` is within what is around that.
            let (own, outer) = match scope.role {
                Role::Paragraph | Role::Quote | Role::Item | Role::Code => {
                    let parent = self.scopes[block.scope as usize].parent;
                    (parent, self.scopes[parent as usize].parent)
                }
                _ => (block.scope, scope.parent),
            };
            self.scopes[own as usize].weight += prose;
            if own != outer {
                self.scopes[outer as usize].weight += prose * 0.5;
            }
        }
        let weights = (0..).zip(self.scopes.iter().map(|scope| scope.weight));
        let heaviest = weights.fold((TOP, 0.0), |best, next| if next.1 > best.1 { next } else { best });
        self.heaviest = heaviest.0;
    }

    /// Gives each scope what those within hold, and what its twins do.
    fn sum_scopes(&mut self) {
        let mut twins: HashMap<(ScopeId, u64), (u32, u32, u32)> = HashMap::new();
        for index in (1..self.scopes.len()).rev() {
            let Scope { parent, signature, totals, .. } = self.scopes[index];
            let row = twins.entry((parent, signature)).or_default();
            *row = (row.0 + 1, row.1 + totals.chars, row.2 + totals.prose);
            let parent = &mut self.scopes[parent as usize];
            parent.children += 1;
            parent.totals.add(&totals);
        }
        let mut most = 0;
        for (id, scope) in (0..).zip(&mut self.scopes).skip(1) {
            let row = twins.get(&(scope.parent, scope.signature)).copied().unwrap_or_default();
            (scope.twins, scope.twin_chars, scope.twin_prose) = row;
            // Paragraphs and items stand in rows everywhere: those of larger things are meant.
            let is_larger = !matches!(scope.role, Role::Paragraph | Role::Heading | Role::Cell);
            if is_larger && scope.twins >= SERIES_MIN && scope.twin_chars > most {
                (most, self.series) = (scope.twin_chars, Some(id));
            }
        }
    }
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.chars += other.chars;
        self.link_chars += other.link_chars;
        self.prose += other.prose;
        self.links += other.links;
        self.paragraphs += other.paragraphs;
    }
}
