//! Words whose pieces are known: a text has few words that come once.
//!
//! Where no piece reaches over the space symbol that begins a word, words are segmented one by one.

use crate::tokenizer::SPACE_SYMBOL;
use crate::tokenizer::file::{ModelFile, PieceKind};
use crate::tokenizer::segmenter::Ids;

/// Bytes of a remembered word at most.
pub(crate) const WORD_BYTES_MAX: usize = 20;
/// Pieces of a remembered word at most.
const PIECES_MAX: usize = 4;
/// Places for words, 4 MiB of them. A word takes the place of another.
const SLOTS: usize = 1 << 16;
/// Id of a piece that is unknown.
const UNKNOWN: u32 = u32::MAX;

/// One piece of a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WordPiece {
    pub(crate) id: Option<u32>,
    pub(crate) score: f32,
    pub(crate) bytes: u8,
}

/// How a word is segmented: one line of the processor's cache.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(crate) struct Word {
    key: [u8; WORD_BYTES_MAX],
    key_bytes: u8,
    piece_count: u8,
    /// By how much it is better than any other way.
    pub(crate) margin: f32,
    ids: [u32; PIECES_MAX],
    scores: [f32; PIECES_MAX],
    bytes: [u8; PIECES_MAX],
}

impl Word {
    const NONE: Self = Self {
        key: [0; WORD_BYTES_MAX],
        key_bytes: 0,
        piece_count: 0,
        margin: 0.0,
        ids: [UNKNOWN; PIECES_MAX],
        scores: [0.0; PIECES_MAX],
        bytes: [0; PIECES_MAX],
    };

    /// Makes a word of its pieces; none of too many.
    pub(crate) fn new(pieces: &[WordPiece], margin: f64) -> Option<Self> {
        let mut word = Self { margin: margin as f32, piece_count: pieces.len() as u8, ..Self::NONE };
        for (index, piece) in pieces.iter().enumerate() {
            *word.ids.get_mut(index)? = piece.id.unwrap_or(UNKNOWN);
            *word.scores.get_mut(index)? = piece.score;
            *word.bytes.get_mut(index)? = piece.bytes;
        }
        Some(word)
    }

    /// Appends the ids of the pieces.
    #[inline]
    pub(crate) fn write(&self, text: &[u8], ids: &mut Ids<'_>) {
        let mut rest = text;
        for (&id, &bytes) in self.ids.iter().zip(&self.bytes).take(self.piece_count.into()) {
            let (bytes, after) = rest.split_at_checked(bytes.into()).unwrap_or((rest, b""));
            ids.push((id != UNKNOWN).then_some(id), bytes);
            rest = after;
        }
    }

    /// Returns the score behind the word, summed as a lattice sums it.
    #[inline]
    pub(crate) fn score_behind(&self, score: f32) -> f32 {
        self.scores.iter().take(self.piece_count.into()).fold(score, |sum, score| sum + score)
    }
}

/// Words that came lately.
#[derive(Debug)]
pub(crate) struct WordCache {
    slots: Vec<Word>,
    /// Hashes of the words in the slots, and of those that were missed there the last time: such a word is remembered
    /// when it comes again.
    hashes: Vec<(u32, u32)>,
    hasher: ahash::RandomState,
}

impl Default for WordCache {
    fn default() -> Self {
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        Self { slots: Vec::new(), hashes: Vec::new(), hasher }
    }
}

impl WordCache {
    /// Returns the word of these bytes; `segment` is asked for one that comes the second time.
    #[inline]
    pub(crate) fn get_or(&mut self, bytes: &[u8], segment: impl FnOnce() -> Option<Word>) -> Option<&Word> {
        if bytes.len() > WORD_BYTES_MAX {
            return None;
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Word::NONE);
            self.hashes.resize(SLOTS, (0, 0));
        }
        let hash = self.hasher.hash_one(bytes);
        let index = hash as usize % SLOTS;
        let (slot, (here, missed)) = (self.slots.get_mut(index)?, self.hashes.get_mut(index)?);
        let hash = (hash >> 32) as u32 | 1;
        if *here != hash || slot.key.get(..slot.key_bytes.into()) != Some(bytes) {
            if std::mem::replace(missed, hash) != hash {
                return None;
            }
            let mut word = Word { key_bytes: bytes.len() as u8, ..segment()? };
            word.key.get_mut(..bytes.len())?.copy_from_slice(bytes);
            (*slot, *here) = (word, hash);
        }
        Some(slot)
    }
}

/// Returns true if and only if no piece has a space symbol but at its start, so that none reaches over the start of a
/// word.
pub(crate) fn are_apart(file: &ModelFile) -> bool {
    let is_reserved = |kind| matches!(kind, PieceKind::Control | PieceKind::Unknown | PieceKind::Byte(_));
    let pieces = file.pieces.iter().filter(|piece| !is_reserved(piece.kind));
    pieces
        .map(|piece| piece.text.strip_prefix(SPACE_SYMBOL).unwrap_or(&piece.text))
        .all(|rest| !rest.contains(SPACE_SYMBOL))
}

/// Returns the bytes of the first word: it begins with a space symbol, if the text does.
#[inline]
pub(crate) fn word_bytes(text: &[u8]) -> usize {
    let space = SPACE_SYMBOL.as_bytes();
    let mut start = 1;
    while let Some(found) = text.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == space[0]))
    {
        if text.get(start + found..).is_some_and(|rest| rest.starts_with(space)) {
            return start + found;
        }
        start += found + 1;
    }
    text.len()
}

/// Hands on the parts of a text, each of as many bytes as are asked for at its start.
#[inline]
pub(crate) fn cut<'t>(text: &'t [u8], first_bytes: impl Fn(&[u8]) -> usize, mut push: impl FnMut(&'t [u8])) {
    let mut rest = text;
    while let Some((first, after)) =
        rest.split_at_checked(first_bytes(rest)).filter(|(first, _)| !first.is_empty())
    {
        push(first);
        rest = after;
    }
}
