//! A model of SentencePiece's `.model` file.

use std::sync::Arc;

use crate::tokenizer::file::{ModelFile, Piece, PieceKind};
use crate::tokenizer::normalizer::Normalizer;
use crate::tokenizer::segmenter::{Scratch, Segmenter, UserDefined};
use crate::tokenizer::vocabulary::Special;
use crate::tokenizer::{SPACE_SYMBOL, TokenizerError};

/// Encodes and decodes as SentencePiece 0.2.3 does, id for id.
#[derive(Debug)]
pub(crate) struct SentencePiece {
    file: ModelFile,
    normalizer: Normalizer,
    segmenter: Segmenter,
}

/// Buffers of [`SentencePiece::encode`], kept from text to text.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    normalized: Vec<u8>,
    scratch: Scratch,
}

impl SentencePiece {
    pub(crate) fn new(file: ModelFile) -> Result<Self, TokenizerError> {
        let user_defined = Arc::new(UserDefined::new(&file)?);
        Ok(Self {
            normalizer: Normalizer::new(&file.normalizer, user_defined.clone())?,
            segmenter: Segmenter::new(&file, user_defined)?,
            file,
        })
    }

    pub(crate) fn file(&self) -> &ModelFile {
        &self.file
    }

    /// Returns which ids stand for fairseq's special tokens.
    pub(crate) fn special(&self) -> Special {
        let control = &self.file.control;
        Special {
            unknown: Some(self.file.unknown_id()),
            start: self.file.control_id(&control.start),
            end: self.file.control_id(&control.end),
            padding: self.file.control_id(&control.padding),
        }
    }

    /// Appends a text's ids.
    pub(crate) fn encode(&self, text: &str, buffers: &mut Buffers, ids: &mut Vec<u32>) {
        buffers.normalized.clear();
        self.normalizer.normalize(text, &mut buffers.normalized);
        self.segmenter.encode(&buffers.normalized, &mut buffers.scratch, ids);
    }

    /// Returns the text of ids; ids outside the vocabulary are left out.
    pub(crate) fn decode(&self, ids: &[u32]) -> String {
        let mut decoder =
            Decoder { file: &self.file, text: String::new(), bytes: Vec::new(), at_start: true };
        for piece in ids.iter().filter_map(|&id| self.file.pieces.get(id as usize)) {
            decoder.push(piece);
        }
        decoder.finish()
    }
}

/// Puts pieces together again, with SentencePiece's rules for the first space.
struct Decoder<'f> {
    file: &'f ModelFile,
    text: String,
    /// Byte pieces that may still make up a character.
    bytes: Vec<u8>,
    at_start: bool,
}

impl Decoder<'_> {
    fn push(&mut self, piece: &Piece) {
        if let PieceKind::Byte(byte) = piece.kind {
            self.bytes.push(byte);
            return;
        }
        self.flush_bytes();
        self.at_start &= self.text.is_empty();
        match piece.kind {
            PieceKind::Unknown => self.text.push_str(&self.file.unknown_surface),
            PieceKind::Normal | PieceKind::UserDefined | PieceKind::Unused => self.push_surface(&piece.text),
            PieceKind::Control | PieceKind::Byte(_) => {}
        }
    }

    fn push_surface(&mut self, piece: &str) {
        let spec = &self.file.normalizer;
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
