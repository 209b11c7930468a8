//! Texts of a few letters, which recur: what trigrams say of one takes a comparison with the profiles of all languages,
//! as of a page, and is remembered.

use std::cell::RefCell;

use super::Detected;

/// Bytes of a text that is remembered.
const BYTES_MAX: usize = size_of::<u64>();
/// Places of the table of a thread, two to this power: a megabyte. A text takes the place of another.
const PLACES_LOG: u32 = 15;
/// Spreads keys over the places (Knuth, "The Art of Computer Programming", 6.4: the golden ratio of the range).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A text, and what was said of it.
type Place = (u64, Option<Detected>);

thread_local! {
    static KNOWN: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// Returns what `detect` says of a text, or said of it before.
pub(super) fn remembered(text: &str, detect: impl FnOnce(&str) -> Option<Detected>) -> Option<Detected> {
    let Some(key) = key(text) else {
        return detect(text);
    };
    KNOWN.with_borrow_mut(|known| {
        if known.is_empty() {
            // No text of letters has this key.
            known.resize(1 << PLACES_LOG, (0, None));
        }
        let index = (key.wrapping_mul(SPREAD) >> (u64::BITS - PLACES_LOG)) as usize;
        match known.get_mut(index) {
            Some((at, detected)) if *at == key => *detected,
            Some(place) => {
                *place = (key, detect(text));
                place.1
            }
            None => detect(text),
        }
    })
}

/// Returns the letters of a short text in ASCII, and where others are between them: detectors see no more of it.
fn key(text: &str) -> Option<u64> {
    // Most texts are longer, and nothing more is looked at.
    if text.len() > 4 * BYTES_MAX {
        return None;
    }
    let text = text.trim_matches(|c: char| c.is_ascii() && c != DELETE && !c.is_ascii_alphabetic());
    let is_known = |byte: u8| byte.is_ascii() && char::from(byte) != DELETE;
    if text.is_empty() || text.len() > BYTES_MAX || !text.bytes().all(is_known) {
        return None;
    }
    let letter = |byte: u8| if byte.is_ascii_alphabetic() { byte.to_ascii_lowercase() } else { b' ' };
    Some(text.bytes().fold(0, |key, byte| key << 8 | u64::from(letter(byte))))
}

/// The one character of ASCII that is neither a letter nor, to the detector, what stands between letters.
const DELETE: char = '\x7f';

#[cfg(test)]
mod tests {
    use super::super::by_trigrams;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_judged_once_whatever_stands_around_its_letters() {
        let mut judged = 0;
        for text in ["ab c", "Ab.c", " \t(AB,c)\n"] {
            let found = remembered(text, |text| {
                judged += 1;
                by_trigrams(text)
            });
            assert_eq!(found, by_trigrams(text), "{text:?}");
        }
        assert_eq!(judged, 1);
        assert_eq!(key("a  b"), Some(u64::from_be_bytes(*b"\0\0\0\0a  b")));
        for text in ["", "12", "letters too many", "é", "a\x7fb", "\u{a0}"] {
            assert_eq!(key(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_would_be_said(text in "[a-cA-C .,1\x7fé]{0,10}") {
            for _ in 0..2 {
                prop_assert_eq!(remembered(&text, by_trigrams), by_trigrams(&text));
            }
        }
    }
}
