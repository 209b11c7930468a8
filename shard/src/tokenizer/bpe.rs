//! Byte-pair encoding: the neighbours that make the best piece are merged until none do.
//!
//! The rules are those of `src/bpe_model.cc` of SentencePiece 0.2.3: the highest score is merged first, among equals
//! the leftmost; user-defined pieces are never merged; a merged piece that is unused is taken apart again.

use std::collections::{BinaryHeap, HashMap};

use crate::tokenizer::file::{ModelFile, PieceKind};
use crate::tokenizer::segmenter::{Ids, Scratch, UserDefined};
use crate::tokenizer::words::{Word, WordPiece, are_apart, cut, word_bytes};

/// An unused piece is taken apart so often and no deeper, as in SentencePiece.
const APART_DEPTH_MAX: u32 = 100;
/// No symbol: before the first and after the last one.
const NONE: u32 = u32::MAX;

/// Pieces that symbols may be merged to.
#[derive(Debug)]
pub(crate) struct Bpe {
    pieces: HashMap<Box<[u8]>, Mergeable, ahash::RandomState>,
    /// Words are merged each for itself: no piece reaches over the start of one, or is taken apart as in another word.
    words_are_apart: bool,
}

#[derive(Debug, Clone, Copy)]
struct Mergeable {
    id: u32,
    score: f32,
    is_unused: bool,
}

/// A part of the text that is one piece so far.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    start: u32,
    /// 0 once it was merged into its left neighbour.
    length: u32,
    before: u32,
    after: u32,
    is_frozen: bool,
}

/// Two neighbours that would make a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    score: f32,
    left: u32,
    right: u32,
    /// Bytes of both when they were found: other ones have been merged since if it is wrong.
    length: u32,
}

impl Eq for Pair {}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Buffers of [`Bpe::encode`], kept from text to text.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    symbols: Vec<Symbol>,
    agenda: BinaryHeap<Pair>,
}

impl Bpe {
    pub(crate) fn new(file: &ModelFile) -> Self {
        let pieces = file.pieces.iter().zip(0..).filter_map(|(piece, id)| {
            let is_unused = match piece.kind {
                PieceKind::Normal | PieceKind::UserDefined => false,
                PieceKind::Unused => true,
                PieceKind::Unknown | PieceKind::Control | PieceKind::Byte(_) => return None,
            };
            Some((piece.text.as_bytes().into(), Mergeable { id, score: piece.score, is_unused }))
        });
        let has_unused = file.ids(PieceKind::Unused).next().is_some();
        Self { pieces: pieces.collect(), words_are_apart: !has_unused && are_apart(file) }
    }

    /// Appends the ids of a text.
    pub(crate) fn encode(
        &self,
        text: &[u8],
        user_defined: &UserDefined,
        scratch: &mut Scratch,
        ids: &mut Ids<'_>,
    ) {
        let Scratch { merges, words, .. } = scratch;
        if !self.words_are_apart {
            self.merged(text, user_defined, merges, |id, bytes| ids.push(id, bytes));
            return;
        }
        cut(text, word_bytes, |part| match words.get_or(part, || self.word(part, user_defined, merges)) {
            Some(word) => word.write(part, ids),
            None => self.merged(part, user_defined, merges, |id, bytes| ids.push(id, bytes)),
        });
    }

    fn word(&self, bytes: &[u8], user_defined: &UserDefined, merges: &mut Merges) -> Option<Word> {
        let mut pieces = Vec::new();
        self.merged(bytes, user_defined, merges, |id, bytes| {
            pieces.push(WordPiece { id, score: 0.0, bytes: bytes.len() as u8 });
        });
        Word::new(&pieces, f64::INFINITY)
    }

    /// Merges a text and hands on its pieces.
    fn merged(
        &self,
        text: &[u8],
        user_defined: &UserDefined,
        merges: &mut Merges,
        mut piece: impl FnMut(Option<u32>, &[u8]),
    ) {
        merges.symbols.clear();
        let mut start = 0;
        while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
            let (length, is_frozen) = user_defined.symbol(rest);
            let index = merges.symbols.len() as u32;
            let (before, after) = (index.wrapping_sub(1), index + 1);
            let symbol = Symbol { start: start as u32, length: length as u32, before, after, is_frozen };
            merges.symbols.push(symbol);
            start += length;
        }
        if let Some(last) = merges.symbols.last_mut() {
            last.after = NONE;
        }
        let mut merging = Merging { bpe: self, text, merges, apart: HashMap::new() };
        merging.run();
        merging.write(&mut piece);
    }
}

/// A text whose symbols are being merged.
struct Merging<'a> {
    bpe: &'a Bpe,
    text: &'a [u8],
    merges: &'a mut Merges,
    /// Bytes of the left part of each unused piece that was made, the last time.
    apart: HashMap<&'a [u8], usize>,
}

impl<'a> Merging<'a> {
    fn run(&mut self) {
        self.merges.agenda.clear();
        for right in 1..self.merges.symbols.len() as u32 {
            self.offer(right - 1, right);
        }
        while let Some(pair) = self.merges.agenda.pop() {
            let (Some(left), Some(right)) = (self.symbol(pair.left), self.symbol(pair.right)) else {
                continue;
            };
            if left.length == 0 || right.length == 0 || left.length + right.length != pair.length {
                continue;
            }
            if let Some(left) = self.symbol_mut(pair.left) {
                left.length = pair.length;
                left.after = right.after;
            }
            if let Some(right) = self.symbol_mut(pair.right) {
                right.length = 0;
            }
            if let Some(next) = self.symbol_mut(right.after) {
                next.before = pair.left;
            }
            self.offer(left.before, pair.left);
            self.offer(pair.left, right.after);
        }
    }

    /// Puts two neighbours on the agenda if they make a piece.
    fn offer(&mut self, left_index: u32, right_index: u32) {
        let (Some(left), Some(right)) = (self.symbol(left_index), self.symbol(right_index)) else {
            return;
        };
        if left.is_frozen || right.is_frozen {
            return;
        }
        let length = left.length + right.length;
        let bytes = self.bytes(left.start, length);
        let Some(piece) = self.bpe.pieces.get(bytes) else {
            return;
        };
        self.merges.agenda.push(Pair { score: piece.score, left: left_index, right: right_index, length });
        if piece.is_unused {
            self.apart.insert(bytes, left.length as usize);
        }
    }

    /// Hands on the pieces that are left.
    fn write(&self, piece: &mut impl FnMut(Option<u32>, &[u8])) {
        let mut index = 0;
        while let Some(symbol) = self.symbol(index) {
            self.write_piece(self.bytes(symbol.start, symbol.length), 0, piece);
            index = symbol.after;
        }
    }

    fn write_piece(&self, bytes: &[u8], depth: u32, write: &mut impl FnMut(Option<u32>, &[u8])) {
        let piece = self.bpe.pieces.get(bytes);
        match (piece, self.apart.get(bytes)) {
            (Some(piece), _) if !piece.is_unused || depth > APART_DEPTH_MAX => write(Some(piece.id), bytes),
            (Some(_), Some(left)) => {
                let (left, right) = bytes.split_at_checked(*left).unwrap_or((bytes, b""));
                self.write_piece(left, depth + 1, write);
                self.write_piece(right, depth + 1, write);
            }
            _ => write(None, bytes),
        }
    }

    fn bytes(&self, start: u32, length: u32) -> &'a [u8] {
        self.text.get(start as usize..(start + length) as usize).unwrap_or_default()
    }

    fn symbol(&self, index: u32) -> Option<Symbol> {
        self.merges.symbols.get(index as usize).copied()
    }

    fn symbol_mut(&mut self, index: u32) -> Option<&mut Symbol> {
        self.merges.symbols.get_mut(index as usize)
    }
}
