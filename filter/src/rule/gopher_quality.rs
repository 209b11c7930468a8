//! Gopher's quality rules (Rae et al., arXiv 2112.11446, A.1.1).

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::bits::number;
use crate::characters::{self, is_mark, lines};
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
const BULLETS: [char; 2] = ['•', '-'];
const ELLIPSES: [&str; 2] = ["...", "…"];

/// Bounds on words, marks and lines; the reasons are the names of the findings.
///
/// A word is a token with something else than punctuation in it. Ratios of marks and of words with
/// a letter are by token, punctuation included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GopherQuality {
    /// Words at least.
    pub words_min: u64,
    /// Words at most.
    pub words_max: u64,
    /// Mean characters of a word at least.
    pub mean_chars_min: f64,
    /// Mean characters of a word at most.
    pub mean_chars_max: f64,
    /// Hashes by token at most, and ellipses.
    pub mark_ratio_max: f64,
    /// Share of lines that begin with a bullet, at most.
    pub bullet_lines_max: f64,
    /// Share of lines that end with an ellipsis, at most.
    pub ellipsis_lines_max: f64,
    /// Share of tokens with a letter, at least.
    pub letters_min: f64,
    /// How many of "the", "be", "to", "of", "and", "that", "have", "with" occur at least.
    pub stop_words_min: u64,
}

impl Default for GopherQuality {
    fn default() -> Self {
        Self {
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

impl GopherQuality {
    /// Evaluates all of it.
    pub fn judge(&self, text: &Text<'_>) -> [Finding<'static>; 9] {
        self.judge_tokens(text.as_str(), text.tokens())
    }

    pub(super) fn judge_tokens(&self, text: &str, tokens: &[&str]) -> [Finding<'static>; 9] {
        let (mut words, mut chars, mut letters) = (0_u64, 0_u64, 0_u64);
        let mut stop_words = 0_u32;
        for token in tokens {
            let begins_with_letter = token.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
            if begins_with_letter || token.chars().any(|c| !is_mark(c)) {
                words += 1;
                chars += characters::count(token) as u64;
            }
            letters += u64::from(begins_with_letter || token.chars().any(char::is_alphabetic));
            if token.len() <= STOP_WORD_BYTES_MAX {
                let token = number(token.as_bytes());
                let flags = STOP_WORDS.iter().enumerate();
                stop_words |= flags.fold(0, |all, (place, word)| all | u32::from(*word == token) << place);
            }
        }
        let by_token = |count: usize| ratio(count as f64, tokens.len());
        let hashes = by_token(memchr::memchr_iter(b'#', text.as_bytes()).count());
        let ellipses =
            by_token(ELLIPSES.iter().map(|mark| memmem::find_iter(text.as_bytes(), mark).count()).sum());
        let (mut count, mut bulleted, mut trailing) = (0, 0_u32, 0_u32);
        for line in lines(text) {
            count += 1;
            bulleted += u32::from(line.trim_start().starts_with(BULLETS));
            trailing += u32::from(ELLIPSES.iter().any(|mark| line.trim_end().ends_with(mark)));
        }
        let mean = ratio(chars as f64, words as usize);
        let (bullets, trails) = (ratio(bulleted.into(), count), ratio(trailing.into(), count));
        let letters = ratio(letters as f64, tokens.len());
        let stop_words = u64::from(stop_words.count_ones());
        [
            Finding::new("gopher_words_min", words as f64, words >= self.words_min),
            Finding::new("gopher_words_max", words as f64, words <= self.words_max),
            Finding::new(
                "gopher_mean_chars",
                mean,
                (self.mean_chars_min..=self.mean_chars_max).contains(&mean),
            ),
            Finding::new("gopher_hashes", hashes, hashes <= self.mark_ratio_max),
            Finding::new("gopher_ellipses", ellipses, ellipses <= self.mark_ratio_max),
            Finding::new("gopher_bullet_lines", bullets, bullets <= self.bullet_lines_max),
            Finding::new("gopher_ellipsis_lines", trails, trails <= self.ellipsis_lines_max),
            Finding::new("gopher_letters", letters, letters >= self.letters_min),
            Finding::new("gopher_stop_words", stop_words as f64, stop_words >= self.stop_words_min),
        ]
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
        assert_eq!(failed("the and house #one #two"), ["gopher_hashes", "gopher_letters"]);
        assert_eq!(failed("- the house\n- and that\n• the tree"), ["gopher_bullet_lines", "gopher_letters"]);
        assert_eq!(
            failed("the house and that great long wall stood…"),
            ["gopher_ellipses", "gopher_ellipsis_lines"]
        );
        assert_eq!(failed("the and 123 456 789 house 333"), ["gopher_letters"]);
        assert_eq!(failed("Houses stand along this river today"), ["gopher_stop_words"]);
    }
}
