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
    line: Vec<u32>,
}

impl TextPacker {
    /// Begins with an empty sequence.
    pub fn new(frame: Frame, split: Split, source: &str) -> Self {
        Self { frame, split, source: source.to_owned(), draft: Draft::new(frame), line: Vec::new() }
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
        let mut lines = text.split('\n').filter(|line| !line.is_empty()).peekable();
        self.line.clear();
        while let Some(line) = lines.next() {
            encoder.tokens(line, &mut self.line)?;
            if lines.peek().is_some() {
                self.line.push(self.frame.vocabulary.line_end());
                self.push_line(id, full);
            }
        }
        // An empty document becomes a lone `</s>`.
        self.line.push(Vocabulary::END);
        self.push_line(id, full);
        Ok(())
    }

    /// Completes the sequence that is not full yet, if there is one.
    pub fn flush(&mut self, full: &mut Vec<Sequence>) {
        if !self.draft.is_empty() {
            let draft = std::mem::replace(&mut self.draft, Draft::new(self.frame));
            full.push(draft.finish(Vec::new(), self.split, Some(&self.source)));
        }
    }

    fn push_line(&mut self, id: Id, full: &mut Vec<Sequence>) {
        self.line.truncate(self.frame.tokens_max - 1);
        if self.line.len() > self.draft.room() {
            self.flush(full);
        }
        self.draft.push_text(id, &self.line);
        self.line.clear();
    }
}

#[cfg(test)]
#[path = "text/tests.rs"]
mod tests;
