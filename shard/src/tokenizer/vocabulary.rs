//! KOSMOS-1's numbering of tokens over a SentencePiece vocabulary.
//!
//! fairseq puts its own special tokens first, then the pieces, then what the task adds. For
//! the 64,000 pieces of `kosmos-2/data/sentencepiece.bpe.model` (microsoft/unilm) that makes
//! 64,007 tokens, as table 17 of the paper says.

/// Tokens that the numbering adds to the pieces: `<pad>` and the six behind the pieces.
pub const SPECIAL_COUNT: u32 = 7;

/// SentencePiece ids that fairseq replaces by its own special tokens: `<unk>`, `<s>`, `</s>`.
const REPLACED_COUNT: u32 = 3;

/// The numbering for a number of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vocabulary {
    piece_count: u32,
}

impl Vocabulary {
    /// `<s>`, which begins every sequence.
    pub const SEQUENCE_START: u32 = 0;
    /// `<pad>`.
    pub const PAD: u32 = 1;
    /// `</s>`, which ends a document or caption.
    pub const END: u32 = 2;
    /// `<unk>`.
    pub const UNKNOWN: u32 = 3;

    /// Returns the numbering over a SentencePiece vocabulary of this size.
    pub const fn new(piece_count: u32) -> Self {
        Self { piece_count }
    }

    /// Returns the number of tokens: what the model's embedding has rows for.
    pub const fn size(&self) -> u32 {
        self.piece_count + SPECIAL_COUNT
    }

    /// Returns the token of a SentencePiece id.
    pub const fn token(&self, piece_id: u32) -> u32 {
        match piece_id {
            0 => Self::UNKNOWN,
            1 => Self::SEQUENCE_START,
            2 => Self::END,
            _ => piece_id + 1,
        }
    }

    /// Returns the SentencePiece id of a token, or `None` for a token that is no piece.
    pub const fn piece_id(&self, token: u32) -> Option<u32> {
        match token {
            Self::UNKNOWN => Some(0),
            Self::SEQUENCE_START => Some(1),
            Self::END => Some(2),
            _ if token > REPLACED_COUNT && token <= self.piece_count => Some(token - 1),
            _ => None,
        }
    }

    /// Returns `<mask>`, which KOSMOS-1 numbers but does not use.
    pub const fn mask(&self) -> u32 {
        self.piece_count + 1
    }

    /// Returns `</doc>`, which KOSMOS-1 numbers but does not use.
    pub const fn document_end(&self) -> u32 {
        self.piece_count + 2
    }

    /// Returns `<image>`: before the slots of an image, and the placeholder in each of them.
    pub const fn image_start(&self) -> u32 {
        self.piece_count + 3
    }

    /// Returns `</image>`.
    pub const fn image_end(&self) -> u32 {
        self.piece_count + 4
    }

    /// Returns `</chunk>`, which KOSMOS-1 numbers but does not use.
    pub const fn chunk_end(&self) -> u32 {
        self.piece_count + 5
    }

    /// Returns `</line>`, which ends every line of a document but the last.
    pub const fn line_end(&self) -> u32 {
        self.piece_count + 6
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kosmos_1_has_64007_tokens() {
        let vocabulary = Vocabulary::new(64_000);
        assert_eq!(vocabulary.size(), 64_007);
        assert_eq!((vocabulary.token(3), vocabulary.token(63_999)), (4, 64_000));
        let added = [
            vocabulary.mask(),
            vocabulary.document_end(),
            vocabulary.image_start(),
            vocabulary.image_end(),
            vocabulary.chunk_end(),
            vocabulary.line_end(),
        ];
        assert_eq!(added, [64_001, 64_002, 64_003, 64_004, 64_005, 64_006]);
        assert_eq!([vocabulary.token(0), vocabulary.token(1), vocabulary.token(2)], [3, 0, 2]);
    }

    proptest! {
        #[test]
        fn a_piece_has_one_token_and_back(piece_count in 3_u32..70_000, token in 0_u32..80_000) {
            let vocabulary = Vocabulary::new(piece_count);
            match vocabulary.piece_id(token) {
                Some(id) => prop_assert!(id < piece_count && vocabulary.token(id) == token),
                None => prop_assert!(token == Vocabulary::PAD || token > piece_count),
            }
        }
    }
}
