//! Hashtags, emoji and URLs by word: what spam and feeds are made of.

use serde::{Deserialize, Serialize};
use unicode_properties::{EmojiStatus, UnicodeEmoji};
use unicode_segmentation::UnicodeSegmentation;

use super::Finding;
use crate::text::Text;

/// Symbols per word at most, by default; Gopher's bound for hashes (arXiv 2112.11446, A.1.1).
pub const RATIO_MAX_DEFAULT: f64 = 0.1;

const VARIATION_SELECTOR_16: char = '\u{FE0F}';
const URL_BEGINNINGS: [&str; 3] = ["http://", "https://", "www."];

/// A bound on hashtags, emoji and URLs per word; the reason is `symbols`.
///
/// KOSMOS-1 removes such text from its pages without stating thresholds (B.1.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Symbols {
    /// Maximum number of symbols per Unicode word.
    pub ratio_max: f64,
}

impl Default for Symbols {
    fn default() -> Self {
        Self { ratio_max: RATIO_MAX_DEFAULT }
    }
}

impl Symbols {
    /// Counts the symbols; a text without words counts as one with a single word.
    pub fn judge(&self, text: &Text<'_>) -> Finding<'static> {
        let ratio = count(text.as_str()) as f64 / text.word_count().max(1) as f64;
        Finding::new("symbols", ratio, ratio <= self.ratio_max)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if !(self.ratio_max >= 0.0 && self.ratio_max.is_finite()) {
            return Err(format!("symbols.ratio_max is {}, must be 0 or more", self.ratio_max));
        }
        Ok(())
    }
}

/// Returns the number of hashtags, emoji and URLs. A URL reaches to the next white space and
/// its parts are not counted again.
fn count(text: &str) -> u64 {
    text.split_whitespace()
        .map(|token| match url_start(token) {
            Some(start) => 1 + count_outside_urls(token.get(..start).unwrap_or("")),
            None => count_outside_urls(token),
        })
        .sum()
}

/// Returns where the first URL of a token begins: not within a word.
fn url_start(token: &str) -> Option<usize> {
    let lower = token.to_ascii_lowercase();
    URL_BEGINNINGS
        .iter()
        .filter_map(|beginning| lower.find(beginning))
        .filter(|start| !lower[..*start].ends_with(char::is_alphanumeric))
        .min()
}

fn count_outside_urls(token: &str) -> u64 {
    let emoji = if token.is_ascii() { 0 } else { token.graphemes(true).filter(|g| is_emoji(g)).count() };
    (emoji + count_hashtags(token)) as u64
}

/// Returns the number of hashtags: `#` that does not follow a word or begin an HTML entity,
/// then word characters with a letter among them (`#1` is a number, not a tag).
fn count_hashtags(token: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    token
        .match_indices('#')
        .filter(|(start, _)| {
            let before = token[..*start].chars().next_back();
            let mut tag = token[start + 1..].chars().take_while(|c| is_word(*c));
            !before.is_some_and(|c| is_word(c) || c == '&') && tag.any(char::is_alphabetic)
        })
        .count()
}

/// Returns true if and only if a grapheme is shown as an emoji: families, flags and skin tones
/// are one grapheme and so one emoji (UTS #51).
fn is_emoji(grapheme: &str) -> bool {
    let selected =
        || grapheme.contains(VARIATION_SELECTOR_16) && grapheme.chars().any(UnicodeEmoji::is_emoji_char);
    grapheme.chars().any(has_emoji_presentation) || selected()
}

fn has_emoji_presentation(c: char) -> bool {
    use EmojiStatus as E;
    matches!(
        c.emoji_status(),
        E::EmojiPresentation
            | E::EmojiPresentationAndModifierBase
            | E::EmojiPresentationAndEmojiComponent
            | E::EmojiPresentationAndModifierAndEmojiComponent
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashtags_emoji_and_urls_are_counted_once_each() {
        let cases = [
            ("plain text with a # and number #1", 0),
            ("#sale #win #été", 3),
            ("C#sharp issue#4a &#x27; a_#b", 0),
            ("(#tag), \"#other\"", 2),
            ("see https://a.example/#section?x=#y and WWW.b.example", 2),
            ("(http://a.example) xhttp://no.example", 1),
            ("😀 good 😀😀", 3),
            ("family 👨‍👩‍👧‍👦 flag 🇬🇧 hand 👍🏽", 3),
            ("text ❤ heart ❤️ © 2020 ™", 1),
            ("keycap 1️⃣ digit 1", 1),
            ("🔥#hot🔥http://spam.example", 4),
        ];
        for (text, expected) in cases {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn the_ratio_is_by_word() {
        let rule = Symbols { ratio_max: 0.5 };
        let finding = rule.judge(&Text::new("#one two"));
        assert_eq!((finding.value, finding.passed), (0.5, true));
        assert!(!rule.judge(&Text::new("😀")).passed);
        assert!(rule.judge(&Text::new("")).passed);
    }

    proptest! {
        #[test]
        fn any_text_is_counted_without_more_symbols_than_characters(text in "(?s)[#&_wW.a-cé😀\u{FE0F}\u{200D}🇬 htp:/]{0,60}") {
            prop_assert!(count(&text) <= text.chars().count() as u64);
        }
    }
}
