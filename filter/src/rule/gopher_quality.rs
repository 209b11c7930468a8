//! Gopher's quality rules (Rae et al., arXiv 2112.11446, A.1.1).

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::{Counted, Finding, Unspaced};
use crate::bits::number;
use crate::characters::{self, is_mark, lines};
use crate::scripts::Script;
use crate::text::Text;

/// Words of which two must occur: what prose is made of.
const STOP_WORDS: [u64; 8] = [
    number(b"the"),
    number(b"be"),
    number(b"to"),
    number(b"of"),
    number(b"and"),
    number(b"that"),
    number(b"have"),
    number(b"with"),
];
const STOP_WORD_BYTES_MAX: usize = 4;
/// What a capital of ASCII lacks of the small letter.
const SMALL: [u8; STOP_WORD_BYTES_MAX] = [b' '; STOP_WORD_BYTES_MAX];
const STOP_WORDS_NAME: &str = "gopher_stop_words";
const MEAN_CHARS: &str = "gopher_mean_chars";
const BULLETS: [char; 2] = ['•', '-'];
const ELLIPSES: [&str; 2] = ["...", "…"];

/// Bounds on words, marks and lines; the reasons are the names of the findings.
///
/// Words are what stands between white space (`words = "spaces"`); the stop words are compared without their marks, in
/// any case. A text mostly in other letters than Latin passes `gopher_stop_words`, and one in a script without spaces
/// also `gopher_mean_chars`. With `words = "tokens"` a word is a token with something else than punctuation in it, and
/// ratios of marks and of words with a letter are by token, punctuation included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GopherQuality {
    /// What counts as a word: `spaces` or `tokens`.
    pub words: Counted,
    /// What to do with texts in scripts without spaces: `judge` or `pass`.
    pub unspaced: Unspaced,
    /// Minimum number of words.
    pub words_min: u64,
    /// Maximum number of words.
    pub words_max: u64,
    /// Minimum mean characters per word.
    pub mean_chars_min: f64,
    /// Maximum mean characters per word.
    pub mean_chars_max: f64,
    /// Maximum number of hashes per word (or token), and of ellipses.
    pub mark_ratio_max: f64,
    /// Maximum share of lines that start with a bullet.
    pub bullet_lines_max: f64,
    /// Maximum share of lines that end with an ellipsis.
    pub ellipsis_lines_max: f64,
    /// Minimum share of words (or tokens) that contain a letter.
    pub letters_min: f64,
    /// Minimum number of these words that occur: "the", "be", "to", "of", "and", "that", "have", "with".
    pub stop_words_min: u64,
}

impl Default for GopherQuality {
    fn default() -> Self {
        Self {
            words: Counted::default(),
            unspaced: Unspaced::default(),
            words_min: 50,
            words_max: 100_000,
            mean_chars_min: 3.0,
            mean_chars_max: 10.0,
            mark_ratio_max: 0.1,
            bullet_lines_max: 0.9,
            ellipsis_lines_max: 0.3,
            letters_min: 0.8,
            stop_words_min: 2,
        }
    }
}

/// What is counted of a text's words.
#[derive(Default)]
struct Counts {
    /// Words, and tokens that are marks.
    all: usize,
    words: u64,
    /// Characters of the words.
    chars: u64,
    /// Those with a letter.
    letters: u64,
    /// A bit for each stop word.
    stop_words: u32,
}

impl Counts {
    /// Counts words between white space.
    fn of_words(words: &[&str]) -> Self {
        let mut counts = Self { all: words.len(), words: words.len() as u64, ..Self::default() };
        for word in words {
            counts.chars += characters::count(word) as u64;
            counts.letters += u64::from(has_letter(word));
            let core = core(word);
            if core.len() <= STOP_WORD_BYTES_MAX {
                // A letter in small or capital: no other byte becomes a small one so.
                let small = number(&SMALL[..core.len()]);
                counts.stop_words |= stop_word(number(core) | small);
            }
        }
        counts
    }

    /// Counts words and marks by themselves.
    fn of_tokens(tokens: &[&str]) -> Self {
        let mut counts = Self { all: tokens.len(), ..Self::default() };
        for token in tokens {
            if begins_with_letter(token) || token.chars().any(|c| !is_mark(c)) {
                counts.words += 1;
                counts.chars += characters::count(token) as u64;
            }
            counts.letters += u64::from(has_letter(token));
            if token.len() <= STOP_WORD_BYTES_MAX {
                counts.stop_words |= stop_word(number(token.as_bytes()));
            }
        }
        counts
    }
}

fn begins_with_letter(word: &str) -> bool {
    word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
}

fn has_letter(word: &str) -> bool {
    begins_with_letter(word) || word.chars().any(char::is_alphabetic)
}

/// Returns a word without the marks before and after it.
fn core(word: &str) -> &[u8] {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = word.as_bytes();
    match is_plain(bytes.first()) && is_plain(bytes.last()) {
        true => bytes,
        false => word.trim_matches(|c: char| !c.is_alphanumeric()).as_bytes(),
    }
}

/// Returns the bit of a stop word.
fn stop_word(word: u64) -> u32 {
    STOP_WORDS.iter().enumerate().fold(0, |all, (place, known)| all | u32::from(*known == word) << place)
}

impl GopherQuality {
    /// Evaluates all of it.
    pub fn judge(&self, text: &Text<'_>) -> [Finding<'static>; 9] {
        let words = text.counted(self.words);
        let mut findings = match self.words {
            Counted::Tokens => self.judge_tokens(text.as_str(), words),
            Counted::Spaces => {
                let mut findings = self.judge_counts(text.as_str(), &Counts::of_words(words));
                for finding in &mut findings {
                    finding.passed |= is_without_bound(finding.rule, text);
                }
                findings
            }
        };
        self.unspaced.apply(text, &mut findings);
        findings
    }

    pub(super) fn judge_tokens(&self, text: &str, tokens: &[&str]) -> [Finding<'static>; 9] {
        self.judge_counts(text, &Counts::of_tokens(tokens))
    }

    fn judge_counts(&self, text: &str, counts: &Counts) -> [Finding<'static>; 9] {
        let by_word = |count: usize| ratio(count as f64, counts.all);
        let hashes = by_word(memchr::memchr_iter(b'#', text.as_bytes()).count());
        let ellipses =
            by_word(ELLIPSES.iter().map(|mark| memmem::find_iter(text.as_bytes(), mark).count()).sum());
        let (mut count, mut bulleted, mut trailing) = (0, 0_u32, 0_u32);
        for line in lines(text) {
            count += 1;
            bulleted += u32::from(line.trim_start().starts_with(BULLETS));
            trailing += u32::from(ELLIPSES.iter().any(|mark| line.trim_end().ends_with(mark)));
        }
        let words = counts.words;
        let mean = ratio(counts.chars as f64, words as usize);
        let (bullets, trails) = (ratio(bulleted.into(), count), ratio(trailing.into(), count));
        let letters = ratio(counts.letters as f64, counts.all);
        let stop_words = u64::from(counts.stop_words.count_ones());
        [
            Finding::new("gopher_words_min", words as f64, words >= self.words_min),
            Finding::new("gopher_words_max", words as f64, words <= self.words_max),
            Finding::new(MEAN_CHARS, mean, (self.mean_chars_min..=self.mean_chars_max).contains(&mean)),
            Finding::new("gopher_hashes", hashes, hashes <= self.mark_ratio_max),
            Finding::new("gopher_ellipses", ellipses, ellipses <= self.mark_ratio_max),
            Finding::new("gopher_bullet_lines", bullets, bullets <= self.bullet_lines_max),
            Finding::new("gopher_ellipsis_lines", trails, trails <= self.ellipsis_lines_max),
            Finding::new("gopher_letters", letters, letters >= self.letters_min),
            Finding::new(STOP_WORDS_NAME, stop_words as f64, stop_words >= self.stop_words_min),
        ]
    }
}

/// Returns true if and only if a bound supposes English words, or words with spaces, which a text does not have.
fn is_without_bound(name: &str, text: &Text<'_>) -> bool {
    match name {
        STOP_WORDS_NAME => text.script() != Script::Latin,
        MEAN_CHARS => text.script() == Script::Unspaced,
        _ => false,
    }
}

/// Returns a share; of nothing it is 0.
pub(super) fn ratio(part: f64, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> Vec<&'static str> {
        let rule = GopherQuality { words_min: 3, ..GopherQuality::default() };
        let findings = rule.judge(&Text::new(text));
        findings.iter().filter(|finding| !finding.passed).map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_bound_is_its_own_reason() {
        assert!(failed("The cat and the dog ran to that house.").is_empty());
        assert_eq!(failed("the and"), ["gopher_words_min"]);
        assert_eq!(failed("a b the and to c"), ["gopher_mean_chars"]);
        assert_eq!(failed("the and house #one"), ["gopher_hashes"]);
        assert_eq!(
            failed("- the houses\n- and gardens\n• the orchards"),
            ["gopher_bullet_lines", "gopher_letters"]
        );
        assert_eq!(
            failed("the house and that great long wall stood…"),
            ["gopher_ellipses", "gopher_ellipsis_lines"]
        );
        assert_eq!(failed("the and 123 456 789 house 333"), ["gopher_letters"]);
        assert_eq!(failed("Houses stand along this river today"), ["gopher_stop_words"]);
    }

    #[test]
    fn stop_words_are_told_in_any_case_and_between_marks() {
        for text in ["“The” house (and) garden", "THE HOUSE, AND", "...to stand; “with”"] {
            assert!(!failed(text).contains(&"gopher_stop_words"), "{text}");
        }
        assert_eq!(failed("thee hand into house"), ["gopher_stop_words"]);
    }

    #[test]
    fn words_are_between_spaces_or_tokens() {
        let value = |words, name: &str| {
            let rule = GopherQuality { words, ..GopherQuality::default() };
            let findings = rule.judge(&Text::new("“Well,” he said, “it’s — done!” (The end.)"));
            findings.iter().find(|finding| finding.rule == name).map(|finding| finding.value)
        };
        assert_eq!(value(Counted::Spaces, "gopher_words_min"), Some(8.0));
        assert_eq!(value(Counted::Spaces, "gopher_letters"), Some(7.0 / 8.0));
        assert_eq!(value(Counted::Spaces, "gopher_mean_chars"), Some(35.0 / 8.0));
        assert_eq!(value(Counted::Tokens, "gopher_words_min"), Some(7.0));
        assert_eq!(value(Counted::Tokens, "gopher_letters"), Some(7.0 / 18.0));
    }

    #[test]
    fn scripts_without_spaces_are_judged_by_segmented_words_or_pass() {
        let chinese = "这座旧桥建在河边，商人每天经过它前往集市。".repeat(6);
        let russian = "Старый мост был построен у реки, и купцы каждый день проходили по нему. ".repeat(5);
        let thai = "สะพานเก่าถูกสร้างขึ้นริมแม่น้ำเมื่อหลายปีก่อน ".repeat(8);
        for text in [&chinese, &russian, &thai] {
            let findings = GopherQuality::default().judge(&Text::new(text));
            assert!(findings.iter().all(|finding| finding.passed), "{findings:?}");
            assert!(findings[0].value >= 50.0, "{findings:?}");
        }
        let judged = |text: &str, words, unspaced| {
            let findings =
                GopherQuality { words, unspaced, ..GopherQuality::default() }.judge(&Text::new(text));
            findings.iter().filter(|finding| !finding.passed).count()
        };
        assert_eq!(judged("短文。", Counted::Spaces, Unspaced::Judge), 1);
        assert_eq!(judged("短文。", Counted::Spaces, Unspaced::Pass), 0);
        assert_eq!(judged("短文。", Counted::Tokens, Unspaced::Pass), 0);
        assert!(judged(&chinese, Counted::Tokens, Unspaced::Judge) > 0);
        assert!(judged("short", Counted::Spaces, Unspaced::Pass) > 0);
    }
}
