//! Packs documents whole wherever they fit into a sequence.
//!
//! Source: "Fewer Truncations Improve Language Modeling" (Ding et al., ICML 2024): a document that is longer than a
//! sequence is cut, and the pieces go, the longest first, each into the sequence that it fills best.

use corpus::record::Sequence;
use corpus::{Id, Split};

use crate::pack::bins::bins;
use crate::pack::text::for_each_line;
use crate::pack::{Draft, Frame};
use crate::tokenizer::{Encoder, TokenizerError};

/// Packs the documents of one split and one set; all of them are in memory until the end.
///
/// Lines end as in [`TextPacker`](crate::pack::TextPacker), and a document is cut between lines.
#[derive(Debug)]
pub struct BestFit {
    frame: Frame,
    split: Split,
    source: String,
    chunks: Vec<Chunk>,
}

/// A document, or as much of one as a sequence holds.
#[derive(Debug)]
struct Chunk {
    id: Id,
    tokens: Vec<u32>,
}

impl BestFit {
    /// Begins without documents.
    pub fn new(frame: Frame, split: Split, source: &str) -> Self {
        Self { frame, split, source: source.to_owned(), chunks: Vec::new() }
    }

    /// Adds a document.
    ///
    /// # Errors
    /// When a line cannot be encoded.
    pub fn push(&mut self, id: Id, text: &str, encoder: &mut Encoder<'_>) -> Result<(), TokenizerError> {
        let mut tokens = Vec::new();
        for_each_line(self.frame, text, encoder, |line| {
            if tokens.len() + line.len() > self.frame.tokens_max - 1 {
                self.chunks.push(Chunk { id, tokens: std::mem::take(&mut tokens) });
            }
            tokens.extend(line);
        })?;
        self.chunks.push(Chunk { id, tokens });
        Ok(())
    }

    /// Appends the sequences of all documents. They come in the order of their first documents, and so do the documents
    /// of each.
    pub fn flush(&mut self, full: &mut Vec<Sequence>) {
        let chunks = std::mem::take(&mut self.chunks);
        for places in bins(
            &chunks.iter().map(|chunk| chunk.tokens.len()).collect::<Vec<_>>(),
            self.frame.tokens_max - 1,
        ) {
            let mut draft = Draft::new(self.frame);
            for chunk in places.into_iter().filter_map(|place| chunks.get(place)) {
                draft.push_text(chunk.id, &chunk.tokens);
            }
            full.push(draft.finish(Vec::new(), self.split, Some(&self.source)));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::tokenizer::tests::letters;

    proptest! {
        #[test]
        fn every_document_that_fits_is_whole_and_no_token_is_lost(
            documents in prop::collection::vec("[a-e ]{0,40}(\n[a-e ]{0,30}){0,3}", 0..20),
            tokens_max in 3_usize..40,
        ) {
            let tokenizer = letters();
            let frame = Frame { vocabulary: *tokenizer.vocabulary(), tokens_max, latent_count: 0 };
            let (mut encoder, mut packer) = (tokenizer.encoder(), BestFit::new(frame, Split::Train, "set"));
            let mut alone = BTreeMap::new();
            for (document, bits) in documents.iter().zip(1..) {
                packer.push(Id::from_bits(bits), document, &mut encoder).unwrap();
                let mut one = BestFit::new(frame, Split::Train, "set");
                one.push(Id::from_bits(bits), document, &mut encoder).unwrap();
                alone.insert(Id::from_bits(bits), one.chunks.into_iter().map(|chunk| chunk.tokens).collect::<Vec<_>>());
            }
            let mut rows = Vec::new();
            packer.flush(&mut rows);
            let mut parts: BTreeMap<Id, Vec<Vec<u32>>> = BTreeMap::new();
            for row in &rows {
                prop_assert!(row.tokens.len() <= tokens_max);
                let ends = row.spans.iter().map(|span| (span.start.max(1), span.end, span.id));
                for (start, end, id) in ends {
                    parts.entry(id).or_default().push(row.tokens[start as usize..end as usize].to_vec());
                }
                let last = row.spans.last().unwrap();
                prop_assert_eq!(last.end as usize, row.tokens.len());
            }
            for (id, chunks) in alone {
                let mut found = parts.remove(&id).unwrap();
                if let [chunk] = chunks.as_slice() {
                    prop_assert_eq!(&found, &vec![chunk.clone()]);
                }
                // The pieces of a cut document stand wherever they fit.
                let (mut all, mut expected) = (found.concat(), chunks.concat());
                found.clear();
                all.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(all, expected);
            }
            prop_assert!(parts.is_empty());
        }
    }
}
