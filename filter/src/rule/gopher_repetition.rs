//! Gopher's repetition rules (Rae et al., arXiv 2112.11446, table A1).

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::gopher_quality::ratio;
use super::runs::Runs;
use super::seen::Seen;
use super::{Counted, Finding, Unspaced};
use crate::characters;
use crate::scripts::Script;
use crate::text::Text;

/// Lengths of the runs of which the most frequent one counts, with the names of the findings.
const TOP: [(usize, &str); 3] =
    [(2, "gopher_top_2_gram"), (3, "gopher_top_3_gram"), (4, "gopher_top_4_gram")];
/// Lengths of the runs of which all repeated ones count.
const REPEATED: [(usize, &str); 6] = [
    (5, "gopher_repeated_5_grams"),
    (6, "gopher_repeated_6_grams"),
    (7, "gopher_repeated_7_grams"),
    (8, "gopher_repeated_8_grams"),
    (9, "gopher_repeated_9_grams"),
    (10, "gopher_repeated_10_grams"),
];

/// Bounds on what is repeated within a text; the reasons are the names of the findings.
///
/// Runs are of words, with single spaces between them where the text has any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GopherRepetition {
    /// What counts as a word: `spaces` or `tokens`.
    pub words: Counted,
    /// What to do with texts in scripts without spaces: `judge` or `pass`.
    pub unspaced: Unspaced,
    /// Maximum share of paragraphs that repeat an earlier one.
    pub paragraphs_max: f64,
    /// Maximum share of characters in such paragraphs.
    pub paragraph_chars_max: f64,
    /// Maximum share of lines that repeat an earlier one.
    pub lines_max: f64,
    /// Maximum share of characters in such lines.
    pub line_chars_max: f64,
    /// Maximum share of characters in the most frequent run of 2, 3 and 4 words.
    pub top_max: [f64; 3],
    /// Maximum share of characters in repeated runs of 5 to 10 words.
    pub repeated_max: [f64; 6],
}

impl Default for GopherRepetition {
    fn default() -> Self {
        Self {
            words: Counted::default(),
            unspaced: Unspaced::default(),
            paragraphs_max: 0.3,
            paragraph_chars_max: 0.2,
            lines_max: 0.3,
            line_chars_max: 0.2,
            top_max: [0.2, 0.18, 0.16],
            repeated_max: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10],
        }
    }
}

impl GopherRepetition {
    /// Evaluates all of it.
    pub fn judge(&self, text: &Text<'_>) -> Vec<Finding<'static>> {
        let is_segmented = self.words == Counted::Spaces && text.script() == Script::Unspaced;
        let gap = u64::from(!is_segmented);
        let mut findings = self.judge_runs(text.as_str(), text.counted(self.words), gap);
        self.unspaced.apply(text, &mut findings);
        findings
    }

    /// Evaluates all of it with given words and the characters between two.
    pub(super) fn judge_runs(&self, text: &str, words: &[&str], gap: u64) -> Vec<Finding<'static>> {
        // Room for all runs of words, and for lines of white space.
        Seen::with(words.len().max(text.len() / 16), |seen| self.judge_seen(text, Runs::of(words, gap), seen))
    }

    fn judge_seen(&self, text: &str, mut runs: Runs, seen: &mut Seen) -> Vec<Finding<'static>> {
        let mut findings = Vec::with_capacity(4 + TOP.len() + REPEATED.len());
        let mut push = |rule, value, most| findings.push(Finding::new(rule, value, value <= most));
        let chars = characters::count(text);
        let paragraphs = repeated(split_at_gaps(text.trim(), 2), seen);
        push("gopher_paragraphs", ratio(paragraphs.count, paragraphs.of), self.paragraphs_max);
        push("gopher_paragraph_chars", ratio(paragraphs.chars, chars), self.paragraph_chars_max);
        let lines = repeated(split_at_gaps(text, 1), seen);
        push("gopher_lines", ratio(lines.count, lines.of), self.lines_max);
        push("gopher_line_chars", ratio(lines.chars, chars), self.line_chars_max);
        for ((length, rule), most) in TOP.into_iter().zip(self.top_max) {
            push(rule, ratio(runs.top(length, seen) as f64, chars), most);
        }
        for ((length, rule), most) in REPEATED.into_iter().zip(self.repeated_max) {
            push(rule, ratio(runs.repeated(length, seen) as f64, chars), most);
        }
        findings
    }
}

/// What of a list occurred before in it.
pub(super) struct Repeated {
    pub(super) count: f64,
    pub(super) chars: f64,
    pub(super) of: usize,
}

/// Counts the elements that occurred before.
pub(super) fn repeated<'t>(elements: impl Iterator<Item = &'t str>, seen: &mut Seen) -> Repeated {
    seen.clear();
    let mut found = Repeated { count: 0.0, chars: 0.0, of: 0 };
    for element in elements {
        found.of += 1;
        if seen.add(xxh3_64(element.as_bytes())) > 1 {
            found.count += 1.0;
            found.chars += characters::count(element) as f64;
        }
    }
    found
}

/// Splits at runs of so many line ends or more; of an empty text there is one piece.
fn split_at_gaps(text: &str, ends_min: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\n', &text.as_bytes()[from..]).map(|at| from + at) {
            let ends = text.as_bytes()[at..].iter().take_while(|byte| **byte == b'\n').count();
            if ends >= ends_min {
                rest = text.get(at + ends..);
                return text.get(..at);
            }
            from = at + ends;
        }
        rest = None;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(&'static str, f64)> {
        let findings = GopherRepetition::default().judge(&Text::new(text));
        findings.iter().filter(|f| f.value > 0.0).map(|f| (f.rule, f.value)).collect()
    }

    #[test]
    fn pieces_are_split_at_gaps() {
        let split = |text, ends| split_at_gaps(text, ends).collect::<Vec<_>>();
        assert_eq!(split("a\n\nb\nc\n\n\nd", 2), ["a", "b\nc", "d"]);
        assert_eq!(split("a\n\nb\n", 1), ["a", "b", ""]);
        assert_eq!(split("", 1), [""]);
    }

    #[test]
    fn lines_and_paragraphs_that_occurred_before_count() {
        let found = values("one\n\ntwo\n\none");
        assert_eq!(found[0], ("gopher_paragraphs", 1.0 / 3.0));
        assert_eq!(found[1], ("gopher_paragraph_chars", 3.0 / 13.0));
        assert_eq!(found[2], ("gopher_lines", 1.0 / 3.0));
    }

    #[test]
    fn the_most_frequent_run_counts_with_its_spaces() {
        // "a b" twice of 11 characters.
        let found = values("a b c a b d");
        assert_eq!(
            found,
            [
                ("gopher_top_2_gram", 6.0 / 11.0),
                ("gopher_top_3_gram", 5.0 / 11.0),
                ("gopher_top_4_gram", 7.0 / 11.0)
            ]
        );
    }

    #[test]
    fn repeated_runs_do_not_overlap() {
        let text = "a b c d e f g a b c d e f g";
        let repeated: Vec<_> =
            values(text).into_iter().filter(|(rule, _)| rule.contains("repeated")).collect();
        assert_eq!(repeated[0], ("gopher_repeated_5_grams", 5.0 / 27.0));
        assert_eq!(repeated.last(), Some(&("gopher_repeated_7_grams", 7.0 / 27.0)));
    }

    #[test]
    fn scripts_without_spaces_are_repeated_by_words_or_pass() {
        let value = |words, unspaced| {
            let rule = GopherRepetition { words, unspaced, ..GopherRepetition::default() };
            let finding = rule.judge(&Text::new("商人商人商人。"))[4];
            (finding.value, finding.passed)
        };
        // "商人" twice and "商人。", of which no run of two occurs twice: the first, without a space.
        assert_eq!(value(Counted::Spaces, Unspaced::Judge), (4.0 / 7.0, false));
        assert_eq!(value(Counted::Spaces, Unspaced::Pass), (4.0 / 7.0, true));
        assert_eq!(value(Counted::Tokens, Unspaced::Judge), (9.0 / 7.0, false));
    }
}
