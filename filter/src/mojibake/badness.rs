//! Neighbours that right text does not have: what ftfy calls badness.
//!
//! The classes of characters and the pattern are those of `ftfy/badness.py` 6.3 (Robyn Speer, Apache-2.0),
//! which were found by looking at what mojibake of many encodings consists of. A match is a reason to look
//! closer, no more: [`super::evidence`] decides.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::bits::has_pair;

/// Characters in many contexts: no evidence by themselves.
const COMMON: &str = "\u{A0}\u{AD}·´–—―…’";
/// Controls that no text has had a use for since.
const C1: &str = "\u{80}-\u{9F}";
/// Characters that are nearly always mojibake beside another of these classes.
const BAD: &str = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\u{FFFD}ªº";
const LAW: &str = "¶§";
const CURRENCY: &str = "¢£¥₧€";
const START: &str = "¡«¿©΄΅‘‚“„•‹\u{F8FF}";
const END: &str = "®»˝”›™";
const NUMERIC: &str = "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№";
/// Letters of faces that people draw.
const KAOMOJI: &str = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°";
const UPPER: &str = "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
const LOWER: &str = "ßà-ñăąāćčďđęěēėğģīįķĺľłļœŕśşšťüźżžґﬁﬂ";
const UPPER_COMMON: &str = "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я";
const LOWER_COMMON: &str = "α-ωάέήίΰа-џ";
const BOX: &str = "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓";

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&alternatives()).ok());

fn alternatives() -> String {
    let alternatives = [
        format!("[{C1}]"),
        format!("[{BAD}{LOWER}{UPPER}{BOX}{START}{END}{CURRENCY}{NUMERIC}{LAW}][{BAD}]"),
        format!("[a-zA-Z][{LOWER_COMMON}{UPPER_COMMON}][{BAD}]"),
        format!("[{BAD}][{LOWER}{UPPER}{BOX}{START}{END}{CURRENCY}{NUMERIC}{LAW}]"),
        format!("[{LOWER}{LOWER_COMMON}{BOX}{END}{CURRENCY}{NUMERIC}][{UPPER}]"),
        format!("[{BOX}{END}{CURRENCY}{NUMERIC}][{LOWER}]"),
        format!("[{LOWER}{BOX}{END}][{CURRENCY}]"),
        format!(r"\s[{UPPER}][{CURRENCY}]"),
        format!("[{UPPER}{BOX}][{NUMERIC}{LAW}]"),
        format!("[{LOWER}{UPPER}{BOX}{CURRENCY}{END}][{START}][{NUMERIC}]"),
        format!("[{LOWER}{UPPER}{CURRENCY}{NUMERIC}{BOX}{LAW}][{END}][{START}]"),
        format!("[{CURRENCY}{NUMERIC}{BOX}][{START}]"),
        format!("[a-z][{UPPER}][{START}{CURRENCY}]"),
        format!("[{BOX}][{KAOMOJI}]"),
        format!("[{LOWER}{UPPER}{CURRENCY}{NUMERIC}{START}{END}{LAW}][{BOX}]"),
        format!("[{BOX}][{END}]"),
        format!(r"[{LOWER}{UPPER}][{START}{END}]\w"),
        // The ligature, where no plain letter follows; a degree of a capital letter.
        "[Œœ][^A-Za-z]".to_owned(),
        format!("[{UPPER}]°"),
        // Windows-1252: pairs of Latin, triples of Indic scripts, two pairs of Arabic.
        format!("[ÂÃÎÐ][€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»{START}{END}–—´]"),
        "×[²³]".to_owned(),
        format!("(?:[ØÙ][{COMMON}{CURRENCY}{BAD}{NUMERIC}{START}ŸŠ®°µ»]){{2}}"),
        "à[²µ¹¼½¾]".to_owned(),
        // Mac OS Roman.
        "√[±∂†≠®™´≤≥¥µø]|≈[°¢]|‚Ä[ìîïòôúùû†°¢π]|‚[âó][àä°ê]".to_owned(),
        // Windows-1251: marks, letters of Latin and Cyrillic, and that on top of Windows-1252.
        "вЂ".to_owned(),
        format!("[ВГРС][{C1}{BAD}{START}{END}{CURRENCY}°µ][ВГРС]"),
        "ГўВЂВ.[A-Za-z ]".to_owned(),
        // "à" and "á", also where the no-break space became a plain one.
        "Ã[\u{A0}¡]".to_owned(),
        r"[a-z]\s?[ÃÂ] |^[ÃÂ] ".to_owned(),
        format!("[a-z.,?!{END}]Â[ {START}{END}]"),
        // Windows-1253 and Windows-1257.
        "β€[™\u{A0}Ά\u{AD}®°]".to_owned(),
        format!("[ΒΓΞΟ][{C1}{BAD}{START}{END}{CURRENCY}°][ΒΓΞΟ]"),
        "ā€".to_owned(),
    ];
    alternatives.join("|")
}

/// Returns the places, in order and apart.
pub(super) fn places(text: &str) -> impl Iterator<Item = Range<usize>> {
    let pattern = PATTERN.as_ref();
    pattern.into_iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.range())
}

/// Returns true if and only if there is any.
pub(super) fn is_bad(text: &str) -> bool {
    may_be_bad(text) && PATTERN.as_ref().is_some_and(|found| found.is_match(text))
}

/// Returns false if a text has nothing that any of the patterns needs: two characters beyond ASCII next to each other, a
/// control, or one of "ÂÃŒœ". Most texts with curly quotes have not.
pub(super) fn may_be_bad(text: &str) -> bool {
    has_pair(text, |first, second| {
        let is_second_begun = u8::from(first & 0xC0 == 0x80) & u8::from(second >= 0xC0);
        let is_control = u8::from(first == 0xC2) & u8::from(second < 0xA0);
        let is_letter = u8::from(first == 0xC3) & u8::from(second & 0xFE == 0x82)
            | u8::from(first == 0xC5) & u8::from(second & 0xFE == 0x92);
        is_second_begun | is_control | is_letter
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bad_place_is_overlooked(text in "[a ÂÃŒœé°’”€\u{80}\u{A0}ŠØВС√×Γ☃]{0,6}") {
            let is_bad = PATTERN.as_ref().is_some_and(|found| found.is_match(&text));
            prop_assert!(may_be_bad(&text) || !is_bad, "{}", text);
        }
    }
}
