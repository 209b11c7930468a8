//! A held-out pair, cut into what the network is given and what it is to find.

use corpus::Id;
use corpus::record::Sequence;
use model::Prompt;

use crate::images::Images;
use crate::layout::Layout;
use crate::micro_batch::image_slots;
use crate::{Error, Kind, Result};

/// `<s> <image> [slots] </image>` with its image, and the caption that follows.
#[derive(Debug)]
pub(crate) struct CaptionPrompt {
    /// The pair's id.
    pub(crate) id: Id,
    /// The caption's tokens, `</s>` included.
    pub(crate) reference: Vec<u32>,
    input: Vec<u32>,
    slots: Vec<bool>,
    images: Images,
}

impl CaptionPrompt {
    /// Cuts a pair behind its `</image>`; `words` are the tokens of what the caption begins with.
    pub(crate) fn new(row: &Sequence, layout: &Layout, words: &[u32]) -> Result<Self> {
        let id = row.spans.first().map_or(Id::from_bits(0), |span| span.id);
        let refused = |reason: String| Error::Sequence { kind: Kind::Pairs, id, reason };
        let cut =
            row.image_starts.last().and_then(|start| start.checked_add(layout.latent_count)?.checked_add(1));
        let cut = cut.and_then(|end| row.tokens.split_at_checked(end as usize));
        let (input, reference) = cut.ok_or_else(|| refused("no image to be described".to_owned()))?;
        let mut slots = image_slots(row, input.len(), layout.latent_count).map_err(refused)?;
        slots.resize(input.len() + words.len(), false);
        let mut images = Images::new(layout.format);
        row.payloads.iter().try_for_each(|payload| images.push(payload, layout)).map_err(refused)?;
        Ok(Self { id, reference: reference.to_vec(), input: [input, words].concat(), slots, images })
    }

    /// Returns the part that the network is given.
    pub(crate) fn prompt(&self) -> Prompt<'_> {
        let payload = self.images.as_payload();
        Prompt { input: &self.input, image_slots: &self.slots, payload }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{layout, pair, text};

    #[test]
    fn a_pair_is_cut_behind_its_image() {
        let asked = CaptionPrompt::new(&pair(3, &[40, 41]), &layout(), &[]).unwrap();
        let prompt = asked.prompt();
        assert_eq!(prompt.input, [0, 9, 9, 9, 10]);
        assert_eq!(prompt.image_slots, [false, false, true, true, false]);
        assert!(matches!(prompt.payload, model::Payload::Features { .. }));
        assert_eq!((asked.id, asked.reference.as_slice()), (Id::from_bits(3), &[40, 41, 2][..]));
    }

    #[test]
    fn the_words_of_a_prompt_follow_the_image() {
        let asked = CaptionPrompt::new(&pair(3, &[40, 41]), &layout(), &[50, 51]).unwrap();
        let prompt = asked.prompt();
        assert_eq!(prompt.input, [0, 9, 9, 9, 10, 50, 51]);
        assert_eq!(prompt.image_slots, [false, false, true, true, false, false, false]);
        assert_eq!(asked.reference, [40, 41, 2]);
    }

    #[test]
    fn a_row_without_an_image_is_refused() {
        let error = CaptionPrompt::new(&text(5, 4), &layout(), &[]).unwrap_err().to_string();
        assert!(error.contains("0:0:5"), "{error}");
    }
}
