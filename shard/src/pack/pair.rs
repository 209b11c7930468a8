//! Packs a pair: `<s> <image> slots </image> caption </s>`.

use bytes::Bytes;
use corpus::record::Sequence;
use corpus::{Id, Split};

use crate::pack::{Draft, Frame};
use crate::tokenizer::Vocabulary;

/// Returns the sequence of a pair; a caption that does not fit is cut before its `</s>`.
///
/// The loss counts every token of the caption and `</s>`, and neither `<image>` nor slots nor
/// `</image>` (`unilm/data/laion2b_loader.py`).
pub fn pair(frame: Frame, id: Id, caption: &[u32], payload: Bytes, split: Split) -> Sequence {
    let mut draft = Draft::new(frame);
    let payloads = if draft.push_image(id) { vec![payload] } else { Vec::new() };
    let caption_max = draft.room().saturating_sub(1);
    draft.push_text(id, caption.get(..caption_max).unwrap_or(caption));
    draft.push_text(id, &[Vocabulary::END]);
    draft.finish(payloads, split, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECES: u32 = 100;

    fn packed(caption: &[u32], tokens_max: usize, latent_count: usize) -> Sequence {
        let frame = Frame { vocabulary: Vocabulary::new(PIECES), tokens_max, latent_count };
        pair(frame, Id::from_bits(9), caption, Bytes::from_static(b"image"), Split::Train)
    }

    #[test]
    fn the_layout_is_that_of_the_paper() {
        let row = packed(&[50, 51], 2_048, 3);
        let (start, end) = (103, 104);
        assert_eq!(row.tokens, [0, start, start, start, start, end, 50, 51, 2]);
        let counts = [false, false, false, false, false, true, true, true, false];
        assert_eq!(row.loss_mask, counts);
        assert_eq!(row.image_starts, [2]);
        assert_eq!(row.payloads, [Bytes::from_static(b"image")]);
        assert_eq!((row.spans[0].start, row.spans[0].end, row.spans.len()), (0, 9, 1));
    }

    #[test]
    fn a_sample_costs_67_positions_and_its_caption() {
        assert_eq!(packed(&[7; 14], 2_048, 64).tokens.len(), 67 + 14 + 1);
    }

    proptest! {
        #[test]
        fn a_caption_is_cut_to_the_sequence_and_still_ends(length in 0_usize..60, tokens_max in 8_usize..70) {
            let caption: Vec<u32> = (4..).take(length).collect();
            let row = packed(&caption, tokens_max, 4);
            prop_assert!(row.tokens.len() <= tokens_max);
            prop_assert_eq!(row.tokens.last(), Some(&Vocabulary::END));
            let kept = &row.tokens[7..row.tokens.len() - 1];
            prop_assert_eq!(kept, &caption[..length.min(tokens_max - 8)]);
            prop_assert_eq!(row.loss_mask.iter().filter(|counts| **counts).count(), kept.len() + 1);
        }
    }
}
