//! A text without some of its units.

use std::ops::Range;

use super::Unit;

/// What is left of a text, and what is not.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// What was cut, in bytes of the text, in order and apart from each other.
    pub cuts: Vec<Range<usize>>,
    /// What is left, trimmed.
    pub text: String,
}

/// Cuts units out of a text: those of which `is_cut` is true. Where a line break goes, one stays.
pub fn cut(text: &str, units: &[Unit], is_cut: impl Fn(usize) -> bool) -> Cut {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for index in (0..units.len()).filter(|index| is_cut(*index)) {
        let place = units[index].start..units.get(index + 1).map_or(text.len(), |next| next.start);
        match cuts.last_mut() {
            Some(last) if last.end == place.start => last.end = place.end,
            // Several units of one place: it goes with the last of them.
            _ if place.is_empty() => {}
            _ => cuts.push(place),
        }
    }
    let mut left = String::with_capacity(text.len());
    let mut end = 0;
    for cut in &cuts {
        left.push_str(&text[end..cut.start]);
        end = cut.end;
        if text[cut.clone()].contains('\n') {
            left.truncate(left.trim_end_matches(' ').len());
            if !left.is_empty() && !left.ends_with('\n') {
                left.push('\n');
            }
        }
    }
    left.push_str(&text[end..]);
    Cut { cuts, text: left.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::units;
    use super::*;
    use crate::config::Unit as Of;

    fn without(text: &str, unit: Of, gone: &[usize]) -> String {
        cut(text, &units(text, unit, false), |index| gone.contains(&index)).text
    }

    #[test]
    fn what_is_left_reads_on() {
        let lines = "One.\nTwo.\n\nThree.";
        assert_eq!(without(lines, Of::Lines, &[1]), "One.\nThree.");
        assert_eq!(without(lines, Of::Lines, &[0, 2]), "Two.");
        let sentences = "One. Two. Three.\nFour. Five.";
        assert_eq!(without(sentences, Of::Sentences, &[1]), "One. Three.\nFour. Five.");
        assert_eq!(without(sentences, Of::Sentences, &[2, 3]), "One. Two.\nFive.");
        assert_eq!(without("one two three, four five", Of::Words, &[1, 2]), "one four five");
        assert_eq!(without("one two", Of::Words, &[0, 1]), "");
    }

    #[test]
    fn neighbours_are_one_cut() {
        let text = "a b c d e";
        let Cut { cuts, .. } = cut(text, &units(text, Of::Words, false), |index| index != 2);
        assert_eq!(cuts, [0..4, 6..9]);
    }
}
