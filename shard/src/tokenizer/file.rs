//! The `.model` file: pieces with their scores, and how text is normalised before.
//!
//! Source of the field numbers: `src/sentencepiece_model.proto` of google/sentencepiece.

use std::collections::BTreeSet;

use crate::tokenizer::TokenizerError;
use crate::tokenizer::protobuf::{Fields, Message, Value};

/// Bytes of a model file at most: KOSMOS-1's has 1.4 MB.
pub const MODEL_BYTES_MAX: u64 = 64 << 20;
/// Pieces of a model at most.
pub const PIECE_COUNT_MAX: usize = 1 << 20;
/// Bytes of one piece at most; SentencePiece trains 16 characters.
pub const PIECE_BYTES_MAX: usize = 1 << 10;

const UNIGRAM: u64 = 1;
/// What SentencePiece writes for an unknown piece unless the model says otherwise.
const UNKNOWN_SURFACE: &str = " \u{2047} ";

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Normal,
    Unknown,
    Control,
    Unused,
    /// One byte of a character that no piece holds.
    Byte(u8),
}

/// One entry of the vocabulary; its index is its SentencePiece id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Natural logarithm of the probability.
    pub(crate) score: f32,
    pub(crate) kind: PieceKind,
}

/// What happens to a text before it is segmented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NormalizerSpec {
    /// Empty: characters stay as they are.
    pub(crate) precompiled_charsmap: Vec<u8>,
    pub(crate) add_dummy_prefix: bool,
    pub(crate) remove_extra_whitespaces: bool,
    pub(crate) escape_whitespaces: bool,
}

impl Default for NormalizerSpec {
    /// Returns the defaults of the protobuf.
    fn default() -> Self {
        Self {
            precompiled_charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        }
    }
}

/// What a `.model` file says, as far as encoding and decoding depend on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) byte_fallback: bool,
    pub(crate) unknown_surface: String,
    pub(crate) normalizer: NormalizerSpec,
}

impl ModelFile {
    /// Makes the model of these normal pieces behind the three that every model begins with.
    pub(crate) fn of_pieces(pieces: impl IntoIterator<Item = (String, f32)>) -> Self {
        let special =
            [("<unk>", PieceKind::Unknown), ("<s>", PieceKind::Control), ("</s>", PieceKind::Control)];
        let special = special.map(|(text, kind)| Piece { text: text.to_owned(), score: 0.0, kind });
        let normal = pieces.into_iter().map(|(text, score)| Piece { text, score, kind: PieceKind::Normal });
        Self {
            pieces: special.into_iter().chain(normal).collect(),
            byte_fallback: false,
            unknown_surface: UNKNOWN_SURFACE.to_owned(),
            normalizer: NormalizerSpec::default(),
        }
    }

    /// Reads a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let length = bytes.len() as u64;
        if length > MODEL_BYTES_MAX {
            return Err(TokenizerError::TooLarge { bytes: length, bytes_max: MODEL_BYTES_MAX });
        }
        let mut model = Self::of_pieces([]);
        model.pieces.clear();
        for field in Fields::new("ModelProto", bytes) {
            match field? {
                (1, Value::Bytes(piece)) if model.pieces.len() < PIECE_COUNT_MAX => {
                    model.pieces.push(parse_piece(model.pieces.len(), piece)?);
                }
                (1, _) => return Err(piece_error(model.pieces.len(), "too many, or not a message")),
                (2, Value::Bytes(spec)) => model.parse_trainer_spec(spec)?,
                (3, Value::Bytes(spec)) => model.normalizer = parse_normalizer_spec(spec)?,
                _ => {}
            }
        }
        model.check_pieces()?;
        Ok(model)
    }

    fn parse_trainer_spec(&mut self, bytes: &[u8]) -> Result<(), TokenizerError> {
        for field in Fields::new("TrainerSpec", bytes) {
            match field? {
                (3, Value::Varint(kind)) if kind != UNIGRAM => {
                    return Err(unsupported("its type is not unigram"));
                }
                (24, Value::Varint(1)) => return Err(unsupported("it treats white space as a suffix")),
                (35, Value::Varint(on)) => self.byte_fallback = on != 0,
                (44, Value::Bytes(surface)) => {
                    self.unknown_surface = String::from_utf8_lossy(surface).into_owned()
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what the encoder and KOSMOS-1's numbering rely on.
    fn check_pieces(&self) -> Result<(), TokenizerError> {
        let expected =
            [("<unk>", PieceKind::Unknown), ("<s>", PieceKind::Control), ("</s>", PieceKind::Control)];
        for (index, (text, kind)) in expected.into_iter().enumerate() {
            if !self.pieces.get(index).is_some_and(|piece| piece.kind == kind && piece.text == text) {
                return Err(piece_error(index, "the first three must be <unk>, <s>, </s>"));
            }
        }
        let (mut seen, mut bytes) = (BTreeSet::new(), BTreeSet::new());
        for (index, piece) in self.pieces.iter().enumerate() {
            if !seen.insert(piece.text.as_str()) {
                return Err(piece_error(index, "it is there twice"));
            }
            match piece.kind {
                PieceKind::Unknown if index != 0 => return Err(piece_error(index, "a second unknown piece")),
                PieceKind::Byte(byte) => drop(bytes.insert(byte)),
                _ => {}
            }
        }
        if self.byte_fallback && bytes.len() != 256 {
            return Err(unsupported("byte fallback without 256 byte pieces"));
        }
        Ok(())
    }

    /// Writes a file that SentencePiece reads: a unigram model whose characters stay as they are.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut model = Message::default();
        for piece in &self.pieces {
            let mut message = Message::default();
            message.bytes(1, piece.text.as_bytes());
            message.float(2, piece.score);
            message.varint(
                3,
                match piece.kind {
                    PieceKind::Normal => 1,
                    PieceKind::Unknown => 2,
                    PieceKind::Control => 3,
                    PieceKind::Unused => 5,
                    PieceKind::Byte(_) => 6,
                },
            );
            model.bytes(1, &message.into_bytes());
        }
        let mut trainer = Message::default();
        trainer.varint(3, UNIGRAM);
        trainer.varint(4, self.pieces.len() as u64);
        trainer.varint(35, self.byte_fallback.into());
        trainer.bytes(44, self.unknown_surface.as_bytes());
        model.bytes(2, &trainer.into_bytes());
        let mut normalizer = Message::default();
        normalizer.bytes(1, b"identity");
        normalizer.bytes(2, &self.normalizer.precompiled_charsmap);
        normalizer.varint(3, self.normalizer.add_dummy_prefix.into());
        normalizer.varint(4, self.normalizer.remove_extra_whitespaces.into());
        normalizer.varint(5, self.normalizer.escape_whitespaces.into());
        model.bytes(3, &normalizer.into_bytes());
        model.into_bytes()
    }
}

fn parse_piece(index: usize, bytes: &[u8]) -> Result<Piece, TokenizerError> {
    let (mut text, mut score, mut kind) = (String::new(), 0.0, PieceKind::Normal);
    for field in Fields::new("SentencePiece", bytes) {
        match field? {
            (1, Value::Bytes(bytes)) if bytes.len() <= PIECE_BYTES_MAX => {
                let valid = std::str::from_utf8(bytes);
                text = valid.map_err(|_| piece_error(index, "it is not UTF-8"))?.to_owned();
            }
            (1, _) => return Err(piece_error(index, "it is too long, or not a text")),
            (2, Value::Fixed32(bits)) => score = f32::from_bits(bits),
            (3, Value::Varint(1)) => kind = PieceKind::Normal,
            (3, Value::Varint(2)) => kind = PieceKind::Unknown,
            (3, Value::Varint(3)) => kind = PieceKind::Control,
            (3, Value::Varint(4)) => return Err(unsupported("it has user-defined pieces")),
            (3, Value::Varint(5)) => kind = PieceKind::Unused,
            (3, Value::Varint(6)) => kind = PieceKind::Byte(0),
            (3, _) => return Err(piece_error(index, "its type is unknown")),
            _ => {}
        }
    }
    if text.is_empty() {
        return Err(piece_error(index, "it is empty"));
    }
    if !score.is_finite() {
        return Err(piece_error(index, "its score is not finite"));
    }
    if let PieceKind::Byte(byte) = &mut kind {
        let digits = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = value.ok_or_else(|| piece_error(index, "it is no byte such as <0x0A>"))?;
    }
    Ok(Piece { text, score, kind })
}

fn parse_normalizer_spec(bytes: &[u8]) -> Result<NormalizerSpec, TokenizerError> {
    let mut spec = NormalizerSpec::default();
    for field in Fields::new("NormalizerSpec", bytes) {
        match field? {
            (2, Value::Bytes(charsmap)) => spec.precompiled_charsmap = charsmap.to_vec(),
            (3, Value::Varint(on)) => spec.add_dummy_prefix = on != 0,
            (4, Value::Varint(on)) => spec.remove_extra_whitespaces = on != 0,
            (5, Value::Varint(on)) => spec.escape_whitespaces = on != 0,
            _ => {}
        }
    }
    Ok(spec)
}

fn piece_error(index: usize, detail: &'static str) -> TokenizerError {
    TokenizerError::Piece { index, detail }
}

fn unsupported(detail: &'static str) -> TokenizerError {
    TokenizerError::Unsupported { detail }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_written_model_is_read_back(texts in prop::collection::btree_set("[a-z]{1,9}", 0..20), score in -99.0..0.0_f32) {
            let model = ModelFile::of_pieces(texts.into_iter().map(|text| (text, score)));
            prop_assert_eq!(ModelFile::parse(&model.encode()).unwrap(), model);
        }

        #[test]
        fn a_damaged_model_is_refused_or_read_but_never_a_panic(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut bytes = ModelFile::of_pieces([("a".to_owned(), -1.0), ("b".to_owned(), -2.0)]).encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len() + 1));
            if let Ok(model) = ModelFile::parse(&bytes) {
                prop_assert!(model.pieces.len() >= 3);
            }
        }
    }

    #[test]
    fn a_model_that_cannot_be_is_refused() {
        let refused = |change: fn(&mut ModelFile)| {
            let mut model = ModelFile::of_pieces([("a".to_owned(), -1.0)]);
            change(&mut model);
            ModelFile::parse(&model.encode()).unwrap_err()
        };
        let piece = |index, detail| TokenizerError::Piece { index, detail };
        assert_eq!(refused(|m| m.pieces.push(m.pieces[3].clone())), piece(4, "it is there twice"));
        assert_eq!(refused(|m| m.pieces[3].text.clear()), piece(3, "it is empty"));
        assert_eq!(refused(|m| m.pieces[3].score = f32::NAN), piece(3, "its score is not finite"));
        assert_eq!(refused(|m| m.pieces[3].kind = PieceKind::Unknown), piece(3, "a second unknown piece"));
        assert_eq!(
            refused(|m| m.pieces[3].kind = PieceKind::Byte(1)),
            piece(3, "it is no byte such as <0x0A>")
        );
        assert_eq!(refused(|m| m.byte_fallback = true), unsupported("byte fallback without 256 byte pieces"));
        let first = "the first three must be <unk>, <s>, </s>";
        assert_eq!(refused(|m| drop(m.pieces.remove(0))), piece(0, first));
    }
}
