//! What all segmentations have in common: user-defined pieces, unknown characters, whole words.

use std::collections::HashMap;
use std::sync::Arc;

use crate::tokenizer::TokenizerError;
use crate::tokenizer::bpe::{Bpe, Merges};
use crate::tokenizer::file::{Algorithm, ModelFile, PieceKind};
use crate::tokenizer::normalizer::character_bytes;
use crate::tokenizer::trie::{NO_PIECE, ROOT, Trie};
use crate::tokenizer::unigram::{Lattice, Unigram};
use crate::tokenizer::words::{WordCache, cut, word_bytes};

/// User-defined pieces that one text may begin with; SentencePiece looks at no more.
const NESTED_MAX: u32 = 64;

/// Texts that are always pieces of their own.
#[derive(Debug)]
pub(crate) struct UserDefined(Option<Trie>);

impl UserDefined {
    pub(crate) fn new(file: &ModelFile) -> Result<Self, TokenizerError> {
        let texts = file.pieces.iter().filter(|piece| piece.kind == PieceKind::UserDefined);
        let texts: Vec<_> = texts.map(|piece| (piece.text.as_bytes(), 0, 0.0)).collect();
        let trie = if texts.is_empty() { None } else { Some(Trie::new(texts)?) };
        Ok(Self(trie))
    }

    /// Returns that of a model without any.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Returns the bytes of the longest one that the text begins with, of the [`NESTED_MAX`] shortest.
    pub(crate) fn longest(&self, text: &[u8]) -> Option<usize> {
        let (mut node, mut found, mut nested) = (ROOT, None, 0);
        let trie = self.0.as_ref()?;
        for (index, byte) in text.iter().enumerate() {
            let Some((child, score)) = trie.step(node, *byte) else {
                break;
            };
            if score > NO_PIECE {
                found = Some(index + 1);
                nested += 1;
                if nested == NESTED_MAX {
                    break;
                }
            }
            node = child;
        }
        found
    }

    /// Returns true if and only if one begins with this byte.
    pub(crate) fn begins_with(&self, byte: u8) -> bool {
        self.0.as_ref().is_some_and(|trie| trie.step(ROOT, byte).is_some())
    }

    /// Returns the bytes of the text's first symbol, and whether it is user-defined: else it is a character.
    pub(crate) fn symbol(&self, text: &[u8]) -> (usize, bool) {
        match self.longest(text) {
            Some(length) => (length, true),
            None => (character_bytes(text), false),
        }
    }
}

/// What becomes of characters without a piece.
#[derive(Debug)]
struct Unknown {
    id: u32,
    /// Ids by byte, if unknown characters become bytes.
    byte_ids: Option<Vec<u32>>,
}

/// Ids being written: unknown ones become bytes, or one for all in a row.
pub(crate) struct Ids<'a> {
    unknown: &'a Unknown,
    after_unknown: bool,
    ids: &'a mut Vec<u32>,
}

impl Ids<'_> {
    /// Appends a piece, or bytes without one.
    #[inline]
    pub(crate) fn push(&mut self, id: Option<u32>, bytes: &[u8]) {
        match (id, &self.unknown.byte_ids) {
            (Some(id), _) => self.ids.push(id),
            (None, Some(byte_ids)) => {
                self.ids.extend(bytes.iter().filter_map(|byte| byte_ids.get(usize::from(*byte))));
            }
            (None, None) if self.after_unknown => {}
            (None, None) => self.ids.push(self.unknown.id),
        }
        self.after_unknown = id.is_none();
    }
}

/// Cuts normalised text into pieces.
#[derive(Debug)]
pub(crate) struct Segmenter {
    algorithm: Segmentation,
    user_defined: Arc<UserDefined>,
    unknown: Unknown,
}

#[derive(Debug)]
enum Segmentation {
    Unigram(Unigram),
    Bpe(Bpe),
    /// Words are not cut; a word with no id is unknown as a whole.
    Words(HashMap<Box<[u8]>, u32>),
    Characters(HashMap<Box<[u8]>, u32>),
}

/// Buffers of [`Segmenter::encode`], kept from text to text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) lattice: Lattice,
    pub(crate) merges: Merges,
    pub(crate) words: WordCache,
}

impl Segmenter {
    pub(crate) fn new(file: &ModelFile, user_defined: Arc<UserDefined>) -> Result<Self, TokenizerError> {
        Ok(Self {
            algorithm: match file.algorithm {
                Algorithm::Unigram => Segmentation::Unigram(Unigram::new(file)?),
                Algorithm::Bpe => Segmentation::Bpe(Bpe::new(file)),
                Algorithm::Word => Segmentation::Words(whole(file)),
                Algorithm::Character => Segmentation::Characters(whole(file)),
            },
            user_defined,
            unknown: Unknown { id: file.unknown_id(), byte_ids: file.byte_ids() },
        })
    }

    /// Appends the ids of a normalised text.
    pub(crate) fn encode(&self, text: &[u8], scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let mut ids = Ids { unknown: &self.unknown, after_unknown: false, ids };
        match &self.algorithm {
            Segmentation::Unigram(unigram) => unigram.encode(text, scratch, &mut ids),
            Segmentation::Bpe(bpe) => bpe.encode(text, &self.user_defined, scratch, &mut ids),
            Segmentation::Words(words) => {
                cut(text, word_bytes, |word| ids.push(words.get(word).copied(), word));
            }
            Segmentation::Characters(characters) => {
                let symbol = |rest: &[u8]| self.user_defined.symbol(rest).0;
                cut(text, symbol, |symbol| ids.push(characters.get(symbol).copied(), symbol));
            }
        }
    }
}

/// Returns the pieces that texts may be as a whole.
fn whole(file: &ModelFile) -> HashMap<Box<[u8]>, u32> {
    let is_whole = |kind| matches!(kind, PieceKind::Normal | PieceKind::UserDefined);
    let pieces = file.pieces.iter().zip(0..).filter(|(piece, _)| is_whole(piece.kind));
    pieces.map(|(piece, id)| (piece.text.as_bytes().into(), id)).collect()
}
