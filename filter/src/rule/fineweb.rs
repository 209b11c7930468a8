//! FineWeb's quality rules (Penedo et al., arXiv 2406.17557, 3.6).

use serde::{Deserialize, Serialize};

use super::gopher_quality::ratio;
use super::gopher_repetition::repeated;
use super::seen::Seen;
use super::{Counted, Finding, Unspaced};
use crate::characters::{self, is_sentence_terminal};
use crate::scripts::{Script, is_wide};
use crate::sentences;
use crate::text::Text;

/// Bounds on lines; the reasons are the names of the findings. Blank lines do not count.
///
/// In texts in scripts without spaces, Han and kana count as two characters of a line each, marks may close behind the
/// end of a sentence, and lines in Thai and Lao, which have no such ends, need none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fineweb {
    /// What counts as a word: `spaces` or `tokens`.
    pub words: Counted,
    /// What to do with texts in scripts without spaces: `judge` or `pass`.
    pub unspaced: Unspaced,
    /// Minimum share of lines that end like a sentence.
    pub ended_lines_min: f64,
    /// Maximum number of characters in a short line.
    pub short_line_chars: u64,
    /// Maximum share of short lines.
    pub short_lines_max: f64,
    /// Maximum share of characters in lines that repeat an earlier one.
    pub repeated_chars_max: f64,
    /// Maximum number of line ends per word (or token).
    pub line_ends_max: f64,
}

impl Default for Fineweb {
    fn default() -> Self {
        Self {
            words: Counted::default(),
            unspaced: Unspaced::default(),
            ended_lines_min: 0.12,
            short_line_chars: 30,
            short_lines_max: 0.67,
            repeated_chars_max: 0.01,
            line_ends_max: 0.3,
        }
    }
}

/// How lines are measured.
#[derive(Clone, Copy)]
pub(super) struct Line {
    is_ended: fn(&str) -> bool,
    chars: fn(&str) -> usize,
}

impl Line {
    pub(super) const SPACED: Self =
        Self { is_ended: |line| line.ends_with(is_sentence_terminal), chars: characters::count };
    const UNSPACED: Self = Self {
        is_ended: sentences::is_ended,
        chars: |line| line.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum(),
    };
}

impl Fineweb {
    /// Evaluates all of it.
    pub fn judge(&self, text: &Text<'_>) -> [Finding<'static>; 4] {
        let is_unspaced = self.words == Counted::Spaces && text.script() == Script::Unspaced;
        let measures = if is_unspaced { Line::UNSPACED } else { Line::SPACED };
        let mut findings = self.judge_counted(text.as_str(), text.count(self.words), measures);
        self.unspaced.apply(text, &mut findings);
        findings
    }

    pub(super) fn judge_counted(&self, text: &str, words: usize, measures: Line) -> [Finding<'static>; 4] {
        let lines = || text.split('\n').filter(|line| !line.trim().is_empty());
        let (mut count, mut ended, mut short) = (0, 0_u32, 0_u32);
        for line in lines() {
            count += 1;
            ended += u32::from((measures.is_ended)(line));
            short += u32::from((measures.chars)(line) as u64 <= self.short_line_chars);
        }
        let line_ends = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let chars = characters::count(text) - line_ends;
        let repeated = Seen::with(count, |seen| repeated(lines(), seen));
        let (ended, short) = (ratio(ended.into(), count), ratio(short.into(), count));
        let (repeated, ends) = (ratio(repeated.chars, chars), ratio(line_ends as f64, words));
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
        assert_eq!(failed(&["On it.", "By it."].join("\n")), ["fineweb_short_lines"]);
        assert_eq!(failed("a.\nb.\n\n\nc."), ["fineweb_short_lines", "fineweb_line_ends"]);
    }

    #[test]
    fn scripts_without_spaces_have_measures_of_their_own_or_pass() {
        let values = |text: &str, unspaced| {
            Fineweb { unspaced, ..Fineweb::default() }.judge(&Text::new(text)).map(|f| (f.value, f.passed))
        };
        // Sixteen wide characters are no short line; a quote may close behind the end.
        let chinese = values("“这座旧桥建在河边商人每天经过。”\n短", Unspaced::Judge);
        assert_eq!([chinese[0], chinese[1]], [(0.5, true), (0.5, true)]);
        let thai = "สะพานเก่าถูกสร้างขึ้นริมแม่น้ำเมื่อหลายปีก่อน";
        assert_eq!(values(thai, Unspaced::Judge)[0], (1.0, true));
        assert!(values("短", Unspaced::Pass).iter().all(|(_, passed)| *passed));
        assert!(!values("短", Unspaced::Judge).iter().all(|(_, passed)| *passed));
    }
}
