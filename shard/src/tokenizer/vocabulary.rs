//! KOSMOS-1's numbering of tokens over a SentencePiece vocabulary.
//!
//! fairseq puts its own four special tokens first, then the pieces that are none of them, then what the task adds. For
//! the 64,000 pieces of `kosmos-2/data/sentencepiece.bpe.model` (microsoft/unilm) that makes
//! 64,007 tokens, as table 17 of the paper says.

/// Tokens that the numbering adds to KOSMOS-1's pieces: `<pad>` and the six behind the pieces.
pub const SPECIAL_COUNT: u32 = 7;

/// fairseq's own tokens: `<s>`, `<pad>`, `</s>`, `<unk>`.
const OWN_COUNT: u32 = 4;

/// Which pieces stand for fairseq's own tokens; a model need not have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Special {
    pub(crate) unknown: Option<u32>,
    pub(crate) start: Option<u32>,
    pub(crate) end: Option<u32>,
    pub(crate) padding: Option<u32>,
}

/// The numbering for a number of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vocabulary {
    piece_count: u32,
    /// Ids and tokens of the pieces that fairseq has tokens of its own for, by id.
    replaced: [Option<(u32, u32)>; OWN_COUNT as usize],
    replaced_count: u32,
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

    /// Returns the numbering over a SentencePiece vocabulary of this size, whose first pieces are `<unk>`, `<s>`, `</s>`
    /// as in KOSMOS-1's.
    pub const fn new(piece_count: u32) -> Self {
        let replaced =
            [Some((0, Self::UNKNOWN)), Some((1, Self::SEQUENCE_START)), Some((2, Self::END)), None];
        Self { piece_count, replaced, replaced_count: 3 }
    }

    /// Returns the numbering over a vocabulary of this size.
    pub(crate) fn of(piece_count: u32, special: Special) -> Self {
        let Special { unknown, start, end, padding } = special;
        // A piece that is named twice is the first of them.
        let end = end.filter(|end| start != Some(*end));
        let padding = padding.filter(|padding| ![start, end].contains(&Some(*padding)));
        let mut replaced = [
            unknown.map(|id| (id, Self::UNKNOWN)),
            start.map(|id| (id, Self::SEQUENCE_START)),
            end.map(|id| (id, Self::END)),
            padding.map(|id| (id, Self::PAD)),
        ];
        replaced.sort_by_key(|entry| entry.map_or(u32::MAX, |(id, _)| id));
        Self { piece_count, replaced, replaced_count: replaced.iter().flatten().count() as u32 }
    }

    /// Returns the number of tokens: what the model's embedding has rows for.
    pub const fn size(&self) -> u32 {
        self.task_start() + SPECIAL_COUNT - 1
    }

    /// Returns the token of a piece's id.
    pub fn token(&self, piece_id: u32) -> u32 {
        let mut before = 0;
        for &(id, token) in self.replaced.iter().flatten() {
            if id == piece_id {
                return token;
            }
            before += u32::from(id < piece_id);
        }
        piece_id + OWN_COUNT - before
    }

    /// Returns the piece's id of a token, or `None` for a token that is no piece.
    pub fn piece_id(&self, token: u32) -> Option<u32> {
        if token < OWN_COUNT {
            let found = self.replaced.iter().flatten().find(|(_, own)| *own == token);
            return found.map(|(id, _)| *id);
        }
        let mut piece_id = token - OWN_COUNT;
        for &(id, _) in self.replaced.iter().flatten() {
            piece_id += u32::from(id <= piece_id);
        }
        (token < self.task_start()).then_some(piece_id)
    }

    /// Returns the first token behind the pieces.
    const fn task_start(&self) -> u32 {
        self.piece_count + OWN_COUNT - self.replaced_count
    }

    /// Returns `<mask>`, which KOSMOS-1 numbers but does not use.
    pub const fn mask(&self) -> u32 {
        self.task_start()
    }

    /// Returns `</doc>`, which KOSMOS-1 numbers but does not use.
    pub const fn document_end(&self) -> u32 {
        self.task_start() + 1
    }

    /// Returns `<image>`: before the slots of an image, and the placeholder in each of them.
    pub const fn image_start(&self) -> u32 {
        self.task_start() + 2
    }

    /// Returns `</image>`.
    pub const fn image_end(&self) -> u32 {
        self.task_start() + 3
    }

    /// Returns `</chunk>`, which KOSMOS-1 numbers but does not use.
    pub const fn chunk_end(&self) -> u32 {
        self.task_start() + 4
    }

    /// Returns `</line>`, which ends every line of a document but the last.
    pub const fn line_end(&self) -> u32 {
        self.task_start() + 5
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

        #[test]
        fn special_pieces_stand_anywhere_or_nowhere(count in 5_u32..90, ids in prop::sample::subsequence((0..5).collect::<Vec<u32>>(), 0..=4), turned in 0..4_usize) {
            let mut special: Vec<_> = ids.iter().map(|id| Some(*id)).chain([None; 4]).take(4).collect();
            special.rotate_left(turned);
            let special =
                Special { unknown: special[0], start: special[1], end: special[2], padding: special[3] };
            let vocabulary = Vocabulary::of(count, special);
            let mut tokens: Vec<u32> = (0..count).map(|id| vocabulary.token(id)).collect();
            for (id, token) in (0..count).zip(&tokens) {
                prop_assert_eq!(vocabulary.piece_id(*token), Some(id));
            }
            tokens.sort_unstable();
            tokens.dedup();
            prop_assert_eq!(tokens.len() as u32, count);
            prop_assert!(tokens.iter().all(|token| *token < vocabulary.mask()));
            prop_assert_eq!(vocabulary.size(), 4 + count - ids.len() as u32 + 6);
            prop_assert_eq!(vocabulary.piece_id(vocabulary.mask()), None);
            let own = [special.unknown.map(|id| (id, Vocabulary::UNKNOWN)), special.end.map(|id| (id, Vocabulary::END))];
            for (id, token) in own.into_iter().flatten() {
                prop_assert_eq!(vocabulary.token(id), token);
            }
        }
    }
}
