//! Function words: what tells a language in the short texts on which trigrams are unsure.

use std::collections::HashSet;

use super::{Code, Detected};

/// Different function words found at least; one alone may be a name.
const FOUND_MIN: usize = 2;

/// Frequent words without which hardly a sentence is made, in lower case. Only languages with
/// Latin letters: others are told by their script or by few rivals.
#[rustfmt::skip]
const WORDS: [(&str, &[&str]); 12] = [
    ("cat", &["amb", "de", "del", "dels", "el", "els", "en", "és", "i", "la", "les", "més", "no", "per", "que", "un", "una"]),
    ("dan", &["af", "at", "den", "der", "det", "en", "er", "et", "for", "har", "i", "ikke", "med", "og", "på", "som", "til"]),
    ("deu", &["auf", "das", "den", "der", "des", "die", "ein", "eine", "für", "ich", "im", "in", "ist", "mit", "nicht", "sie", "sind", "und", "von", "wie", "wir", "zu"]),
    ("eng", &["a", "about", "all", "an", "and", "are", "as", "at", "be", "by", "can", "for", "from", "has", "have", "i", "in", "is", "it", "more", "not", "of", "on", "or", "our", "that", "the", "this", "to", "was", "we", "what", "with", "you", "your"]),
    ("fra", &["au", "dans", "de", "des", "du", "elle", "en", "est", "et", "il", "la", "le", "les", "ne", "pas", "pour", "que", "qui", "sur", "un", "une"]),
    ("ita", &["che", "con", "da", "dei", "del", "della", "di", "e", "gli", "i", "il", "in", "la", "le", "non", "per", "sono", "un", "una", "è"]),
    ("nld", &["aan", "dat", "de", "een", "en", "het", "in", "is", "met", "niet", "op", "te", "van", "voor", "zijn"]),
    ("nob", &["av", "det", "en", "er", "et", "for", "har", "i", "ikke", "med", "og", "på", "som", "til"]),
    ("pol", &["do", "i", "jest", "na", "nie", "o", "się", "to", "w", "z", "za", "że"]),
    ("por", &["as", "com", "da", "de", "do", "dos", "e", "em", "não", "o", "os", "para", "por", "que", "se", "um", "uma", "é"]),
    ("spa", &["con", "de", "del", "el", "en", "es", "la", "las", "los", "no", "para", "por", "que", "se", "su", "un", "una", "y"]),
    ("swe", &["att", "av", "den", "det", "en", "ett", "för", "har", "i", "inte", "med", "och", "på", "som", "till", "är"]),
];

/// Returns the language of which a text has the most different function words, or `None` where there are too
/// few, or as many of another. The confidence is what they have ahead of the next language's, as
/// a share.
pub(super) fn identify(text: &str) -> Option<Detected> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let words: HashSet<String> = words.map(str::to_lowercase).collect();
    let found = WORDS.map(|(_, known)| known.iter().filter(|word| words.contains(**word)).count());
    let (index, best) = found.iter().copied().enumerate().max_by_key(|(_, count)| *count)?;
    let others = found.iter().enumerate().filter(|(other, _)| *other != index);
    let next = others.map(|(_, count)| *count).max().unwrap_or_default();
    if best < FOUND_MIN || best == next {
        return None;
    }
    let confidence = (best - next) as f64 / best as f64;
    Some(Detected { code: Code::new(WORDS[index].0)?, confidence })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn function_words_tell_a_language() {
        let code = |text| identify(text).map(|detected| detected.code.to_string());
        assert_eq!(code("What’s new in 2.26? New tasks for the (September) pack").as_deref(), Some("eng"));
        assert_eq!(code("Neues in 2.26: Aufgaben für das Paket und die Liste").as_deref(), Some("deu"));
        assert_eq!(code("Houston Austin Dallas"), None);
        assert_eq!(code("in in in"), None);
    }

    #[test]
    fn words_are_in_lower_case_and_each_once() {
        for (language, words) in WORDS {
            assert!(Code::new(language).is_some());
            assert!(words.iter().all(|word| word.to_lowercase() == *word));
            let mut sorted = words.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), words.len(), "{language}");
        }
    }
}
