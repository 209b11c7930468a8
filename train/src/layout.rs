//! How a shard's sequences become what the network takes.

use corpus::record::Sequence;
use model::{Tap, TowerConfig};
use serde::{Deserialize, Serialize};
use shard::tokenizer::Vocabulary;

use crate::Kind;

/// What a shard holds for each image; decided by how it was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayloadFormat {
    /// An encoded image file, which is decoded and preprocessed here.
    Encoded,
    /// Features of the vision tower, `[tokens, width]` little-endian f16, taken at this tap.
    Features(Tap),
}

/// How images are laid out in sequences and payloads, and what documents see of each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layout {
    /// Slots of an image in a sequence.
    pub latent_count: u32,
    /// What the payloads hold.
    pub format: PayloadFormat,
    /// The vision tower, for the sizes of pixels and features.
    pub tower: TowerConfig,
    /// Whether documents of text attend to themselves alone. Pairs always do.
    pub reset_attention: bool,
}

impl Layout {
    /// Returns the layout for a network of sequences with such payloads.
    pub fn new(model: &model::Config, format: PayloadFormat, reset_attention: bool) -> Self {
        let latent_count = model.resampler.latent_count;
        Self { latent_count, format, tower: model.tower.clone(), reset_attention }
    }

    /// Returns where each of a sequence's first tokens stands in its document, from 0, or `None` where all are seen as
    /// one.
    ///
    /// A document begins at its `<s>`; without one at the token before it, which is the `</s>` of the document that
    /// ends there. So every `</s>` is a target of its own document, and stands in the input before the next.
    ///
    /// # Errors
    /// In words, when spans do not follow each other.
    pub fn positions(&self, kind: Kind, row: &Sequence, length: usize) -> Result<Option<Vec<u32>>, String> {
        let is_apart = match kind {
            Kind::Text => self.reset_attention,
            Kind::Pairs => true,
            Kind::Interleaved => false,
        };
        if !is_apart || row.spans.len() < 2 {
            return Ok(None);
        }
        let mut firsts = Vec::with_capacity(row.spans.len());
        for (before, span) in row.spans.iter().zip(row.spans.iter().skip(1)) {
            let start = span.start as usize;
            let has_start = row.tokens.get(start) == Some(&Vocabulary::SEQUENCE_START);
            let first = if has_start { start } else { start.saturating_sub(1) };
            if span.start != before.end || first <= firsts.last().copied().unwrap_or(0) {
                return Err(format!("the document at token {start} does not follow the one before"));
            }
            firsts.push(first);
        }
        let (mut firsts, mut first) = (firsts.into_iter().peekable(), 0);
        let position = |place: usize| {
            first = firsts.next_if_eq(&place).unwrap_or(first);
            (place - first) as u32
        };
        Ok(Some((0..length).map(position).collect()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use corpus::Id;
    use corpus::record::Span;

    use super::*;
    use crate::testing::{layout, text};

    fn row(tokens: &[u32], ends: &[u32]) -> Sequence {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let spans = starts.zip(ends).zip(1..).map(|((start, end), id)| Span {
            id: Id::from_bits(id),
            start,
            end: *end,
        });
        Sequence { tokens: tokens.to_vec(), spans: spans.collect(), ..text(1, 2) }
    }

    fn positions(kind: Kind, row: &Sequence, reset_attention: bool) -> Result<Option<Vec<u32>>, String> {
        Layout { reset_attention, ..layout() }.positions(kind, row, row.tokens.len() - 1)
    }

    #[test]
    fn an_end_is_the_target_of_its_document_and_stands_before_the_next_one() {
        // <s> a b </s> c </s> </s> d e, of which the last is a target alone; the third document is empty.
        let row = row(&[0, 40, 41, 2, 42, 2, 2, 43, 44], &[4, 6, 7, 9]);
        let found = positions(Kind::Text, &row, true).unwrap().unwrap();
        assert_eq!(found, [0, 1, 2, 0, 1, 0, 0, 1]);
        assert_eq!(positions(Kind::Text, &row, false).unwrap(), None);
        assert_eq!(positions(Kind::Interleaved, &row, true).unwrap(), None);
    }

    #[test]
    fn pairs_of_a_sequence_begin_at_their_own_start() {
        let row = row(&[0, 40, 2, 0, 41, 42, 2], &[3, 7]);
        assert_eq!(positions(Kind::Pairs, &row, false).unwrap().unwrap(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_document_alone_is_its_row() {
        assert_eq!(positions(Kind::Text, &row(&[0, 40, 2], &[3]), true).unwrap(), None);
    }

    #[test]
    fn spans_that_packing_does_not_write_are_refused() {
        let tokens = [0, 40, 2, 41, 2];
        for (start, end) in [(2, 5), (4, 5), (0, 5), (1, 5), (u32::MAX, 5)] {
            let mut row = row(&tokens, &[3, 5]);
            (row.spans[1].start, row.spans[1].end) = (start, end);
            assert!(positions(Kind::Text, &row, true).unwrap_err().contains("does not follow"), "{start}");
        }
        assert!(positions(Kind::Text, &row(&tokens, &[1, 5]), true).unwrap_err().contains("does not follow"));
    }
}
