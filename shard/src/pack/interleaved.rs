//! Packs an interleaved document: `<s>` texts and images in reading order `</s>`.

use corpus::Id;

use crate::pack::{Draft, Frame};

/// A text or an image, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Tokens of a text.
    Text(Vec<u32>),
    /// An image.
    Image,
}

/// A packed document.
#[derive(Debug)]
pub struct Packed {
    /// The sequence, without payloads so far.
    pub draft: Draft,
    /// Images of the document that are in it: the first ones.
    pub image_count: usize,
    /// Why the next image is not in it.
    pub cut: &'static str,
}

/// Returns the sequence of a document, cut where it is full or has its images.
///
/// A text is cut within; an image is in it whole or ends the sequence. The loss counts texts
/// and `</s>` alone.
pub fn interleaved(frame: Frame, id: Id, items: &[Item], images_max: usize) -> Packed {
    // One token is kept for `</s>`.
    let inner = Frame { tokens_max: frame.tokens_max.saturating_sub(1), ..frame };
    let mut packed = Packed { draft: Draft::new(inner), image_count: 0, cut: "sequence_tokens_max" };
    for item in items {
        match item {
            Item::Text(tokens) => packed.draft.push_text(id, tokens),
            Item::Image if packed.image_count == images_max => {
                packed.cut = "images_max";
                break;
            }
            Item::Image if packed.draft.push_image(id) => packed.image_count += 1,
            Item::Image => break,
        }
    }
    packed.draft.end(frame, id);
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::Vocabulary;
    use corpus::Split;
    use corpus::record::Sequence;
    use proptest::prelude::*;

    const VOCABULARY: Vocabulary = Vocabulary::new(100);
    const LATENTS: usize = 3;

    fn packed(items: &[Item], tokens_max: usize, images_max: usize) -> (Sequence, Packed) {
        let frame = Frame { vocabulary: VOCABULARY, tokens_max, latent_count: LATENTS };
        let packed = interleaved(frame, Id::from_bits(9), items, images_max);
        (packed.draft.clone().finish(Vec::new(), Split::Train, None), packed)
    }

    #[test]
    fn images_and_texts_keep_their_order_and_only_texts_count() {
        let items = [Item::Text(vec![50]), Item::Image, Item::Image, Item::Text(vec![60, 61])];
        let (row, _) = packed(&items, 2_048, 5);
        let (start, end) = (VOCABULARY.image_start(), VOCABULARY.image_end());
        let image = [start, start, start, start, end];
        assert_eq!(row.tokens, [&[0, 50], &image[..], &image, &[60, 61, 2]].concat());
        let counting: Vec<usize> = (0..row.tokens.len()).filter(|i| row.loss_mask[*i]).collect();
        assert_eq!(counting, [0, 11, 12, 13]);
        assert_eq!(row.image_starts, [3, 8]);
    }

    #[test]
    fn an_image_that_does_not_fit_ends_the_sequence() {
        let items = [Item::Text(vec![50, 51]), Item::Image, Item::Text(vec![60])];
        let (row, packed) = packed(&items, 8, 5);
        assert_eq!(row.tokens, [0, 50, 51, 2]);
        assert_eq!((packed.image_count, packed.cut), (0, "sequence_tokens_max"));
    }

    #[test]
    fn the_sixth_image_ends_the_sequence() {
        let (row, packed) = packed(&vec![Item::Image; 6], 2_048, 5);
        assert_eq!((packed.image_count, packed.cut), (5, "images_max"));
        assert_eq!(row.tokens.last(), Some(&Vocabulary::END));
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let text = prop::collection::vec(4_u32..90, 0..12).prop_map(Item::Text);
        prop::collection::vec(prop_oneof![text, Just(Item::Image)], 0..12)
    }

    proptest! {
        #[test]
        fn the_sequence_is_a_whole_prefix(items in items(), tokens_max in 8_usize..60, images_max in 1_usize..6) {
            let (row, packed) = packed(&items, tokens_max, images_max);
            prop_assert!(row.tokens.len() <= tokens_max);
            prop_assert_eq!(row.tokens.last(), Some(&Vocabulary::END));
            prop_assert!(packed.image_count <= images_max);
            let mut whole = vec![0];
            for item in &items {
                match item {
                    Item::Text(tokens) => whole.extend(tokens),
                    Item::Image => {
                        whole.extend([VOCABULARY.image_start(); LATENTS + 1]);
                        whole.push(VOCABULARY.image_end());
                    }
                }
            }
            prop_assert!(whole.starts_with(&row.tokens[..row.tokens.len() - 1]));
            for (position, counts) in row.loss_mask.iter().enumerate() {
                let next = row.tokens.get(position + 1);
                let is_text = next.is_some_and(|t| *t < VOCABULARY.image_start());
                prop_assert_eq!(*counts, is_text);
            }
            for start in &row.image_starts {
                let slots = &row.tokens[*start as usize..*start as usize + LATENTS];
                prop_assert!(slots.iter().all(|t| *t == VOCABULARY.image_start()));
                prop_assert_eq!(row.tokens[*start as usize + LATENTS], VOCABULARY.image_end());
            }
        }
    }
}
