//! Pieces by their bytes: a double array of eight bytes a node, built once and walked a byte
//! at a time.
//!
//! The child of a node by a byte is at `base ^ byte`, and is its child if it carries that byte
//! as its label. No two nodes share a base, so that the label alone decides.

use std::ops::Range;

/// Cells that one node's children can lie in: all values of the lowest byte.
const BLOCK: usize = 256;
/// Places tried for a node's children before new cells are added; a denser array takes
/// longer to build and is not faster to walk.
const TRIES_MAX: usize = 64;
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
    pub(crate) fn new(mut pieces: Vec<(&[u8], u32, f32)>) -> Self {
        pieces.sort_unstable_by_key(|(bytes, ..)| *bytes);
        let mut builder = Builder::default();
        builder.add_block();
        builder.occupy(ROOT);
        builder.bases.remove(0);
        let mut pending = std::collections::VecDeque::from([(ROOT, 0..pieces.len(), 0)]);
        // Breadth first: the nodes of short prefixes, visited most, lie together.
        while let Some((node, range, depth)) = pending.pop_front() {
            let children = builder.place(node, &pieces, range, depth);
            pending.extend(children.into_iter().map(|(child, range)| (child, range, depth + 1)));
        }
        Self { nodes: builder.nodes, ids: builder.ids }
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

    fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.words.iter().enumerate().skip(self.first);
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
        let found = self.free.iter().take(TRIES_MAX).map(|cell| cell ^ first).find(fits);
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
            let trie = Trie::new(pieces.iter().zip(7..).map(|((b, s), id)| (b.as_slice(), id, *s)).collect());
            for ((bytes, _), id) in pieces.iter().zip(7..) {
                prop_assert_eq!(lookup(&trie, bytes), Some(id));
            }
            for other in others.iter().filter(|other| !pieces.iter().any(|(bytes, _)| bytes == other)) {
                prop_assert_eq!(lookup(&trie, other), None);
            }
        }
    }

    #[test]
    fn a_full_alphabet_takes_its_block() {
        let bytes: Vec<[u8; 2]> = (0..=255).flat_map(|a| (0..=255).map(move |b| [a, b])).collect();
        let trie = Trie::new(bytes.iter().zip(0..).map(|(b, id)| (b.as_slice(), id, -1.0)).collect());
        assert!(bytes.iter().zip(0..).all(|(b, id)| lookup(&trie, b) == Some(id)));
    }
}
