//! Planted copies: a run can check on its own documents that near-duplicates are found.

use corpus::{Id, SourceCode, random};

/// The source of planted copies; no configuration can use it.
pub const PLANTED_SOURCE: SourceCode = SourceCode(u8::MAX);
/// Words of the shortest text that is copied.
const WORDS_MIN: usize = 120;
/// Every so many words one is replaced: five-word shingles of original and copy then have a Jaccard
/// similarity of 0.85 (with 1/62 replaced, 5/62 of all shingles differ).
const WORDS_PER_EDIT: usize = 62;

/// Returns an edited copy of a text if its id is drawn with this probability.
pub fn copy(seed: u64, share: f64, id: Id, text: &str) -> Option<(Id, String)> {
    let key = id.to_bits().to_le_bytes();
    if share <= 0.0 || random::uniform(seed, "near.planted", &key) >= share {
        return None;
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if words.len() < WORDS_MIN {
        return None;
    }
    for word in words.iter_mut().skip(WORDS_PER_EDIT / 2).step_by(WORDS_PER_EDIT) {
        *word = "kosmosplanted";
    }
    let address = random::hash(seed, "near.planted.id", &key);
    let bits = u64::from(PLANTED_SOURCE.0) << 56 | address >> 8;
    Some((Id::from_bits(bits), words.join(" ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Unit;
    use super::super::signature::shingles;
    use super::*;

    #[test]
    fn a_copy_is_as_similar_as_it_should_be() {
        let text: String = (0..2_000).map(|n| format!("word{n} ")).collect();
        let (id, copy) = copy(1, 1.0, Id::from_bits(7), &text).unwrap();
        assert_eq!(id.source(), PLANTED_SOURCE);
        let set = |text: &str| shingles(text, Unit::Words, 5).into_iter().collect::<BTreeSet<u32>>();
        let (a, b) = (set(&text), set(&copy));
        let shared = a.intersection(&b).count() as f64;
        let jaccard = shared / (a.len() as f64 + b.len() as f64 - shared);
        assert!((jaccard - 0.85).abs() < 0.01, "{jaccard}");
    }

    #[test]
    fn seeds_and_documents_draw_copies_of_their_own() {
        let text = "word ".repeat(500);
        let drawn = |seed| {
            (0..400).filter(|id| copy(seed, 0.5, Id::from_bits(*id), &text).is_some()).collect::<Vec<_>>()
        };
        let (one, two) = (drawn(1), drawn(2));
        assert!((150..250).contains(&one.len()), "{}", one.len());
        assert_ne!(one, two);
        let address = |seed, id| copy(seed, 1.0, Id::from_bits(id), &text).unwrap().0;
        assert_eq!(address(1, 7), address(1, 7));
        assert!(address(1, 7) != address(1, 8) && address(1, 7) != address(2, 7));
    }

    #[test]
    fn a_text_of_the_least_words_is_copied_and_a_shorter_one_is_not() {
        let is_copied = |words| copy(1, 1.0, Id::from_bits(7), &"word ".repeat(words)).is_some();
        assert_eq!([WORDS_MIN - 1, WORDS_MIN].map(is_copied), [false, true]);
    }

    #[test]
    fn short_texts_and_those_that_are_not_drawn_are_left_alone() {
        assert_eq!(copy(1, 1.0, Id::from_bits(7), "too short"), None);
        assert_eq!(copy(1, 0.0, Id::from_bits(7), &"word ".repeat(500)), None);
    }
}
