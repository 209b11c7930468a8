//! C4's cleaning (Raffel et al., JMLR 21, 2.2; `c4_utils.py` of TensorFlow Datasets).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::characters::{self, lines};
use crate::sentences;
use crate::text::Text;

/// How a line ends that is kept.
const ENDS: [char; 5] = ['.', '?', '!', '"', '\''];
const ELLIPSIS: &str = "...";
/// Phrases of lines that are about the site.
const POLICIES: [&str; 6] =
    ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];
/// Wikipedia's marks of references.
static CITATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\[[0-9]*\]|\[edit\]|\[citation needed\]").ok());

/// What lines are looked at more closely for, in any case.
static PHRASES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let phrases = [&POLICIES[..], &["lorem ipsum", "javascript"]].concat();
    Regex::new(&format!("(?i-u:{})", phrases.join("|"))).ok()
});

/// Keeps the lines that are sentences, and the texts with enough of them.
///
/// The text goes on as its kept lines; the reasons of a drop are `c4_lorem_ipsum`, `c4_bracket` and
/// `c4_sentences`. C4's list of bad words is a list of the rule `url_lists` or a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct C4 {
    /// Whether a line must end with a mark (FineWeb leaves this out).
    pub needs_end: bool,
    /// Words of a line at least.
    pub line_words_min: u64,
    /// Characters of a word at most; a line with a longer one goes.
    pub word_chars_max: u64,
    /// Sentences of all kept lines at least.
    pub sentences_min: u64,
    /// Whether lines that mention JavaScript go.
    pub drops_javascript: bool,
    /// Whether lines on policies go.
    pub drops_policies: bool,
    /// Whether texts with a curly bracket go.
    pub drops_brackets: bool,
    /// Whether marks of references are cut out.
    pub cuts_citations: bool,
}

impl Default for C4 {
    fn default() -> Self {
        Self {
            needs_end: true,
            line_words_min: 3,
            word_chars_max: 1_000,
            sentences_min: 5,
            drops_javascript: true,
            drops_policies: true,
            drops_brackets: true,
            cuts_citations: true,
        }
    }
}

/// What is left of a text.
#[derive(Debug, PartialEq)]
pub(super) struct Cleaned {
    pub(super) findings: [Finding<'static>; 3],
    pub(super) text: String,
}

impl C4 {
    /// Cleans a text.
    pub(super) fn clean(&self, text: &Text<'_>) -> Cleaned {
        self.clean_counting(text.as_str(), sentences::count)
    }

    /// Cleans a text with another way of counting sentences.
    pub(super) fn clean_counting(&self, text: &str, mut sentences: impl FnMut(&str) -> usize) -> Cleaned {
        let (mut has_lorem, mut has_bracket, mut count) = (false, false, 0);
        let mut kept = String::with_capacity(text.len());
        let has_phrases = PHRASES.as_ref().is_none_or(|phrases| phrases.is_match(text));
        for line in lines(text) {
            let Some(line) = self.line(line.trim()) else { continue };
            let lower = if has_phrases { line.to_lowercase() } else { String::new() };
            has_lorem |= lower.contains("lorem ipsum");
            if self.drops_javascript && lower.contains("javascript") {
                continue;
            }
            has_bracket |= self.drops_brackets && line.contains('{');
            if self.drops_policies && POLICIES.iter().any(|policy| lower.contains(policy)) {
                continue;
            }
            count += sentences(&line);
            if !kept.is_empty() {
                kept.push('\n');
            }
            kept.push_str(&line);
        }
        let findings = [
            Finding::new("c4_lorem_ipsum", f64::from(u8::from(has_lorem)), !has_lorem),
            Finding::new("c4_bracket", f64::from(u8::from(has_bracket)), !has_bracket),
            Finding::new("c4_sentences", count as f64, count as u64 >= self.sentences_min),
        ];
        Cleaned { findings, text: kept.trim().to_owned() }
    }

    /// Returns a line without marks of references, if it is long enough and ends as one should.
    fn line<'l>(&self, line: &'l str) -> Option<Cow<'l, str>> {
        let words = characters::word_count(line);
        let chars_max = self.word_chars_max;
        if line.len() as u64 > chars_max
            && line.split_whitespace().any(|word| characters::count(word) as u64 > chars_max)
        {
            return None;
        }
        let cleaned = match &*CITATION {
            Some(citation) if self.cuts_citations && line.contains('[') => citation.replace_all(line, ""),
            _ => Cow::Borrowed(line),
        };
        let is_ended = cleaned.ends_with(ENDS) && !cleaned.ends_with(ELLIPSIS);
        ((is_ended || !self.needs_end) && words as u64 >= self.line_words_min).then_some(cleaned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_sentences_go() {
        let text = "Menu Home About\nThis is a sentence[1] that stays. And another one!\n too short.\n\
            Please enable JavaScript to see this.\nRead our privacy policy here.\nIt goes on and on...\n\
            He said \"so it is.\"";
        let cleaned = C4 { sentences_min: 3, ..C4::default() }.clean(&Text::new(text));
        assert_eq!(cleaned.text, "This is a sentence that stays. And another one!\nHe said \"so it is.\"");
        assert!(cleaned.findings.iter().all(|finding| finding.passed));
        let strict = C4::default().clean(&Text::new(text));
        assert_eq!((strict.findings[2].value, strict.findings[2].passed), (3.0, false));
    }

    #[test]
    fn lorem_ipsum_and_brackets_drop_the_text() {
        let failed = |text: &str| {
            let findings = C4 { sentences_min: 0, ..C4::default() }.clean(&Text::new(text)).findings;
            findings.iter().find(|finding| !finding.passed).map(|finding| finding.rule)
        };
        assert_eq!(failed("Lorem ipsum dolor sit amet."), Some("c4_lorem_ipsum"));
        assert_eq!(failed("if (a) { return b } is code."), Some("c4_bracket"));
        assert_eq!(failed("if (a) { return b }"), None);
    }
}
