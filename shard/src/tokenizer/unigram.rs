//! The best segmentation of a text into pieces: Viterbi over a lattice made on the fly.
//!
//! The arithmetic is that of `Model::EncodeOptimized` of SentencePiece 0.2.3
//! (`src/unigram_model.cc`), so that ties fall alike: sums are single precision from left to
//! right and begin anew beyond a bound, the first of equals wins, and a character without a
//! piece of its own costs ten more than the least likely piece.

use crate::tokenizer::TokenizerError;
use crate::tokenizer::file::{ModelFile, PieceKind};
use crate::tokenizer::normalizer::character_bytes;
use crate::tokenizer::trie::{NO_PIECE, ROOT, Trie};

/// What an unknown character costs beyond the least likely piece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// Sums begin anew beyond this, before single precision gets too coarse.
const SCORE_MAX: f32 = 100_000.0;
/// Bytes of a UTF-8 character at most.
const CHARACTER_BYTES_MAX: usize = 4;
/// SentencePiece id of the unknown piece.
const UNKNOWN_ID: u32 = 0;
/// Node of the lattice at which an unknown character ends: the root ends no piece.
const UNKNOWN_NODE: u32 = ROOT;

/// Pieces with their scores.
#[derive(Debug)]
pub(crate) struct Unigram {
    trie: Trie,
    /// Bytes of the longest piece or character: how far ahead of its start a segmentation reaches.
    reach: usize,
    unknown_score: f32,
    /// Ids of the byte pieces, if unknown characters become bytes.
    byte_ids: Option<Vec<u32>>,
}

/// The best way to the end of a prefix.
#[derive(Debug, Clone, Copy)]
struct Cell {
    score: f32,
    /// Where the last piece starts.
    start: u32,
    /// Node of the trie at which it ends.
    node: u32,
}

const UNREACHED: Cell = Cell { score: NO_PIECE, start: 0, node: UNKNOWN_NODE };

/// Buffers of [`Unigram::encode`], kept from text to text.
#[derive(Debug, Default)]
pub(crate) struct Lattice {
    cells: Vec<Cell>,
    path: Vec<(u32, u32)>,
}

impl Unigram {
    pub(crate) fn new(file: &ModelFile) -> Result<Self, TokenizerError> {
        let of_kind = |kind| file.pieces.iter().zip(0_u32..).filter(move |(piece, _)| piece.kind == kind);
        let normal: Vec<_> =
            of_kind(PieceKind::Normal).map(|(piece, id)| (piece.text.as_bytes(), id, piece.score)).collect();
        if normal.is_empty() {
            return Err(TokenizerError::Unsupported { detail: "it has no normal pieces" });
        }
        let score_min = normal.iter().fold(f32::MAX, |least, (_, _, score)| least.min(*score));
        let byte_ids = file.byte_fallback.then(|| {
            let ids = (0..=u8::MAX).flat_map(|byte| of_kind(PieceKind::Byte(byte)).map(|(_, id)| id).next());
            ids.collect()
        });
        Ok(Self {
            reach: normal.iter().map(|(text, ..)| text.len()).max().unwrap_or(0).max(CHARACTER_BYTES_MAX),
            trie: Trie::new(normal),
            unknown_score: score_min - UNKNOWN_PENALTY,
            byte_ids,
        })
    }

    /// Appends the ids of the best segmentation.
    pub(crate) fn encode(&self, text: &[u8], lattice: &mut Lattice, ids: &mut Vec<u32>) {
        self.fill(text, lattice);
        lattice.trace(text.len());
        let mut after_unknown = false;
        for &(end, start) in lattice.path.iter().rev() {
            let node = lattice.cells.get(end as usize).map_or(UNKNOWN_NODE, |cell| cell.node);
            let is_unknown = node == UNKNOWN_NODE;
            match (&self.byte_ids, is_unknown) {
                (_, false) => ids.push(self.trie.id(node)),
                (Some(byte_ids), true) => {
                    let bytes = text.get(start as usize..end as usize).unwrap_or_default();
                    ids.extend(bytes.iter().filter_map(|byte| byte_ids.get(usize::from(*byte))));
                }
                // Unknown characters in a row are one unknown piece.
                (None, true) if after_unknown => {}
                (None, true) => ids.push(UNKNOWN_ID),
            }
            after_unknown = is_unknown;
        }
    }

    fn fill(&self, text: &[u8], lattice: &mut Lattice) {
        lattice.cells.clear();
        lattice.cells.resize(text.len() + 1, UNREACHED);
        if let Some(first) = lattice.cells.first_mut() {
            first.score = 0.0;
        }
        let mut start = 0;
        while let (Some(rest), Some(cells)) = (text.get(start..), lattice.cells.get_mut(start..)) {
            if rest.is_empty() {
                return;
            }
            self.begin_anew(cells);
            let Some((from, cells)) = cells.split_first_mut() else {
                return;
            };
            let length = character_bytes(rest);
            if !self.extend(rest, length, start as u32, from.score, cells)
                && let Some(cell) = cells.get_mut(length - 1)
            {
                let score = from.score + self.unknown_score;
                cell.improve(Cell { score, start: start as u32, node: UNKNOWN_NODE });
            }
            start += length;
        }
    }

    /// Takes the score so far out of all cells that are reached, if it is too large.
    fn begin_anew(&self, cells: &mut [Cell]) {
        let offset = cells.first().map_or(0.0, |from| from.score);
        if offset.abs() > SCORE_MAX {
            for cell in cells.iter_mut().take(self.reach + 1) {
                cell.score -= offset;
            }
        }
    }

    /// Offers all pieces that the bytes begin with to the cells where they end; returns whether
    /// the first character is one of them.
    #[inline]
    fn extend(&self, rest: &[u8], length: usize, start: u32, from_score: f32, cells: &mut [Cell]) -> bool {
        let (mut node, mut has_character) = (ROOT, false);
        for ((index, byte), cell) in rest.iter().enumerate().zip(cells) {
            let Some((child, score)) = self.trie.step(node, *byte) else {
                break;
            };
            node = child;
            has_character |= index + 1 == length && score > NO_PIECE;
            cell.improve(Cell { score: score + from_score, start, node });
        }
        has_character
    }
}

impl Cell {
    #[inline]
    fn improve(&mut self, other: Cell) {
        if other.score > self.score {
            *self = other;
        }
    }
}

impl Lattice {
    /// Collects (end, start) of the best pieces, the last first.
    fn trace(&mut self, length: usize) {
        self.path.clear();
        let mut end = length;
        while end > 0 {
            let start = self.cells.get(end).map_or(0, |cell| cell.start);
            self.path.push((end as u32, start));
            end = start as usize;
        }
    }
}
