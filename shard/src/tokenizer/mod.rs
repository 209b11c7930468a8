//! A SentencePiece unigram tokenizer: read from its `.model` file, or trained small.
//!
//! ```text
//! file        ModelFile        the .model protobuf: pieces, scores, normaliser
//! normalizer  Normalizer       precompiled character map, white space rules
//! trie        Trie             pieces by their bytes
//! unigram     Lattice          best segmentation (Viterbi), id for id that of SentencePiece 0.2
//! vocabulary  Vocabulary       SentencePiece ids <-> KOSMOS-1's ids, and the special tokens
//! training    train            words -> pieces and scores, for small models
//! stage       Tokenize         the stage `tokenizer`
//! ```

mod charsmap;
mod error;
mod file;
mod normalizer;
mod protobuf;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod training;
mod trie;
mod unigram;
mod vocabulary;

use crate::tokenizer::file::{ModelFile, PieceKind};
use crate::tokenizer::normalizer::Normalizer;
use crate::tokenizer::unigram::{Lattice, Unigram};

pub use error::TokenizerError;
pub use file::{MODEL_BYTES_MAX, PIECE_BYTES_MAX, PIECE_COUNT_MAX};
pub use stage::{TOKENIZER_MODEL, Tokenize, TokenizerConfig};
pub use training::{TrainingConfig, Words, train};
pub use vocabulary::{SPECIAL_COUNT, Vocabulary};

/// What SentencePiece puts between words in place of a space.
const SPACE_SYMBOL: &str = "\u{2581}";

/// A tokenizer, immutable and shared by threads.
#[derive(Debug)]
pub struct Tokenizer {
    file: ModelFile,
    normalizer: Normalizer,
    unigram: Unigram,
    vocabulary: Vocabulary,
}

impl Tokenizer {
    /// Reads a SentencePiece `.model` file of the type unigram.
    ///
    /// # Errors
    /// When the bytes are not such a file, exceed a bound, or ask for what is not supported.
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        Self::from_file(ModelFile::parse(bytes)?)
    }

    fn from_file(file: ModelFile) -> Result<Self, TokenizerError> {
        Ok(Self {
            normalizer: Normalizer::new(&file.normalizer)?,
            unigram: Unigram::new(&file)?,
            vocabulary: Vocabulary::new(file.pieces.len() as u32),
            file,
        })
    }

    /// Returns the numbering that the model is trained with.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Returns the number of SentencePiece ids, those of `<unk>`, `<s>` and `</s>` included.
    pub fn piece_count(&self) -> u32 {
        self.file.pieces.len() as u32
    }

    /// Returns an encoder, which keeps its buffers from text to text.
    pub fn encoder(&self) -> Encoder<'_> {
        Encoder { tokenizer: self, normalized: Vec::new(), lattice: Lattice::default() }
    }

    /// Returns a text's SentencePiece ids; none for a text of nothing but spaces.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.encoder().encode(text, &mut ids);
        ids
    }

    /// Returns the text of SentencePiece ids; ids outside the vocabulary are left out.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut decoder = Decoder { tokenizer: self, text: String::new(), bytes: Vec::new(), at_start: true };
        for piece in ids.iter().filter_map(|&id| self.file.pieces.get(id as usize)) {
            decoder.push(piece);
        }
        decoder.finish()
    }

    /// Returns the text of tokens in the model's numbering: `</line>` becomes a newline, other
    /// special tokens nothing, and an unknown piece SentencePiece's mark for it.
    pub fn text(&self, tokens: &[u32]) -> String {
        let lines = tokens.split(|&token| token == self.vocabulary.line_end());
        let lines = lines.map(|line| {
            let ids: Vec<u32> = line.iter().filter_map(|&token| self.vocabulary.piece_id(token)).collect();
            self.decode(&ids)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Encodes text after text with the same buffers.
#[derive(Debug)]
pub struct Encoder<'t> {
    tokenizer: &'t Tokenizer,
    normalized: Vec<u8>,
    lattice: Lattice,
}

impl Encoder<'_> {
    /// Appends a text's SentencePiece ids.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) {
        self.normalized.clear();
        self.tokenizer.normalizer.normalize(text, &mut self.normalized);
        self.tokenizer.unigram.encode(&self.normalized, &mut self.lattice, ids);
    }

    /// Appends a line's tokens in the model's numbering.
    pub fn tokens(&mut self, line: &str, tokens: &mut Vec<u32>) {
        let start = tokens.len();
        self.encode(line, tokens);
        for token in tokens.iter_mut().skip(start) {
            *token = self.tokenizer.vocabulary.token(*token);
        }
    }

    /// Returns the tokens of a text whose lines follow each other without a mark.
    ///
    /// For KOSMOS-1's normaliser, which makes a space of a newline, this is the same as to
    /// encode the whole; other normalisers would make an unknown piece of the newline.
    pub fn joined_lines(&mut self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        for line in text.split('\n') {
            self.tokens(line, &mut tokens);
        }
        tokens
    }
}

/// Puts pieces together again, with SentencePiece's rules for the first space.
struct Decoder<'t> {
    tokenizer: &'t Tokenizer,
    text: String,
    /// Byte pieces that may still make up a character.
    bytes: Vec<u8>,
    at_start: bool,
}

impl Decoder<'_> {
    fn push(&mut self, piece: &file::Piece) {
        if let PieceKind::Byte(byte) = piece.kind {
            self.bytes.push(byte);
            return;
        }
        self.flush_bytes();
        self.at_start &= self.text.is_empty();
        match piece.kind {
            PieceKind::Unknown => self.text.push_str(&self.tokenizer.file.unknown_surface),
            PieceKind::Normal | PieceKind::Unused => self.push_surface(&piece.text),
            PieceKind::Control | PieceKind::Byte(_) => {}
        }
    }

    fn push_surface(&mut self, piece: &str) {
        let spec = &self.tokenizer.file.normalizer;
        let mut surface = piece;
        let goes = self.at_start && (spec.add_dummy_prefix || spec.remove_extra_whitespaces);
        if let (true, Some(rest)) = (goes, piece.strip_prefix(SPACE_SYMBOL)) {
            surface = rest;
            // Only the dummy prefix goes, unless all leading spaces are extra.
            self.at_start = spec.remove_extra_whitespaces;
        }
        self.text.push_str(&surface.replace(SPACE_SYMBOL, " "));
    }

    /// Byte pieces that are no character become one replacement character each.
    fn flush_bytes(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let valid = match std::str::from_utf8(rest) {
                Ok(text) => text,
                Err(error) => rest
                    .get(..error.valid_up_to())
                    .and_then(|valid| std::str::from_utf8(valid).ok())
                    .unwrap_or_default(),
            };
            self.text.push_str(valid);
            rest = rest.get(valid.len()..).unwrap_or_default();
            if let Some((_, tail)) = rest.split_first() {
                self.text.push(char::REPLACEMENT_CHARACTER);
                rest = tail;
            }
        }
    }

    fn finish(mut self) -> String {
        self.flush_bytes();
        self.text
    }
}
