//! Repair of mojibake: UTF-8 that somebody decoded as Windows-1252 or another encoding of one byte.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::mojibake;
use crate::text::Text;

/// Repairs a text with mojibake; never a reason of a drop.
///
/// The score is the number of characters that the repair removes, and one for each repaired line that loses none:
/// "cafÃ©" has 1, "itâ€™s" 2, "Ã la carte" 1. Right text has none: "vérité »" and "NÃO…" stay, byte for byte.
///
/// What is undone is what ftfy undoes (Speer, 2019): Latin-1, Windows-1250 to 1254 and 1257, ISO 8859-2, Mac OS
/// Roman and code page 437, several times over, with bytes lost or with plain spaces. Nothing else of ftfy's is done,
/// such as plain quotes for curly ones. The crate `plsfix` is ftfy in Rust; it matches with lookaround in an engine
/// that backtracks, brings a second and older ICU with it, and has ftfy's errors with capitals before quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// Minimum score at which a text is repaired.
    pub score_min: u64,
}

impl Default for Repair {
    fn default() -> Self {
        Self { score_min: 1 }
    }
}

impl Repair {
    /// Returns the score, and the repaired text where it is high enough.
    pub(super) fn repair(&self, text: &Text<'_>) -> (Finding<'static>, Option<String>) {
        let undone = mojibake::undo(text.as_str());
        let score = undone.as_ref().map_or(0, |undone| undone.score);
        let repaired = undone.filter(|undone| undone.score >= self.score_min).map(|undone| undone.text);
        (Finding::new("repair", score as f64, true), repaired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_repaired_from_its_score_on() {
        let judged = |score_min, text| {
            let (finding, repaired) = Repair { score_min }.repair(&Text::new(text));
            assert!(finding.passed);
            (finding.value, repaired)
        };
        let repaired = Some("one café, it’s".to_owned());
        assert_eq!(judged(3, "one cafÃ©, itâ€™s"), (3.0, repaired));
        assert_eq!(judged(4, "one cafÃ©, itâ€™s"), (3.0, None));
        assert_eq!(judged(0, "« vérité\u{A0}»"), (0.0, None));
    }
}
