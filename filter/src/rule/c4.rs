//! C4's cleaning (Raffel et al., JMLR 21, 2.2; `c4_utils.py` of TensorFlow Datasets).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Finding, Unspaced};
use crate::characters::{self, lines};
use crate::scripts::{is_latin, is_unmarked};
use crate::text::Text;
use crate::{sentences, words};

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
///
/// C4 is English. A line whose last letter is not Latin may end with any mark that ends sentences (Unicode's
/// `Sentence_Terminal`), dots, and what closes behind them; lines in Thai and Lao, which have no such marks, need none, and
/// their sentences are what stands between spaces. Words of scripts without spaces are those that a dictionary finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct C4 {
    /// What to do with texts in scripts without spaces: `judge`, or `pass` them unchanged.
    pub unspaced: Unspaced,
    /// Remove lines that do not end with a punctuation mark (FineWeb does not).
    pub needs_end: bool,
    /// Minimum number of words per line.
    pub line_words_min: u64,
    /// Maximum number of characters per word; a line with a longer word is removed.
    pub word_chars_max: u64,
    /// Minimum number of sentences in all kept lines.
    pub sentences_min: u64,
    /// Remove lines that mention JavaScript.
    pub drops_javascript: bool,
    /// Remove lines about policies.
    pub drops_policies: bool,
    /// Drop texts with a curly bracket.
    pub drops_brackets: bool,
    /// Cut out reference marks.
    pub cuts_citations: bool,
}

impl Default for C4 {
    fn default() -> Self {
        Self {
            unspaced: Unspaced::default(),
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
        let mut cleaned = self.clean_counting(text.as_str(), |line| self.sentence_count(line));
        self.unspaced.apply(text, &mut cleaned.findings);
        if self.unspaced.passes(text) {
            cleaned.text = text.as_str().to_owned();
        }
        cleaned
    }

    /// Counts the sentences of a line; in Thai and Lao, what is long enough between spaces.
    fn sentence_count(&self, line: &str) -> usize {
        match last_letter(line).is_some_and(is_unmarked) {
            true => {
                line.split_whitespace().filter(|run| words::count(run) as u64 >= self.line_words_min).count()
            }
            false => sentences::count(line),
        }
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
        let chars_max = self.word_chars_max;
        let is_too_long = |word: &&str| characters::count(word) as u64 > chars_max;
        if line.len() as u64 > chars_max && words::words(line).iter().any(is_too_long) {
            return None;
        }
        let cleaned = match &*CITATION {
            Some(citation) if self.cuts_citations && line.contains('[') => citation.replace_all(line, ""),
            _ => Cow::Borrowed(line),
        };
        let is_kept =
            (!self.needs_end || is_ended(&cleaned)) && words::count(line) as u64 >= self.line_words_min;
        is_kept.then_some(cleaned)
    }
}

/// Returns true if and only if a line ends as C4's do, or as sentences of the script of its last letter.
fn is_ended(line: &str) -> bool {
    let is_other = || !line.is_ascii() && last_letter(line).is_some_and(|c| !is_latin(c));
    line.ends_with(ENDS) && !line.ends_with(ELLIPSIS) || is_other() && sentences::is_ended(line)
}

fn last_letter(line: &str) -> Option<char> {
    line.chars().rev().find(|c| c.is_alphabetic())
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

    #[test]
    fn lines_end_as_those_of_their_script_do() {
        let kept = |text: &str| C4 { sentences_min: 0, ..C4::default() }.clean(&Text::new(text)).text == text;
        for text in [
            "这座旧桥建在河边。",
            "他说：“桥被加宽了！”",
            "孩子们在桥上玩耍……",
            "古い橋を渡りました（昔のこと。）",
            "「そうだ、橋を渡ろう」",
            "สะพานเก่าถูกสร้างขึ้นริมแม่น้ำ",
            "यह पुराना पुल नदी के पास है।",
            "Это старый мост у реки…",
            "هل هذا هو الجسر القديم؟",
            "The old bridge stood here.",
        ] {
            assert!(kept(text), "{text}");
        }
        for text in [
            "旧桥 商店 仓库",
            "桥。",
            "关于我们：《旧桥》",
            "สะพาน",
            "Старый мост у реки",
            "The old bridge stood…",
            "The old bridge “stood.”",
            "The old bridge stood。",
        ] {
            assert!(!kept(text), "{text}");
        }
    }

    #[test]
    fn texts_without_spaces_have_sentences_or_pass_as_they_are() {
        let clean = |text: &str, unspaced| {
            let cleaned = C4 { unspaced, ..C4::default() }.clean(&Text::new(text));
            (cleaned.findings[2].value, cleaned.findings[2].passed, cleaned.text.len())
        };
        let chinese = "这座旧桥建在河边。商人每天经过它。\n".repeat(40);
        assert_eq!(clean(chinese.trim_end(), Unspaced::Judge), (80.0, true, chinese.len() - 1));
        let long = "这座旧桥建在河边，".repeat(200) + "商人每天经过它。";
        assert_eq!(clean(&long, Unspaced::Judge), (1.0, false, long.len()));
        let thai = "สะพานเก่าถูกสร้างขึ้น และพ่อค้าเดินข้ามไป";
        assert_eq!(clean(thai, Unspaced::Judge), (2.0, false, thai.len()));
        assert_eq!(clean("旧桥", Unspaced::Pass), (0.0, true, 6));
        assert_eq!(clean("old bridge", Unspaced::Pass), (0.0, false, 0));
    }
}
