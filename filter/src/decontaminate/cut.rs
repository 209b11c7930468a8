//! What is cut out of a text, and what is left.

use std::ops::Range;

use crate::config::DecontaminateConfig;

/// Characters that end a sentence for Megatron-LM's tool.
const ENDS: [char; 3] = ['.', '!', '?'];

/// A text after what was found in it is cut out.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// What was cut, in bytes of the text, in order and apart from each other.
    pub cuts: Vec<Range<usize>>,
    /// What is left, trimmed; `None` if there is nothing or it is in too many pieces.
    pub text: Option<String>,
}

/// Cuts places out of a text, each with the characters around it up to where sentences end. Pieces that
/// are short go too; what is left is joined by empty lines.
pub fn cuts(text: &str, found: impl IntoIterator<Item = Range<usize>>, config: &DecontaminateConfig) -> Cut {
    let margin = config.margin_chars as usize;
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut widened: Vec<_> = found.into_iter().map(|place| widened(text, place, margin)).collect();
    widened.sort_by_key(|place| place.start);
    for place in widened {
        match cuts.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => cuts.push(place),
        }
    }
    let starts = std::iter::once(0).chain(cuts.iter().map(|cut| cut.end));
    let ends = cuts.iter().map(|cut| cut.start).chain([text.len()]);
    let pieces = starts.zip(ends).map(|(start, end)| text[start..end].trim());
    let pieces: Vec<_> =
        pieces.filter(|piece| piece.chars().nth(config.piece_chars as usize).is_some()).collect();
    let is_left = !pieces.is_empty() && pieces.len() <= config.pieces_max as usize;
    Cut { cuts, text: is_left.then(|| pieces.join("\n\n")) }
}

/// Widens a place by so many characters, then outward to the end of a sentence.
fn widened(text: &str, place: Range<usize>, margin: usize) -> Range<usize> {
    let before = &text[..place.start];
    let start = match margin.checked_sub(1) {
        Some(skipped) => before.char_indices().rev().nth(skipped).map_or(0, |(at, _)| at),
        None => place.start,
    };
    let start = text[..start].rfind(ENDS).map_or(0, |at| at + 1);
    let after = &text[place.end..];
    let end = after.char_indices().nth(margin).map_or(text.len(), |(at, _)| place.end + at);
    let end = text[end..].find(ENDS).map_or(text.len(), |at| end + at + 1);
    start..end
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(margin_chars: u32, piece_chars: u32) -> DecontaminateConfig {
        DecontaminateConfig { margin_chars, piece_chars, pieces_max: 2, ..DecontaminateConfig::default() }
    }

    fn places(text: &str, word: &str) -> Vec<Range<usize>> {
        text.match_indices(word).map(|(at, _)| at..at + word.len()).collect()
    }

    #[test]
    fn a_cut_takes_the_margin_and_the_sentences_it_ends_in() {
        let text = "First one. Second é one. Here X is. Fourth one! Last one";
        let cut = |margin, least| cuts(text, places(text, "X"), &config(margin, least)).text;
        assert_eq!(cut(0, 0).unwrap(), "First one. Second é one.\n\nFourth one! Last one");
        assert_eq!(cut(8, 0).unwrap(), "First one.\n\nLast one");
        assert_eq!(cut(8, 8).unwrap(), "First one.");
        assert_eq!((cut(100, 0), cut(0, 100)), (None, None));
    }

    #[test]
    fn pieces_stay_above_their_bound_and_up_to_their_number() {
        // Two pieces of four characters each.
        let text = "One. X. Two.";
        let left = |piece_chars, pieces_max| {
            let config = DecontaminateConfig { pieces_max, ..config(0, piece_chars) };
            cuts(text, places(text, "X"), &config).text.is_some()
        };
        assert_eq!([3, 4].map(|chars| left(chars, 2)), [true, false]);
        assert_eq!([1, 2, 3].map(|most| left(3, most)), [false, true, true]);
    }

    #[test]
    fn cuts_that_touch_are_one_and_too_many_pieces_are_none() {
        let text = "One. Two X. Three X. Four. Five X. Six.";
        let cut = cuts(text, places(text, "X"), &config(0, 0));
        assert_eq!(cut.cuts, [4..20, 26..34]);
        assert_eq!(cut.text, None);
        let cut = cuts(text, places(text, "T"), &config(0, 0));
        assert_eq!((cut.cuts.len(), &cut.cuts[0]), (1, &(4..20)));
        assert_eq!(cut.text.unwrap(), "One.\n\nFour. Five X. Six.");
    }
}
