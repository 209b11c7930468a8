//! The cleaning that KOSMOS-1's text went through: Megatron-LM's `tools/openwebtext/cleanup_dataset.py`.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

/// Bounds on the size of texts; runs of spaces and of line ends are collapsed. The reasons are
/// `megatron_tokens` and `megatron_javascript`.
///
/// The original counts GPT-2's tokens, of which English has about a fifth more than we count. It asks
/// for English (here the rule `language`) and repairs encodings first (`repair`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Megatron {
    /// Minimum number of words and punctuation marks.
    pub tokens_min: u64,
    /// A text that mentions JavaScript is dropped if it has fewer characters than this.
    pub javascript_chars_max: u64,
    /// Collapse runs of spaces into one space, and runs of line ends into at most two.
    pub collapses: bool,
}

impl Default for Megatron {
    fn default() -> Self {
        Self { tokens_min: 128, javascript_chars_max: 256, collapses: true }
    }
}

impl Megatron {
    /// Judges a text, and returns it with runs collapsed where there are any.
    pub(super) fn clean(&self, text: &Text<'_>) -> ([Finding<'static>; 2], Option<String>) {
        let tokens = text.tokens().len() as u64;
        let raw = text.as_str();
        let is_short = (raw.len() as u64) < self.javascript_chars_max
            || (raw.chars().count() as u64) < self.javascript_chars_max;
        let mentions = is_short && raw.to_lowercase().contains("javascript");
        let findings = [
            Finding::new("megatron_tokens", tokens as f64, tokens >= self.tokens_min),
            Finding::new("megatron_javascript", f64::from(u8::from(mentions)), !mentions),
        ];
        let has_runs = raw.contains("  ") || raw.contains("\n\n\n");
        (findings, (self.collapses && has_runs).then(|| collapsed(raw)))
    }
}

/// Returns a text without runs of spaces, and of more than two line ends.
fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut spaces, mut ends) = (0, 0);
    for c in text.chars() {
        spaces = if c == ' ' { spaces + 1 } else { 0 };
        ends = if c == '\n' { ends + 1 } else { 0 };
        if spaces <= 1 && ends <= 2 {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_and_notices_go_and_runs_are_collapsed() {
        let rule = Megatron { tokens_min: 3, ..Megatron::default() };
        let text = Text::new("a  b   c\n\n\n\nd e");
        let (findings, cleaned) = rule.clean(&text);
        assert!(findings.iter().all(|finding| finding.passed));
        assert_eq!(cleaned.as_deref(), Some("a b c\n\nd e"));
        assert_eq!(rule.clean(&Text::new("a b\n\nc")).1, None);
        let (findings, _) = rule.clean(&Text::new("JavaScript off"));
        assert_eq!(findings.map(|finding| finding.passed), [false, false]);
    }
}
