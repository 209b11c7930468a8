//! Repair of mojibake: UTF-8 that somebody decoded as Windows-1252.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::text::Text;

/// Decodings on top of each other that are undone.
const LAYERS_MAX: usize = 3;

/// Characters of Windows-1252 from 0x80 to 0x9F; where it has none, the control of that number.
#[rustfmt::skip]
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// Repairs a text of which enough is mojibake; never a reason of a drop.
///
/// The score is the number of characters that a repair removes: "cafÃ©" has 1, "itâ€™s" 2. Only runs
/// of characters that are valid UTF-8 as a whole are touched, so that "São" and "Âge" stay. The
/// idea is ftfy's (Speer, 2019), which knows many more encodings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// The score from which a text is repaired.
    pub score_min: u64,
}

impl Default for Repair {
    fn default() -> Self {
        Self { score_min: 2 }
    }
}

impl Repair {
    /// Returns the score, and the repaired text where there is one.
    pub(super) fn repair(&self, text: &Text<'_>) -> (Finding<'static>, Option<String>) {
        let (mut score, mut repaired) = (0, None::<String>);
        for _ in 0..LAYERS_MAX {
            let before = repaired.as_deref().unwrap_or(text.as_str());
            let (after, removed) = undecoded(before);
            if removed == 0 || score + removed < self.score_min {
                break;
            }
            score += removed;
            repaired = Some(after);
        }
        (Finding::new("repair", score as f64, true), repaired)
    }
}

/// Undoes one decoding; returns the text and the number of characters it has less.
fn undecoded(text: &str) -> (String, u64) {
    if text.is_ascii() {
        return (String::new(), 0);
    }
    let mut out = String::with_capacity(text.len());
    let mut removed = 0;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = from.find(|c: char| byte(c).is_none()).unwrap_or(from.len());
        let run: Vec<u8> = from[..length].chars().filter_map(byte).collect();
        match std::str::from_utf8(&run) {
            Ok(decoded) if length > 0 && decoded.chars().all(is_likely) => {
                removed += (run.len() - decoded.chars().count()) as u64;
                out.push_str(decoded);
                rest = &from[length..];
            }
            _ => {
                let length = length.max(from.chars().next().map_or(0, char::len_utf8));
                out.push_str(&from[..length]);
                rest = &from[length..];
            }
        }
    }
    out.push_str(rest);
    (out, removed)
}

/// Returns true if a character is one that mojibake is made of: those of two bytes are of Latin, Greek
/// or Cyrillic, as "Spaß“" is no mojibake of another script.
fn is_likely(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{17F}' | '\u{380}'..='\u{47F}' | '\u{800}'..)
}

/// Returns the byte above ASCII that Windows-1252 decodes as a character.
fn byte(c: char) -> Option<u8> {
    match c {
        '\u{A0}'..='\u{FF}' => u8::try_from(u32::from(c)).ok(),
        '\u{80}'..='\u{9F}' => u8::try_from(u32::from(c)).ok(),
        _ if c.is_ascii() => None,
        _ => WINDOWS.iter().position(|known| *known == c).map(|place| 0x80 + place as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn repaired(text: &str) -> Option<String> {
        Repair::default().repair(&Text::new(text)).1
    }

    #[test]
    fn mojibake_is_undone_also_twice() {
        assert_eq!(repaired("Itâ€™s a cafÃ©").as_deref(), Some("It’s a café"));
        assert_eq!(repaired("ItÃ¢â‚¬â„¢s").as_deref(), Some("It’s"));
    }

    #[test]
    fn texts_that_are_right_or_have_too_little_of_it_stay() {
        for text in
            ["São Paulo, Âge, naïve “quoted” – 5 €", "„Spaß“ und „Fuß“", "one cafÃ©", "日本語 é", "plain"]
        {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_decoded_wrongly_comes_back(text in "([a-z ]{1,3}[éüß’€日я]){0,8}") {
            let wrong: String = text.bytes().map(|byte| match byte {
                0x80..=0x9F => WINDOWS[byte as usize - 0x80],
                _ => char::from(byte),
            }).collect();
            let rule = Repair { score_min: 1 };
            let (_, repaired) = rule.repair(&Text::new(&wrong));
            prop_assert_eq!(repaired.unwrap_or(wrong), text);
        }
    }
}
