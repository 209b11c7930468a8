//! FineWeb's quality rules (Penedo et al., arXiv 2406.17557, 3.6).

use serde::{Deserialize, Serialize};

use super::Finding;
use super::gopher_quality::ratio;
use super::gopher_repetition::repeated;
use super::seen::Seen;
use crate::characters::{self, is_sentence_terminal};
use crate::text::Text;

/// Bounds on lines; the reasons are the names of the findings. Blank lines do not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fineweb {
    /// Share of lines that end as sentences do, at least.
    pub ended_lines_min: f64,
    /// Characters of a short line.
    pub short_line_chars: u64,
    /// Share of short lines, at most.
    pub short_lines_max: f64,
    /// Share of characters in lines that occurred before, at most.
    pub repeated_chars_max: f64,
    /// Line ends by token, at most.
    pub line_ends_max: f64,
}

impl Default for Fineweb {
    fn default() -> Self {
        Self {
            ended_lines_min: 0.12,
            short_line_chars: 30,
            short_lines_max: 0.67,
            repeated_chars_max: 0.01,
            line_ends_max: 0.3,
        }
    }
}

impl Fineweb {
    /// Evaluates all of it.
    pub fn judge(&self, text: &Text<'_>) -> [Finding<'static>; 4] {
        self.judge_counted(text.as_str(), text.token_count())
    }

    pub(super) fn judge_counted(&self, text: &str, tokens: usize) -> [Finding<'static>; 4] {
        let lines = || text.split('\n').filter(|line| !line.trim().is_empty());
        let (mut count, mut ended, mut short) = (0, 0_u32, 0_u32);
        for line in lines() {
            count += 1;
            ended += u32::from(line.ends_with(is_sentence_terminal));
            short += u32::from(characters::count(line) as u64 <= self.short_line_chars);
        }
        let line_ends = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let chars = characters::count(text) - line_ends;
        let repeated = Seen::with(count, |seen| repeated(lines(), seen));
        let (ended, short) = (ratio(ended.into(), count), ratio(short.into(), count));
        let (repeated, ends) = (ratio(repeated.chars, chars), ratio(line_ends as f64, tokens));
        [
            Finding::new("fineweb_ended_lines", ended, ended >= self.ended_lines_min),
            Finding::new("fineweb_short_lines", short, short <= self.short_lines_max),
            Finding::new("fineweb_repeated_chars", repeated, repeated <= self.repeated_chars_max),
            Finding::new("fineweb_line_ends", ends, ends <= self.line_ends_max),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_its_own_reason() {
        let failed = |text: &str| -> Vec<&str> {
            let findings = Fineweb::default().judge(&Text::new(text));
            findings.iter().filter(|finding| !finding.passed).map(|finding| finding.rule).collect()
        };
        let line = "This is a line of prose that ends as it should.";
        assert!(failed(line).is_empty());
        assert_eq!(failed(&format!("{line}\n\n{line}")), ["fineweb_repeated_chars"]);
        assert_eq!(failed("A line of more than thirty characters, without an end"), ["fineweb_ended_lines"]);
        assert_eq!(failed("One two three four five.\nAnother one of these."), ["fineweb_short_lines"]);
        assert_eq!(failed(&["On.", "By."].join("\n")), ["fineweb_short_lines"]);
        assert_eq!(failed("a.\nb.\n\n\nc."), ["fineweb_short_lines", "fineweb_line_ends"]);
    }
}
