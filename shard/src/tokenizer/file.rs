//! The `.model` file: pieces with their scores, and how text is normalised before.
//!
//! Source of the field numbers: `src/sentencepiece_model.proto` of google/sentencepiece.

use std::collections::{BTreeMap, BTreeSet};

use crate::tokenizer::TokenizerError;
use crate::tokenizer::protobuf::{Fields, Message, Value};

/// Bytes of a model file at most: KOSMOS-1's has 1.4 MB.
pub const MODEL_BYTES_MAX: u64 = 64 << 20;
/// Pieces of a model at most.
pub const PIECE_COUNT_MAX: usize = 1 << 20;
/// Bytes of one piece at most; SentencePiece trains 16 characters.
pub const PIECE_BYTES_MAX: usize = 1 << 10;

/// Absolute value of a score at most: sums of such scores are numbers.
const SCORE_ABS_MAX: f32 = 1e30;
/// The only piece that SentencePiece passes over: converters leave it beside the byte piece `<0x00>`.
const NULL_PIECE: &str = "\0";
/// What SentencePiece writes for an unknown piece unless the model says otherwise.
const UNKNOWN_SURFACE: &str = " \u{2047} ";

/// How a text is cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Character = 4,
}

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Normal,
    Unknown,
    Control,
    /// A text that is always a piece of its own, and is not normalised.
    UserDefined,
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
    /// The dummy prefix stands at the end of the text instead.
    pub(crate) whitespace_is_suffix: bool,
}

impl Default for NormalizerSpec {
    /// Returns the defaults of the protobuf.
    fn default() -> Self {
        Self {
            precompiled_charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            whitespace_is_suffix: false,
        }
    }
}

/// Names of control pieces; a model need not have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) padding: String,
}

impl Default for Control {
    fn default() -> Self {
        let [start, end, padding] = ["<s>", "</s>", "<pad>"].map(str::to_owned);
        Self { start, end, padding }
    }
}

/// What a `.model` file says, as far as encoding and decoding depend on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) algorithm: Algorithm,
    pub(crate) pieces: Vec<Piece>,
    /// Texts of the control pieces that begin, end and fill up sequences.
    pub(crate) control: Control,
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
            algorithm: Algorithm::Unigram,
            control: Control::default(),
            pieces: special.into_iter().chain(normal).collect(),
            byte_fallback: false,
            unknown_surface: UNKNOWN_SURFACE.to_owned(),
            normalizer: NormalizerSpec::default(),
        }
    }

    /// Reads a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let (mut model, mut normalizer) = (Self::of_pieces([]), NormalizerSpec::default());
        let mut denormalizer = NormalizerSpec::default();
        model.pieces.clear();
        for field in Fields::new("ModelProto", bytes) {
            match field? {
                (1, Value::Bytes(piece)) if model.pieces.len() < PIECE_COUNT_MAX => {
                    model.pieces.push(parse_piece(model.pieces.len(), piece)?);
                }
                (1, _) => return Err(piece_error(model.pieces.len(), "too many, or not a message")),
                (2, Value::Bytes(spec)) => model.parse_trainer_spec(spec)?,
                (3, Value::Bytes(spec)) => normalizer.parse(spec)?,
                (5, Value::Bytes(spec)) => denormalizer.parse(spec)?,
                _ => {}
            }
        }
        if !denormalizer.precompiled_charsmap.is_empty() {
            return Err(unsupported("it changes characters of decoded text"));
        }
        // The two messages come in either order.
        let whitespace_is_suffix = model.normalizer.whitespace_is_suffix;
        model.normalizer = NormalizerSpec { whitespace_is_suffix, ..normalizer };
        model.check_pieces()?;
        Ok(model)
    }

    fn parse_trainer_spec(&mut self, bytes: &[u8]) -> Result<(), TokenizerError> {
        // As in SentencePiece, an empty name is the default one.
        let name = |name: &mut String, bytes: &[u8]| {
            if !bytes.is_empty() {
                *name = String::from_utf8_lossy(bytes).into_owned();
            }
        };
        for field in Fields::new("TrainerSpec", bytes) {
            match field? {
                (3, Value::Varint(kind)) => {
                    let known = [Algorithm::Unigram, Algorithm::Bpe, Algorithm::Word, Algorithm::Character];
                    let known = known.into_iter().find(|known| *known as u64 == kind);
                    self.algorithm = known.ok_or_else(|| unsupported("its type is unknown"))?;
                }
                (24, Value::Varint(on)) => self.normalizer.whitespace_is_suffix = on != 0,
                (35, Value::Varint(on)) => self.byte_fallback = on != 0,
                (44, Value::Bytes(surface)) => {
                    self.unknown_surface = String::from_utf8_lossy(surface).into_owned();
                }
                (46, Value::Bytes(start)) => name(&mut self.control.start, start),
                (47, Value::Bytes(end)) => name(&mut self.control.end, end),
                (48, Value::Bytes(padding)) => name(&mut self.control.padding, padding),
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what the encoder relies on, as SentencePiece does when it loads a model.
    fn check_pieces(&mut self) -> Result<(), TokenizerError> {
        let (mut seen, mut bytes, mut unknown) = (BTreeSet::new(), BTreeSet::new(), 0);
        for (index, piece) in self.pieces.iter_mut().enumerate() {
            if self.byte_fallback && piece.text == NULL_PIECE {
                piece.kind = PieceKind::Unused;
                continue;
            }
            if piece.text.contains('\0') {
                return Err(piece_error(index, "it has a null character"));
            }
            if !seen.insert(piece.text.as_str()) {
                return Err(piece_error(index, "it is there twice"));
            }
            match piece.kind {
                PieceKind::Unknown if unknown > 0 => {
                    return Err(piece_error(index, "a second unknown piece"));
                }
                PieceKind::Unknown => unknown += 1,
                PieceKind::Byte(_) if !self.byte_fallback => {
                    return Err(piece_error(index, "a byte, though unknown characters do not become bytes"));
                }
                PieceKind::Byte(byte) => drop(bytes.insert(byte)),
                _ => {}
            }
        }
        if unknown == 0 {
            return Err(unsupported("it has no unknown piece"));
        }
        if self.byte_fallback && bytes.len() != 256 {
            return Err(unsupported("byte fallback without 256 byte pieces"));
        }
        Ok(())
    }

    /// Returns the id of the unknown piece.
    pub(crate) fn unknown_id(&self) -> u32 {
        self.ids(PieceKind::Unknown).next().unwrap_or_default()
    }

    /// Returns the ids of the byte pieces by their bytes, if unknown characters become bytes.
    pub(crate) fn byte_ids(&self) -> Option<Vec<u32>> {
        let bytes = self.pieces.iter().zip(0_u32..).filter_map(|(piece, id)| match piece.kind {
            PieceKind::Byte(byte) => Some((byte, id)),
            _ => None,
        });
        self.byte_fallback.then(|| bytes.collect::<BTreeMap<u8, u32>>().into_values().collect())
    }

    /// Returns the ids of the pieces of a kind.
    pub(crate) fn ids(&self, kind: PieceKind) -> impl Iterator<Item = u32> {
        let ids = self.pieces.iter().zip(0_u32..);
        ids.filter(move |(piece, _)| piece.kind == kind).map(|(_, id)| id)
    }

    /// Returns the id of the control piece of this text.
    pub(crate) fn control_id(&self, text: &str) -> Option<u32> {
        let is_it = |piece: &Piece| piece.kind == PieceKind::Control && piece.text == text;
        self.pieces.iter().position(is_it).map(|index| index as u32)
    }

    /// Writes a file that SentencePiece reads.
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
                    PieceKind::UserDefined => 4,
                    PieceKind::Unused => 5,
                    PieceKind::Byte(_) => 6,
                },
            );
            model.bytes(1, &message.into_bytes());
        }
        let mut trainer = Message::default();
        trainer.varint(3, self.algorithm as u64);
        trainer.varint(4, self.pieces.len() as u64);
        trainer.varint(24, self.normalizer.whitespace_is_suffix.into());
        trainer.varint(35, self.byte_fallback.into());
        trainer.bytes(44, self.unknown_surface.as_bytes());
        model.bytes(2, &trainer.into_bytes());
        let mut normalizer = Message::default();
        let name: &[u8] =
            if self.normalizer.precompiled_charsmap.is_empty() { b"identity" } else { b"nmt_nfkc" };
        normalizer.bytes(1, name);
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
            (3, Value::Varint(4)) => kind = PieceKind::UserDefined,
            (3, Value::Varint(5)) => kind = PieceKind::Unused,
            (3, Value::Varint(6)) => kind = PieceKind::Byte(0),
            (3, _) => return Err(piece_error(index, "its type is unknown")),
            _ => {}
        }
    }
    if text.is_empty() {
        return Err(piece_error(index, "it is empty"));
    }
    if score.is_nan() || score.abs() > SCORE_ABS_MAX {
        return Err(piece_error(index, "its score is out of bounds"));
    }
    if let PieceKind::Byte(byte) = &mut kind {
        let value = (0..=u8::MAX).find(|byte| text == format!("<0x{byte:02X}>"));
        *byte = value.ok_or_else(|| piece_error(index, "it is no byte such as <0x0A>"))?;
    }
    Ok(Piece { text, score, kind })
}

impl NormalizerSpec {
    /// Reads a message; of several, later fields take the place of earlier ones.
    fn parse(&mut self, bytes: &[u8]) -> Result<(), TokenizerError> {
        for field in Fields::new("NormalizerSpec", bytes) {
            match field? {
                (2, Value::Bytes(charsmap)) => self.precompiled_charsmap = charsmap.to_vec(),
                (3, Value::Varint(on)) => self.add_dummy_prefix = on != 0,
                (4, Value::Varint(on)) => self.remove_extra_whitespaces = on != 0,
                (5, Value::Varint(on)) => self.escape_whitespaces = on != 0,
                _ => {}
            }
        }
        Ok(())
    }
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
                prop_assert!(!model.pieces.is_empty());
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
        assert_eq!(refused(|m| m.pieces[3].score = f32::NAN), piece(3, "its score is out of bounds"));
        assert_eq!(refused(|m| m.pieces[3].kind = PieceKind::Unknown), piece(3, "a second unknown piece"));
        assert_eq!(
            refused(|m| m.pieces[3].kind = PieceKind::Byte(1)),
            piece(3, "it is no byte such as <0x0A>")
        );
        assert_eq!(refused(|m| m.byte_fallback = true), unsupported("byte fallback without 256 byte pieces"));
        assert_eq!(refused(|m| drop(m.pieces.remove(0))), unsupported("it has no unknown piece"));
        assert_eq!(refused(|m| m.pieces[3].text.push('\0')), piece(3, "it has a null character"));
        let byte = |m: &mut ModelFile| {
            m.pieces[3] = Piece { text: "<0x01>".to_owned(), score: 0.0, kind: PieceKind::Byte(1) };
        };
        let expected = piece(3, "a byte, though unknown characters do not become bytes");
        assert_eq!(refused(byte), expected);
    }
}
