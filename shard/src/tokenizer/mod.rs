//! Tokenizers: SentencePiece's `.model` files, Hugging Face's `tokenizer.json`, or a model trained small.
//!
//! ```text
//! sentencepiece SentencePiece  a .model file, id for id as SentencePiece 0.2.3
//!   file        ModelFile      its protobuf: pieces, scores, normaliser
//!   normalizer  Normalizer     precompiled character map, white space rules
//!   segmenter   Segmenter      pieces of the normalised text:
//!   unigram     Unigram        ... the best segmentation (Viterbi)
//!   bpe         Bpe            ... by merging neighbours
//!   words       WordCache      ... of words that came before
//!   trie        Trie           pieces by their bytes
//! json          Json           a tokenizer.json, through the tokenizers crate
//! vocabulary    Vocabulary     the file's ids <-> KOSMOS-1's ids, and the special tokens
//! training      train          words -> pieces and scores, for small models
//! stage         Tokenize       the stage `tokenizer`
//! ```

mod bpe;
mod charsmap;
mod error;
mod file;
mod json;
mod normalizer;
mod protobuf;
mod segmenter;
mod sentencepiece;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod training;
mod trie;
mod unigram;
mod vocabulary;
mod words;

use crate::tokenizer::file::{Algorithm, ModelFile};
use crate::tokenizer::json::Json;
use crate::tokenizer::sentencepiece::{Buffers, SentencePiece};

pub use error::TokenizerError;
pub use file::{MODEL_BYTES_MAX, PIECE_BYTES_MAX, PIECE_COUNT_MAX};
pub use stage::{TOKENIZER_MODEL, Tokenize, TokenizerConfig, read_file};
pub use training::{TrainingConfig, Words, train};
pub use vocabulary::{SPECIAL_COUNT, Vocabulary};

/// What SentencePiece puts between words in place of a space.
const SPACE_SYMBOL: &str = "\u{2581}";

/// A tokenizer, immutable and shared by threads.
#[derive(Debug)]
pub struct Tokenizer {
    model: Model,
    vocabulary: Vocabulary,
}

#[derive(Debug)]
enum Model {
    SentencePiece(Box<SentencePiece>),
    Json(Box<Json>),
}

impl Tokenizer {
    /// Reads a SentencePiece `.model` file or a `tokenizer.json` of Hugging Face, told apart by their content.
    ///
    /// # Errors
    /// When the bytes are no such file, exceed a bound, or ask for what is not supported.
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let length = bytes.len() as u64;
        if length > MODEL_BYTES_MAX {
            return Err(TokenizerError::TooLarge { bytes: length, bytes_max: MODEL_BYTES_MAX });
        }
        if bytes.trim_ascii_start().starts_with(b"{") {
            let json = Json::parse(bytes)?;
            let vocabulary = Vocabulary::of(json.id_count(), json.special());
            return Ok(Self { model: Model::Json(Box::new(json)), vocabulary });
        }
        Self::from_file(ModelFile::parse(bytes)?)
    }

    fn from_file(file: ModelFile) -> Result<Self, TokenizerError> {
        let model = SentencePiece::new(file)?;
        let vocabulary = Vocabulary::of(model.file().pieces.len() as u32, model.special());
        Ok(Self { model: Model::SentencePiece(Box::new(model)), vocabulary })
    }

    /// Returns the numbering that the model is trained with.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Returns the number of the file's own ids, special ones included.
    pub fn piece_count(&self) -> u32 {
        match &self.model {
            Model::SentencePiece(model) => model.file().pieces.len() as u32,
            Model::Json(json) => json.id_count(),
        }
    }

    /// Returns what kind of model it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.model {
            Model::SentencePiece(model) => match model.file().algorithm {
                Algorithm::Unigram => "SentencePiece, unigram",
                Algorithm::Bpe => "SentencePiece, BPE",
                Algorithm::Word => "SentencePiece, words",
                Algorithm::Character => "SentencePiece, characters",
            },
            Model::Json(_) => "tokenizer.json",
        }
    }

    /// Returns an encoder, which keeps its buffers from text to text.
    pub fn encoder(&self) -> Encoder<'_> {
        Encoder { tokenizer: self, buffers: Buffers::default() }
    }

    /// Returns the text of the file's ids; ids outside the vocabulary are left out.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn decode(&self, ids: &[u32]) -> Result<String, TokenizerError> {
        match &self.model {
            Model::SentencePiece(model) => Ok(model.decode(ids)),
            Model::Json(json) => json.decode(ids),
        }
    }

    /// Returns the text of tokens in the model's numbering: `</line>` becomes a newline, other
    /// special tokens nothing, and an unknown piece SentencePiece's mark for it.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn text(&self, tokens: &[u32]) -> Result<String, TokenizerError> {
        let lines = tokens.split(|&token| token == self.vocabulary.line_end());
        let lines = lines.map(|line| {
            let ids: Vec<u32> = line.iter().filter_map(|&token| self.vocabulary.piece_id(token)).collect();
            self.decode(&ids)
        });
        Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }
}

/// Encodes text after text with the same buffers; remembers words in 4.7 MB.
#[derive(Debug)]
pub struct Encoder<'t> {
    tokenizer: &'t Tokenizer,
    buffers: Buffers,
}

impl Encoder<'_> {
    /// Returns the numbering of tokens.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.tokenizer.vocabulary
    }

    /// Appends a text's ids, as the file numbers them; none for a text of nothing but spaces.
    ///
    /// # Errors
    /// When the `tokenizers` crate fails on the text; models of SentencePiece encode any.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) -> Result<(), TokenizerError> {
        match &self.tokenizer.model {
            Model::SentencePiece(model) => model.encode(text, &mut self.buffers, ids),
            Model::Json(json) => json.encode(text, ids)?,
        }
        Ok(())
    }

    /// Appends a line's tokens in the model's numbering.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn tokens(&mut self, line: &str, tokens: &mut Vec<u32>) -> Result<(), TokenizerError> {
        let start = tokens.len();
        self.encode(line, tokens)?;
        for token in tokens.iter_mut().skip(start) {
            *token = self.tokenizer.vocabulary.token(*token);
        }
        Ok(())
    }

    /// Returns the tokens of a text whose lines follow each other without a mark.
    ///
    /// For KOSMOS-1's normaliser, which makes a space of a newline, this is the same as to
    /// encode the whole; other normalisers would make an unknown piece of the newline.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn joined_lines(&mut self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let mut tokens = Vec::new();
        for line in text.split('\n') {
            self.tokens(line, &mut tokens)?;
        }
        Ok(tokens)
    }
}
