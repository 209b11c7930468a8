//! The fields that rows have, compared with those that are wanted: a misspelt name is told with those that there are.

use std::collections::BTreeSet;

/// Names that an error lists, and characters of each.
const SHOWN_NAMES_MAX: usize = 20;
const SHOWN_CHARS_MAX: usize = 60;

/// The fields of the rows of one set of files.
#[derive(Debug)]
pub(crate) struct SeenFields<'w> {
    /// The names that are wanted; without any, all are.
    wanted: &'w [String],
    /// For each of them whether a row has it.
    is_seen: Vec<bool>,
    /// The first of all names that rows have.
    there: BTreeSet<String>,
}

impl<'w> SeenFields<'w> {
    pub(crate) fn new(wanted: &'w [String]) -> Self {
        Self { wanted, is_seen: vec![false; wanted.len()], there: BTreeSet::new() }
    }

    /// Returns the names that are wanted; none if all are.
    pub(super) fn wanted(&self) -> &'w [String] {
        self.wanted
    }

    /// Returns true if texts of a field of this name are read.
    pub(super) fn is_wanted(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| wanted == name)
    }

    /// Notes the fields of a row, or the columns of a file.
    pub(super) fn note<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            if let Some(place) = self.wanted.iter().position(|wanted| wanted == name) {
                self.is_seen[place] = true;
            }
            if self.there.len() < SHOWN_NAMES_MAX && !self.there.contains(name) {
                self.there.insert(name.to_owned());
            }
        }
    }

    /// Says which wanted field no row of `files` has, and which ones there are; none if all were seen.
    pub(crate) fn missing(&self, files: &str) -> Option<String> {
        let (name, _) = self.wanted.iter().zip(&self.is_seen).find(|(_, is_seen)| !**is_seen)?;
        let quoted = |name: &String| format!("{:?}", name.chars().take(SHOWN_CHARS_MAX).collect::<String>());
        let there: Vec<String> = self.there.iter().map(quoted).collect();
        let there = match there.len() {
            0 => "rows have no names at all".to_owned(),
            SHOWN_NAMES_MAX => format!("there are {} and more", there.join(", ")),
            _ => format!("there are {}", there.join(", ")),
        };
        Some(format!("no row of {files} has a field {name:?}; {there}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_no_row_has_is_told_with_those_that_there_are() {
        let wanted = ["q".to_owned(), "choices".to_owned()];
        let mut seen = SeenFields::new(&wanted);
        assert!(seen.missing("a").unwrap().ends_with("rows have no names at all"));
        seen.note(["question", "q"]);
        assert_eq!(
            seen.missing("a").unwrap(),
            "no row of a has a field \"choices\"; there are \"q\", \"question\""
        );
        seen.note(["choices"]);
        assert_eq!(seen.missing("a"), None);
        let many: Vec<String> = (0..30).map(|n| format!("column {n:03}")).collect();
        seen.note(many.iter().map(String::as_str));
        assert_eq!((seen.there.len(), seen.is_wanted("column 001")), (SHOWN_NAMES_MAX, false));
    }
}
