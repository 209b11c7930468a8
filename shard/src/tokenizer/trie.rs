//! Pieces by their bytes: a double array of eight bytes a node, built once and walked a byte
//! at a time.
//!
//! The child of a node by a byte is at `base ^ byte`, and is its child if it carries that byte
//! as its label. No two nodes share a base, so that the label alone decides.

use std::ops::Range;

use crate::tokenizer::TokenizerError;

/// Cells that one node's children can lie in: all values of the lowest byte.
const BLOCK: usize = 256;
/// Free cells tried for a node's children among the first ones; a denser array takes longer to build and is not faster
/// to walk.
const TRIES_MAX: usize = 64;
/// Cells at the end that are tried after those: the newest have room if any have.
const NEWEST_CELLS: usize = 2 * BLOCK;
/// Cells at most, for a base has 24 bits: 200 MB.
const CELLS_MAX: usize = 1 << 24;
/// Score of a node at which no piece ends: worse than every segmentation.
pub(crate) const NO_PIECE: f32 = f32::NEG_INFINITY;

/// Where a walk begins.
pub(crate) const ROOT: u32 = 0;

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Base in the upper 24 bits, label in the lower 8.
    base_label: u32,
    /// Score of the piece that ends here.
    score: f32,
}

const EMPTY: Node = Node { base_label: 0, score: NO_PIECE };

/// A map from byte strings to ids and scores.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// Id of the piece that ends at a node; meaningless elsewhere.
    ids: Vec<u32>,
}

impl Trie {
    /// Builds the map of (piece, id, score); no piece is empty or there twice.
    ///
    /// # Errors
    /// When the pieces need too many nodes.
    pub(crate) fn new(pieces: Vec<(&[u8], u32, f32)>) -> Result<Self, TokenizerError> {
        Self::within(CELLS_MAX, pieces)
    }

    fn within(cells_max: usize, mut pieces: Vec<(&[u8], u32, f32)>) -> Result<Self, TokenizerError> {
        pieces.sort_unstable_by_key(|(bytes, ..)| *bytes);
        let mut builder = Builder::default();
        builder.add_block();
        builder.occupy(ROOT);
        builder.bases.remove(0);
        let mut pending = std::collections::VecDeque::from([(ROOT, 0..pieces.len(), 0)]);
        // Breadth first: the nodes of short prefixes, visited most, lie together.
        while let Some((node, range, depth)) = pending.pop_front() {
            let children = builder.place(node, &pieces, range, depth);
            if builder.nodes.len() > cells_max {
                return Err(TokenizerError::Unsupported { detail: "its pieces are too long and too many" });
            }
            pending.extend(children.into_iter().map(|(child, range)| (child, range, depth + 1)));
        }
        Ok(Self { nodes: builder.nodes, ids: builder.ids })
    }

    /// Returns the child of a node by a byte, with the score of the piece that ends there.
    #[inline]
    pub(crate) fn step(&self, node: u32, byte: u8) -> Option<(u32, f32)> {
        let base = self.nodes.get(node as usize)?.base_label >> 8;
        let child = base ^ u32::from(byte);
        let found = self.nodes.get(child as usize)?;
        // The root carries label 0 and is at base 0: never a child, as base 0 is never given away.
        (found.base_label as u8 == byte && base != 0).then_some((child, found.score))
    }

    /// Returns the id of the piece that ends at a node.
    #[inline]
    pub(crate) fn id(&self, node: u32) -> u32 {
        self.ids.get(node as usize).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    ids: Vec<u32>,
    free: Bits,
    /// Bases that no node has yet.
    bases: Bits,
}

/// A set of cells that only loses members but for new blocks.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    /// Words before this are empty.
    first: usize,
}

impl Bits {
    fn add_block(&mut self) {
        self.words.extend([u64::MAX; BLOCK / 64]);
    }

    fn contains(&self, cell: u32) -> bool {
        let word = self.words.get(cell as usize / 64).copied().unwrap_or(0);
        word >> (cell % 64) & 1 == 1
    }

    fn remove(&mut self, cell: u32) {
        if let Some(word) = self.words.get_mut(cell as usize / 64) {
            *word &= !(1 << (cell % 64));
        }
        while self.words.get(self.first) == Some(&0) {
            self.first += 1;
        }
    }

    /// Returns the members from a cell on, which is the first of its word.
    fn from(&self, cell: usize) -> impl Iterator<Item = u32> {
        let words = self.words.iter().enumerate().skip(self.first.max(cell / 64));
        words.flat_map(|(index, word)| {
            let rest = std::iter::successors(Some(*word), |word| Some(word & word.wrapping_sub(1)));
            let cells = rest.take_while(|word| *word != 0);
            cells.map(move |word| index as u32 * 64 + word.trailing_zeros())
        })
    }
}

impl Builder {
    fn add_block(&mut self) {
        let start = self.nodes.len();
        self.nodes.resize(start + BLOCK, EMPTY);
        self.ids.resize(start + BLOCK, 0);
        self.free.add_block();
        self.bases.add_block();
    }

    fn occupy(&mut self, cell: u32) {
        self.free.remove(cell);
    }

    /// Gives a node its score and its children their cells; returns the children with their pieces.
    fn place(
        &mut self,
        node: u32,
        pieces: &[(&[u8], u32, f32)],
        range: Range<usize>,
        depth: usize,
    ) -> Vec<(u32, Range<usize>)> {
        let mut children: Vec<(u8, Range<usize>)> = Vec::new();
        for index in range {
            let Some((bytes, id, score)) = pieces.get(index) else {
                continue;
            };
            match (bytes.get(depth), children.last_mut()) {
                (None, _) => self.end(node, *id, *score),
                (Some(byte), Some((last, pieces))) if last == byte => pieces.end = index + 1,
                (Some(byte), _) => children.push((*byte, index..index + 1)),
            }
        }
        let labels: Vec<u8> = children.iter().map(|(label, _)| *label).collect();
        let Some(base) = self.find_base(&labels) else {
            return Vec::new();
        };
        if let Some(parent) = self.nodes.get_mut(node as usize) {
            parent.base_label |= base << 8;
        }
        let mut placed = Vec::with_capacity(children.len());
        for (label, range) in children {
            let cell = base ^ u32::from(label);
            self.occupy(cell);
            if let Some(child) = self.nodes.get_mut(cell as usize) {
                child.base_label = label.into();
            }
            placed.push((cell, range));
        }
        placed
    }

    fn end(&mut self, node: u32, id: u32, score: f32) {
        if let (Some(node), Some(slot)) = (self.nodes.get_mut(node as usize), self.ids.get_mut(node as usize))
        {
            node.score = score;
            *slot = id;
        }
    }

    /// Returns an unused base at which all labels find a free cell; none for no labels.
    fn find_base(&mut self, labels: &[u8]) -> Option<u32> {
        let first = u32::from(*labels.first()?);
        let fits = |base: &u32| {
            let is_free = |label: &u8| self.free.contains(base ^ u32::from(*label));
            self.bases.contains(*base) && labels.iter().all(is_free)
        };
        let newest = self.nodes.len().saturating_sub(NEWEST_CELLS);
        let cells = self.free.from(0).take(TRIES_MAX).chain(self.free.from(newest));
        let found = cells.map(|cell| cell ^ first).find(fits);
        let base = found.unwrap_or_else(|| {
            let base = self.nodes.len() as u32;
            self.add_block();
            base
        });
        self.bases.remove(base);
        Some(base)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn lookup(trie: &Trie, bytes: &[u8]) -> Option<u32> {
        let mut at = (ROOT, NO_PIECE);
        for &byte in bytes {
            at = trie.step(at.0, byte)?;
        }
        (at.1 > NO_PIECE).then(|| trie.id(at.0))
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_nothing_else(
            pieces: BTreeMap<Vec<u8>, f32>,
            others: Vec<Vec<u8>>,
        ) {
            let pieces: Vec<(&Vec<u8>, f32)> = pieces
                .iter()
                .filter(|(bytes, score)| !bytes.is_empty() && score.is_finite())
                .map(|(bytes, score)| (bytes, *score))
                .collect();
            let trie = pieces.iter().zip(7..).map(|((b, s), id)| (b.as_slice(), id, *s));
            let trie = Trie::new(trie.collect()).unwrap();
            for ((bytes, _), id) in pieces.iter().zip(7..) {
                prop_assert_eq!(lookup(&trie, bytes), Some(id));
            }
            for other in others.iter().filter(|other| !pieces.iter().any(|(bytes, _)| bytes == other)) {
                prop_assert_eq!(lookup(&trie, other), None);
            }
        }
    }

    #[test]
    fn cells_grow_with_the_pieces_whatever_their_letters() {
        // Words of a few letters, whose cells lie in the same places of their blocks.
        let words: Vec<String> = (0..60_000_u64)
            .map(|n| {
                (0..7).map(move |at| {
                    char::from(b'a' + (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at * 5) & 15) as u8)
                })
            })
            .map(Iterator::collect)
            .collect::<std::collections::BTreeSet<String>>()
            .into_iter()
            .collect();
        let pieces = || words.iter().zip(0..).map(|(word, id)| (word.as_bytes(), id, -1.0));
        let trie = Trie::new(pieces().collect()).unwrap();
        assert!(pieces().all(|(word, id, _)| lookup(&trie, word) == Some(id)));
        let prefixes = words.iter().flat_map(|word| (1..=word.len()).map(|length| &word[..length]));
        let nodes = prefixes.collect::<std::collections::BTreeSet<_>>().len();
        assert!(trie.nodes.len() < 2 * nodes, "{} cells for {nodes} nodes", trie.nodes.len());
    }

    #[test]
    fn more_cells_than_the_bound_are_refused() {
        let pieces = || (0..400).map(|n| format!("{n:x}").repeat(9));
        let within = |cells_max| {
            let pieces: Vec<String> = pieces().collect();
            Trie::within(cells_max, pieces.iter().map(|piece| (piece.as_bytes(), 0, 0.0)).collect())
        };
        assert!(within(1 << 16).is_ok());
        assert!(matches!(within(1 << 12), Err(TokenizerError::Unsupported { .. })));
    }

    #[test]
    fn a_full_alphabet_takes_its_block() {
        let bytes: Vec<[u8; 2]> = (0..=255).flat_map(|a| (0..=255).map(move |b| [a, b])).collect();
        let trie =
            Trie::new(bytes.iter().zip(0..).map(|(b, id)| (b.as_slice(), id, -1.0)).collect()).unwrap();
        assert!(bytes.iter().zip(0..).all(|(b, id)| lookup(&trie, b) == Some(id)));
    }
}
