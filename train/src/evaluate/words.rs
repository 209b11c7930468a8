//! Which word of a group a text names.

/// Returns the index of the group's word that occurs first in a text, if any does; an "s" at
/// the end of the text's word may be added. Case does not matter.
pub(crate) fn named(group: &[String], text: &str) -> Option<usize> {
    text.split(|c: char| !c.is_alphanumeric()).find_map(|word| {
        let word = word.to_lowercase();
        group.iter().position(|known| {
            word.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest == "s")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_the_group_counts_with_or_without_an_s() {
        let shapes = ["circle", "square", "cross"].map(str::to_owned);
        let table = [
            ("a red circle", Some(0)),
            ("Two Squares, and a circle.", Some(1)),
            ("a cross", Some(2)),
            ("a crossing", None),
            ("circled", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(named(&shapes, text), expected, "{text:?}");
        }
    }
}
