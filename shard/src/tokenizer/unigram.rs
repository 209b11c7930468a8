//! The best segmentation of a text into pieces: Viterbi over a lattice made on the fly.
//!
//! The arithmetic is that of `Model::EncodeOptimized` of SentencePiece 0.2.3
//! (`src/unigram_model.cc`), so that ties fall alike: sums are single precision from left to
//! right and begin anew beyond a bound, the first of equals wins, and a character without a
//! piece of its own costs ten more than the least likely piece.

use crate::tokenizer::TokenizerError;
use crate::tokenizer::file::{ModelFile, Piece, PieceKind};
use crate::tokenizer::normalizer::character_bytes;
use crate::tokenizer::segmenter::{Ids, Scratch};
use crate::tokenizer::trie::{NO_PIECE, ROOT, Trie};
use crate::tokenizer::words::{WORD_BYTES_MAX, Word, WordPiece, are_apart, cut, word_bytes};

/// What an unknown character costs beyond the least likely piece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// Sums begin anew beyond this, before single precision gets too coarse.
const SCORE_MAX: f32 = 100_000.0;
/// Bytes of a UTF-8 character at most.
const CHARACTER_BYTES_MAX: usize = 4;
/// What each further byte of a user-defined piece adds to its score: the best of all, so that it is always taken.
const USER_DEFINED_STEP: f64 = 0.1;
/// Node of the lattice at which an unknown character ends: the root ends no piece.
const UNKNOWN_NODE: u32 = ROOT;

/// Pieces with their scores.
#[derive(Debug)]
pub(crate) struct Unigram {
    trie: Trie,
    /// Bytes of the longest piece or character: how far ahead of its start a segmentation reaches.
    reach: usize,
    unknown_score: f32,
    /// Largest absolute value of a score.
    score_bound: f64,
    /// No piece reaches over the start of a word.
    words_are_apart: bool,
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
        let scored = |kind, score: fn(&Piece) -> f32| {
            let pieces = file.pieces.iter().zip(0_u32..).filter(move |(piece, _)| piece.kind == kind);
            pieces.map(move |(piece, id)| (piece.text.as_bytes(), id, score(piece)))
        };
        let mut pieces: Vec<_> = scored(PieceKind::Normal, |piece| piece.score).collect();
        if pieces.is_empty() {
            return Err(TokenizerError::Unsupported { detail: "it has no normal pieces" });
        }
        let score_min = pieces.iter().fold(f32::MAX, |least, (_, _, score)| least.min(*score));
        pieces.extend(scored(PieceKind::UserDefined, |piece| {
            (USER_DEFINED_STEP * (piece.text.len() as f64 - 1.0)) as f32
        }));
        Ok(Self {
            reach: pieces.iter().map(|(text, ..)| text.len()).max().unwrap_or(0).max(CHARACTER_BYTES_MAX),
            score_bound: pieces
                .iter()
                .map(|(_, _, score)| *score)
                .chain([score_min - UNKNOWN_PENALTY])
                .fold(0.0, |bound: f64, score| bound.max(f64::from(score).abs())),
            trie: Trie::new(pieces)?,
            unknown_score: score_min - UNKNOWN_PENALTY,
            words_are_apart: are_apart(file),
        })
    }

    /// Appends the ids of the best segmentation.
    pub(crate) fn encode(&self, text: &[u8], scratch: &mut Scratch, ids: &mut Ids<'_>) {
        let mut score = 0.0;
        let first_bytes = |rest: &[u8]| if self.words_are_apart { word_bytes(rest) } else { rest.len() };
        cut(text, first_bytes, |part| {
            score = self.known_word(part, score, scratch, ids).unwrap_or_else(|| {
                self.fill(part, score, &mut scratch.lattice);
                self.write(part, &mut scratch.lattice, ids)
            });
        });
    }

    /// Appends the ids of a word that is remembered, and returns the score with it; `None` if it is too long, or if
    /// single precision might prefer another way at this score.
    ///
    /// The best way is found, whatever the sums are rounded to, if it is better than any other by more than both sums
    /// can be wrong: each addition is wrong by half a unit in the last place of what all scores can add up to.
    #[inline]
    fn known_word(&self, bytes: &[u8], score: f32, scratch: &mut Scratch, ids: &mut Ids<'_>) -> Option<f32> {
        if !self.words_are_apart {
            return None;
        }
        let word = scratch.words.get_or(bytes, || self.word(bytes))?;
        let additions = bytes.len() as f64 + 1.0;
        let sum_max = f64::from(score).abs() + additions * self.score_bound;
        if sum_max >= f64::from(SCORE_MAX)
            || f64::from(word.margin) <= 2.0 * additions * sum_max * f64::from(f32::EPSILON)
        {
            return None;
        }
        word.write(bytes, ids);
        Some(word.score_behind(score))
    }

    /// Returns the best way through a word, and by how much it is the best.
    fn word(&self, bytes: &[u8]) -> Option<Word> {
        let mut ways = [Ways::NONE; WORD_BYTES_MAX + 1];
        ways[0].best = 0.0;
        let mut start = 0;
        while start < bytes.len() {
            let (rest, from) = (&bytes[start..], ways[start]);
            let length = character_bytes(rest);
            let (mut node, mut has_character) = (ROOT, false);
            for (index, byte) in rest.iter().enumerate() {
                let Some((child, score)) = self.trie.step(node, *byte) else { break };
                node = child;
                if score > NO_PIECE {
                    has_character |= index + 1 == length;
                    let piece = WordPiece { id: Some(self.trie.id(node)), score, bytes: index as u8 + 1 };
                    ways[start + index + 1].offer(from, piece);
                }
            }
            if !has_character {
                let piece = WordPiece { id: None, score: self.unknown_score, bytes: length as u8 };
                ways[start + length].offer(from, piece);
            }
            start += length;
        }
        let end = ways[bytes.len()];
        let (mut pieces, mut at) = (Vec::new(), bytes.len());
        while at > 0 {
            let last = ways.get(at)?.last;
            pieces.push(last);
            at = at.checked_sub(last.bytes.into())?;
        }
        pieces.reverse();
        Word::new(&pieces, end.best - end.second)
    }

    /// Appends the ids of the best way through a lattice; returns its score.
    fn write(&self, text: &[u8], lattice: &mut Lattice, ids: &mut Ids<'_>) -> f32 {
        lattice.trace(text.len());
        for &(end, start) in lattice.path.iter().rev() {
            let node = lattice.cells.get(end as usize).map_or(UNKNOWN_NODE, |cell| cell.node);
            let bytes = text.get(start as usize..end as usize).unwrap_or_default();
            ids.push((node != UNKNOWN_NODE).then(|| self.trie.id(node)), bytes);
        }
        lattice.cells.get(text.len()).map_or(0.0, |cell| cell.score)
    }

    fn fill(&self, text: &[u8], score: f32, lattice: &mut Lattice) {
        lattice.cells.clear();
        lattice.cells.resize(text.len() + 1, UNREACHED);
        if let Some(first) = lattice.cells.first_mut() {
            first.score = score;
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

/// The best ways to the end of a prefix of a word.
#[derive(Debug, Clone, Copy)]
struct Ways {
    best: f64,
    second: f64,
    /// Last piece of the best one.
    last: WordPiece,
}

impl Ways {
    const NONE: Self = Self {
        best: f64::NEG_INFINITY,
        second: f64::NEG_INFINITY,
        last: WordPiece { id: None, score: 0.0, bytes: 1 },
    };

    /// Takes note of a piece that ends here, behind the ways to its start.
    fn offer(&mut self, from: Self, piece: WordPiece) {
        let (best, second) = (from.best + f64::from(piece.score), from.second + f64::from(piece.score));
        if best > self.best {
            (self.second, self.best, self.last) = (self.best.max(second), best, piece);
        } else {
            self.second = self.second.max(best);
        }
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
