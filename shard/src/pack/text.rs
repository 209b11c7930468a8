//! Packs documents line by line.
//!
//! The rules are those of `unilm/data/spm_lm_loader.py`: a line ends with `</line>`, a
//! document's last one with `</s>` instead; lines are never split across sequences, several
//! documents share a sequence, `<s>` stands only at its start, and a line that is longer than a
//! whole sequence is cut.

use corpus::record::Sequence;
use corpus::{Id, Split};

use crate::pack::{Draft, Frame};
use crate::tokenizer::{Encoder, TokenizerError, Vocabulary};

/// Packs the documents of one split and one set in the order they come.
#[derive(Debug)]
pub struct TextPacker {
    frame: Frame,
    split: Split,
    source: String,
    draft: Draft,
}

impl TextPacker {
    /// Begins with an empty sequence.
    pub fn new(frame: Frame, split: Split, source: &str) -> Self {
        Self { frame, split, source: source.to_owned(), draft: Draft::new(frame) }
    }

    /// Adds a document; sequences that are full by then are appended.
    ///
    /// # Errors
    /// When a line cannot be encoded.
    pub fn push(
        &mut self,
        id: Id,
        text: &str,
        encoder: &mut Encoder<'_>,
        full: &mut Vec<Sequence>,
    ) -> Result<(), TokenizerError> {
        let frame = self.frame;
        for_each_line(frame, text, encoder, |line| {
            if line.len() > self.draft.room() {
                self.flush(full);
            }
            self.draft.push_text(id, line);
        })
    }

    /// Completes the sequence that is not full yet, if there is one.
    pub fn flush(&mut self, full: &mut Vec<Sequence>) {
        if !self.draft.is_empty() {
            let draft = std::mem::replace(&mut self.draft, Draft::new(self.frame));
            full.push(draft.finish(Vec::new(), self.split, Some(&self.source)));
        }
    }
}

/// Hands on the tokens of each line of a document, with the mark that ends it; a line that is longer than a sequence is
/// cut.
///
/// # Errors
/// When a line cannot be encoded.
pub(crate) fn for_each_line(
    frame: Frame,
    text: &str,
    encoder: &mut Encoder<'_>,
    mut take: impl FnMut(&[u32]),
) -> Result<(), TokenizerError> {
    let mut lines = text.split('\n').filter(|line| !line.is_empty()).peekable();
    let mut tokens = Vec::new();
    loop {
        // An empty document becomes a lone `</s>`.
        if let Some(line) = lines.next() {
            encoder.tokens(line, &mut tokens)?;
        }
        let is_last = lines.peek().is_none();
        tokens.push(if is_last { Vocabulary::END } else { frame.vocabulary.line_end() });
        tokens.truncate(frame.tokens_max - 1);
        take(&tokens);
        tokens.clear();
        if is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
#[path = "text/tests.rs"]
mod tests;
