//! Sentences, by the boundaries of Unicode (UAX 29); lines end them too.
//!
//! unilm's reader used spaCy's sentencizer, which splits at the same punctuation.

use unicode_segmentation::UnicodeSegmentation;

/// Returns the beginning of a text up to the end of its n-th sentence, trimmed.
pub fn first_sentences(text: &str, count: u32) -> &str {
    let ends = bounds(text).map(|(start, sentence)| start + sentence.len());
    let end = ends.take(count as usize).last().unwrap_or(0);
    text.get(..end).unwrap_or_default().trim()
}

/// Returns the end of a text from the beginning of its n-th last sentence, trimmed.
pub fn last_sentences(text: &str, count: u32) -> &str {
    let starts: Vec<usize> = bounds(text).map(|(start, _)| start).collect();
    let skipped = starts.len().saturating_sub(count as usize);
    let start = starts.get(skipped).copied().unwrap_or(text.len());
    text.get(start..).unwrap_or_default().trim()
}

fn bounds(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let all = text.split_sentence_bound_indices();
    all.filter(|(_, sentence)| !sentence.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "A heading\nOne is here. Two is 3.5 m away! Three?\n\nFour ends";

    #[test]
    fn sentences_are_counted_from_both_ends() {
        assert_eq!(first_sentences(TEXT, 1), "A heading");
        assert_eq!(first_sentences(TEXT, 3), "A heading\nOne is here. Two is 3.5 m away!");
        assert_eq!(last_sentences(TEXT, 1), "Four ends");
        assert_eq!(last_sentences(TEXT, 3), "Two is 3.5 m away! Three?\n\nFour ends");
        assert_eq!((first_sentences(TEXT, 0), last_sentences(TEXT, 0)), ("", ""));
        assert_eq!((first_sentences(TEXT, 99), last_sentences(TEXT, 99)), (TEXT, TEXT));
        assert_eq!((first_sentences(" \n ", 3), last_sentences("", 3)), ("", ""));
    }

    proptest! {
        #[test]
        fn both_ends_are_pieces_of_any_text(text in "\\PC{0,80}|[a-c.!? \n]{0,80}", count in 0..6_u32) {
            prop_assert!(text.trim().starts_with(first_sentences(&text, count)));
            prop_assert!(text.trim().ends_with(last_sentences(&text, count)));
        }
    }
}
