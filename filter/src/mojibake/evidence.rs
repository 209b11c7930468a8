//! Whether a sequence is mojibake, or letters with marks behind them that are right as they are.
//!
//! In right text a letter stands before a mark that is also half of a character: "vérité »", "AMANHÃ”", "GÅ…".
//! There the word ends, and reading it as mojibake gives a letter that does not belong: of another script, or small
//! among capitals. Such a sequence is no evidence.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::sequence::Sequence;
use crate::scripts::is_latin;

/// Marks that stand right behind a word, or within one: spaces, quotes, dashes, dots, footnotes, trademarks.
const MARKS: &str = " \u{A0}\u{AD}…”“’‘»«›‹–—™®©•°²³¹§·´";
/// Those that stand behind another mark.
const SECOND_MARKS: &str = " \u{A0}…”“’‘»›–—";
/// Marks that French puts behind a no-break space.
const SPACED_MARKS: &str = "»!?:;";

/// Characters to either side that tell whether a text is in capitals.
const NEAR: usize = 12;

/// What stands beside a sequence, as it would once all sequences of the line are decoded.
#[derive(Debug, Clone, Copy)]
struct Beside {
    before: Option<char>,
    after: Option<char>,
}

impl Beside {
    fn of(characters: &[char], found: &[Sequence], place: usize) -> Self {
        let Sequence { begin, .. } = found[place];
        let end = found[place].end();
        let decoded_before = place.checked_sub(1).map(|at| &found[at]).filter(|other| other.end() == begin);
        let decoded_after = found.get(place + 1).filter(|other| other.begin == end);
        Self {
            before: decoded_before
                .map(|other| other.decoded)
                .or_else(|| Some(characters[begin.checked_sub(1)?])),
            after: decoded_after.map(|other| other.decoded).or_else(|| characters.get(end).copied()),
        }
    }

    /// Returns true if and only if a letter that is not Latin has no such letter beside it.
    fn is_lonely(self) -> bool {
        let is_other = |c: Option<char>| c.is_some_and(is_foreign);
        !is_other(self.before) && !is_other(self.after)
    }

    fn is_within_word(self) -> bool {
        self.after.is_some_and(char::is_alphabetic)
    }

    fn is_behind_word(self) -> bool {
        self.before.is_some_and(char::is_alphabetic)
    }

    /// Returns true if and only if a letter here would be one of capitals.
    fn is_among_capitals(self) -> bool {
        self.before.is_some_and(char::is_uppercase) && !self.after.is_some_and(char::is_lowercase)
    }
}

/// Returns true if and only if a sequence among those of its line is evidence of mojibake.
pub(super) fn is_strong(characters: &[char], found: &[Sequence], place: usize) -> bool {
    let sequence = &found[place];
    let Sequence { begin, decoded, .. } = *sequence;
    let beside = Beside::of(characters, found, place);
    let (lead, marks) = (characters[begin], &characters[begin + 1..sequence.end()]);
    let is_right =
        marks.iter().all(|c| MARKS.contains(*c)) && marks.iter().skip(1).all(|c| SECOND_MARKS.contains(*c));
    let is_foreign = is_foreign(decoded);
    let is_within_word = beside.is_within_word() && !marks.iter().any(|c| c.is_whitespace());
    let is_lonely = is_foreign && beside.is_lonely() && !(is_greek(decoded) && is_within_word);
    let is_small = decoded.is_lowercase() && decoded != 'ß';
    let is_at_gap = beside.before.is_some_and(char::is_uppercase)
        && is_small
        && beside.after.is_some_and(char::is_alphabetic)
        && marks.iter().all(|c| c.is_whitespace());
    if is_nothing(decoded)
        // "CAMPEÃ é" are two words, and "à" ends one.
        || is_at_gap
        || is_lonely && (is_right || beside.is_behind_word() || beside.is_within_word())
        || is_joined(lead, marks, decoded, beside)
        || is_small && beside.is_among_capitals() && !is_title(characters, begin, beside)
    {
        return false;
    }
    if !is_right || is_foreign && (!beside.is_lonely() || is_within_word) {
        return true;
    }
    if lead.is_lowercase() {
        return is_within_word || lead == 'â' && !beside.is_behind_word();
    }
    match lead {
        _ if is_within_word => true,
        'Ã' if !beside.is_among_capitals() => true,
        'Â' if !beside.is_among_capitals()
            && (beside.is_behind_word() || is_near_small(characters, begin)) =>
        {
            true
        }
        // "NIKEÂ®" and "KMÂ²", but "HÂLÂ »".
        'Â' => matches!(decoded, '®' | '©' | '°' | '²' | '³'),
        // Words in capitals end with "Ã" behind a consonant: "AMANHÃ”", but "OÃ™".
        'Ã' => is_small || beside.before.is_some_and(|c| "AEIOU".contains(c)),
        // One letter may be a word.
        _ => beside.is_behind_word() && !beside.is_among_capitals(),
    }
}

/// Returns true if and only if a sequence is a mark by itself: where others of its line are evidence, so is this.
pub(super) fn is_mark(characters: &[char], sequence: &Sequence) -> bool {
    let before = sequence.begin.checked_sub(1).map(|at| characters[at]);
    characters[sequence.begin] == 'Â' && !before.is_some_and(char::is_alphabetic)
}

/// Returns true if and only if a sequence consists of letters of a word that has more, and gives none: "MÍŠA".
fn is_joined(lead: char, rest: &[char], decoded: char, beside: Beside) -> bool {
    let is_letters = lead.is_alphabetic() && rest.iter().all(|c| c.is_alphabetic());
    let is_within = beside.is_behind_word() || beside.is_within_word();
    let is_letter = decoded.is_alphabetic() || is_foreign(decoded);
    is_letters && is_within && !is_letter
}

/// Returns true if and only if a small letter behind a capital ends a word of two, "Né" or "Là", within text that is
/// not all capitals.
fn is_title(characters: &[char], begin: usize, beside: Beside) -> bool {
    let is_second =
        beside.before.is_some_and(|c| c.is_ascii()) && (begin < 2 || !characters[begin - 2].is_alphabetic());
    let is_last = !beside.after.is_some_and(|c| c.is_alphabetic() || SPACED_MARKS.contains(c));
    is_second && is_last && is_near_small(characters, begin)
}

/// Returns true if and only if a place is within text that is not all capitals.
fn is_near_small(characters: &[char], at: usize) -> bool {
    let near = at.saturating_sub(NEAR)..(at + NEAR).min(characters.len());
    characters[near].iter().any(char::is_ascii_lowercase)
}

/// Returns true if and only if a character is none that texts have: a control, or one that Unicode does not assign.
fn is_nothing(c: char) -> bool {
    use GeneralCategory as G;
    matches!(c.general_category(), G::Control | G::Unassigned | G::PrivateUse)
}

/// Returns true if and only if a character is a letter of another script than Latin, or a sign at one.
pub(super) fn is_foreign(c: char) -> bool {
    let is_sign =
        || c.general_category_group() == GeneralCategoryGroup::Mark && !matches!(c, '\u{FE00}'..='\u{FE0F}');
    c >= '\u{370}' && (c.is_alphabetic() || is_sign()) && !is_latin(c)
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3FF}')
}
