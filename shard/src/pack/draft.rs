//! A sequence under construction.

use bytes::Bytes;
use corpus::record::{Sequence, Span};
use corpus::{Id, Split};

use crate::tokenizer::Vocabulary;

/// What all sequences of a kind have in common.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The numbering of tokens.
    pub vocabulary: Vocabulary,
    /// Tokens of a sequence at most.
    pub tokens_max: usize,
    /// Placeholders of an image.
    pub latent_count: usize,
}

impl Frame {
    /// Returns the tokens an image takes: its slots between `<image>` and `</image>`.
    pub fn image_tokens(&self) -> usize {
        self.latent_count + 2
    }

    /// Returns the tokens of a caption that fit between an image and `</s>`.
    pub fn caption_tokens(&self) -> usize {
        self.tokens_max.saturating_sub(self.image_tokens() + 2)
    }
}

/// Tokens so far, beginning with `<s>`. Never longer than its frame allows.
#[derive(Debug, Clone)]
pub struct Draft {
    frame: Frame,
    tokens: Vec<u32>,
    /// One per token: whether the loss counts that *it* is predicted.
    is_target: Vec<bool>,
    image_starts: Vec<u32>,
    spans: Vec<Span>,
}

impl Draft {
    /// Begins a sequence.
    pub fn new(frame: Frame) -> Self {
        let mut draft = Self {
            frame,
            tokens: Vec::new(),
            is_target: Vec::new(),
            image_starts: Vec::new(),
            spans: Vec::new(),
        };
        draft.push(Vocabulary::SEQUENCE_START, false);
        draft
    }

    /// Returns the tokens that still fit.
    pub fn room(&self) -> usize {
        self.frame.tokens_max.saturating_sub(self.tokens.len())
    }

    /// Returns true if and only if it holds nothing but `<s>`.
    pub fn is_empty(&self) -> bool {
        self.tokens.len() == 1
    }

    /// Appends tokens whose prediction counts; those that do not fit are left out.
    pub fn push_text(&mut self, id: Id, tokens: &[u32]) {
        for &token in tokens.iter().take(self.room()) {
            self.push(token, true);
        }
        self.extend_span(id);
    }

    /// Appends an image whole, or returns false if it does not fit.
    pub fn push_image(&mut self, id: Id) -> bool {
        if self.frame.image_tokens() > self.room() {
            return false;
        }
        self.push(self.frame.vocabulary.image_start(), false);
        self.image_starts.push(self.tokens.len() as u32);
        for _ in 0..self.frame.latent_count {
            self.push(self.frame.vocabulary.image_start(), false);
        }
        self.push(self.frame.vocabulary.image_end(), false);
        self.extend_span(id);
        true
    }

    /// Appends `</s>`, under a frame that may have more room than the texts and images had.
    pub fn end(&mut self, frame: Frame, id: Id) {
        self.frame = frame;
        self.push_text(id, &[Vocabulary::END]);
    }

    /// Completes the sequence with one payload per image, and with the set of its documents if it is of text.
    pub fn finish(self, payloads: Vec<Bytes>, split: Split, source: Option<&str>) -> Sequence {
        // The mask is kept by source position: it says whether the next token counts.
        let next_is_target = self.is_target.iter().skip(1).copied();
        Sequence {
            loss_mask: next_is_target.chain([false]).collect(),
            tokens: self.tokens,
            image_starts: self.image_starts,
            payloads,
            spans: self.spans,
            split,
            source: source.map(str::to_owned),
        }
    }

    fn push(&mut self, token: u32, is_target: bool) {
        self.tokens.push(token);
        self.is_target.push(is_target);
    }

    /// Gives all tokens that no span holds yet to a document; `<s>` to the first one.
    fn extend_span(&mut self, id: Id) {
        let end = self.tokens.len() as u32;
        match self.spans.last_mut() {
            Some(last) if last.id == id => last.end = end,
            last => {
                let start = last.map_or(0, |span| span.end);
                self.spans.push(Span { id, start, end });
            }
        }
    }
}
