//! Sequences of UTF-8 that an encoding of one byte a character made characters of.

use super::charset::{Charset, Unit};

/// Characters that one character of UTF-8 has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Where it begins among the characters.
    pub(super) begin: usize,
    /// How many they are.
    pub(super) length: usize,
    /// What they were; U+FFFD where a byte was lost.
    pub(super) decoded: char,
    /// Whether a question mark stands for a byte.
    pub(super) has_question: bool,
}

impl Sequence {
    /// Returns where it ends.
    pub(super) fn end(&self) -> usize {
        self.begin + self.length
    }
}

/// Finds all sequences, from left to right and apart.
pub(super) fn find(characters: &[char], units: &[Unit]) -> Vec<Sequence> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < units.len() {
        let is_apart = found.last().is_none_or(|last: &Sequence| last.end() < at);
        let before = at.checked_sub(1).map(|at| characters[at]).filter(|_| is_apart);
        match sequence(&characters[at..], &units[at..]) {
            Some((_, decoded)) if before.is_some_and(|before| breaks_word(before, decoded)) => at += 1,
            Some((length, decoded)) => {
                let has_question = units[at..at + length].contains(&Unit::Question);
                found.push(Sequence { begin: at, length, decoded, has_question });
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Returns true for what no word of Latin letters goes on with: "Groß†" is a name and a dagger, and not a digit of N'Ko
/// in a German word. Other scripts of two bytes a character, from Greek on, and the rarest Latin letters.
fn breaks_word(before: char, decoded: char) -> bool {
    let is_latin = before.is_alphabetic() && matches!(before, 'a'..='z' | 'A'..='Z' | 'À'..='ɏ' | 'Ḁ'..='ỿ');
    let is_rare = || matches!(decoded, 'ƀ'..='ɏ') && !"ƏƒƠơƯưȘșȚțǍǎǏǐǑǒǓǔ".contains(decoded);
    is_latin && (matches!(decoded, '\u{370}'..='\u{7FF}') || is_rare())
}

/// Returns what each character may be of a sequence.
pub(super) fn units(characters: &[char], charset: &Charset) -> Vec<Unit> {
    characters.iter().map(|c| charset.unit(*c)).collect()
}

/// Returns the sequence at the beginning: how many characters it is, and what they were.
fn sequence(characters: &[char], units: &[Unit]) -> Option<(usize, char)> {
    let Some(Unit::Byte(lead)) = units.first().copied() else { return None };
    let length = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    if let Some(pair) = surrogates(units) {
        return Some((6, pair));
    }
    let sequence = units.get(..length)?;
    if let Some(decoded) = exact(sequence) {
        return Some((length, decoded));
    }
    if let Some(decoded) = with_space(lead, sequence) {
        // "à" mostly is a word; of the two spaces behind it, one was lost.
        let is_word = decoded == 'à' && !is_continued(&characters[length..]);
        return Some((if is_word { 1 } else { length }, decoded));
    }
    is_lossy(lead, &sequence[1..]).then_some((length, char::REPLACEMENT_CHARACTER))
}

/// Decodes bytes that are all there.
fn exact(units: &[Unit]) -> Option<char> {
    let mut bytes = [0; 4];
    for (byte, unit) in bytes.iter_mut().zip(units) {
        let Unit::Byte(known) = *unit else { return None };
        *byte = known;
    }
    std::str::from_utf8(&bytes[..units.len()]).ok()?.chars().next()
}

/// Decodes bytes of which one, A0, has become a plain space, where that gives a likely character: ftfy's choice
/// (`ALTERED_UTF8_RE`).
fn with_space(lead: u8, units: &[Unit]) -> Option<char> {
    let spaces = units.iter().filter(|unit| **unit == Unit::Space).count();
    let is_likely = match lead {
        0xC2 | 0xC3 | 0xC5 | 0xCE | 0xD0 | 0xD9 | 0xE2 | 0xE3 | 0xF0 => true,
        0xE0 | 0xE1 => units[1] != Unit::Space,
        _ => false,
    };
    // Three dots are more likely themselves than half of a character.
    let has_dots = lead < 0xF0 && units.contains(&Unit::Byte(0x85));
    if spaces != 1 || !is_likely || has_dots {
        return None;
    }
    let mut restored = [Unit::Space; 4];
    for (restored, unit) in restored.iter_mut().zip(units) {
        *restored = if *unit == Unit::Space { Unit::Byte(0xA0) } else { *unit };
    }
    exact(&restored[..units.len()])
}

/// Decodes a pair of surrogates, each of them written as UTF-8 (CESU-8).
fn surrogates(units: &[Unit]) -> Option<char> {
    let half = |units: &[Unit]| match units {
        [Unit::Byte(0xED), Unit::Byte(high @ 0xA0..=0xBF), Unit::Byte(low @ 0x80..=0xBF)] => {
            Some(0xD000 | u16::from(high & 0x3F) << 6 | u16::from(low & 0x3F))
        }
        _ => None,
    };
    let pair = [half(units.get(..3)?)?, half(units.get(3..6)?)?];
    char::decode_utf16(pair).next()?.ok()
}

/// Returns true if and only if bytes after the lead were lost, and all others are there (`LOSSY_UTF8_RE`).
fn is_lossy(lead: u8, rest: &[Unit]) -> bool {
    let is_lost = |unit: &Unit| matches!(unit, Unit::Lost | Unit::Question);
    let is_known = |unit: &Unit| matches!(unit, Unit::Byte(0x80..=0xBF));
    let questions = rest.iter().filter(|unit| **unit == Unit::Question).count();
    let may_have_question = rest.len() > 1 || lead <= 0xC3;
    rest.iter().all(|unit| is_lost(unit) || is_known(unit))
        && rest.iter().any(is_lost)
        && questions <= usize::from(may_have_question)
}

/// Returns true if and only if the Portuguese words go on that begin with "à", or another space comes.
fn is_continued(rest: &[char]) -> bool {
    let begins = |start: &str| start.chars().eq(rest.iter().copied().take(start.len()));
    [" ", "quele", "quela", "quilo", "s "].into_iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::super::charset::CHARSETS;
    use super::*;

    fn decoded(text: &str) -> Vec<(usize, char)> {
        let characters: Vec<_> = text.chars().collect();
        let found = find(&characters, &units(&characters, &CHARSETS[0]));
        found.iter().map(|sequence| (sequence.length, sequence.decoded)).collect()
    }

    #[test]
    fn sequences_are_found_whole_altered_and_lossy() {
        assert_eq!(decoded("cafÃ© â€™"), [(2, 'é'), (3, '’')]);
        assert_eq!(decoded("Ã la Ã s Å veices"), [(1, 'à'), (2, 'à'), (2, 'Š')]);
        assert_eq!(decoded("â€\u{FFFD} â€? Ã?"), [(3, '\u{FFFD}'), (3, '\u{FFFD}'), (2, '\u{FFFD}')]);
        assert_eq!(decoded("í\u{A0}½í¸\u{8D} í\u{A0}½"), [(6, '😍')]);
        assert_eq!(decoded("é À È a ÿþ"), []);
        assert_eq!(decoded("Groß† JOSÉ† MENÜ€"), []);
        assert_eq!(decoded("MÃ¼ller Ð°Ð±"), [(2, 'ü'), (2, 'а'), (2, 'б')]);
    }
}
