//! How many sentences a line holds: as good as a count against a bound needs.

use crate::characters::is_sentence_terminal;
use crate::scripts::is_unmarked;

/// What may stand between the end of a sentence and the white space after it.
const CLOSING: [char; 8] = ['"', '\'', ')', ']', '”', '’', '»', '}'];
/// Quotes that alone may end a sentence, as C4 has it.
const QUOTES: [char; 5] = ['"', '”', '’', '」', '』'];
/// Words that end with a full stop and rarely end a sentence.
const ABBREVIATIONS: [&str; 22] = [
    "al", "approx", "co", "corp", "dept", "dr", "eg", "fig", "gen", "ie", "inc", "jr", "ltd", "mr", "mrs",
    "ms", "no", "prof", "sr", "st", "vol", "vs",
];

/// Counts the sentences of a line: ends of sentences that white space and no small letter follow, and
/// what is left at the end of the line.
pub fn count(line: &str) -> usize {
    let mut sentences = 0;
    for_each(line, |_, sentence| sentences += usize::from(!sentence.trim().is_empty()));
    sentences
}

/// Returns true if and only if a line ends as sentences do in the script of its last letter: with a mark or dots and
/// what closes behind them, with a quote, or as Thai and Lao have it, with a letter.
pub(crate) fn is_ended(line: &str) -> bool {
    let open = line.trim_end_matches(is_closing);
    let is_quoted = line.ends_with(QUOTES);
    let is_unmarked = || line.chars().rev().find(|c| c.is_alphabetic()).is_some_and(is_unmarked);
    is_quoted || open.ends_with(|c| is_sentence_terminal(c) || c == '…') || is_unmarked()
}

fn is_closing(c: char) -> bool {
    CLOSING.contains(&c) || "」』）】》〉".contains(c)
}

/// Calls `sentence` with every sentence of a line and where it begins: all of the line is in one.
pub fn for_each(line: &str, mut sentence: impl FnMut(usize, &str)) {
    let mut begin = 0;
    for (at, c) in terminals(line) {
        let end = at + c.len_utf8();
        let closed = line[end..].trim_start_matches(CLOSING);
        let rest = closed.trim_start();
        let is_spaced = c.is_ascii() && rest.len() == closed.len();
        if end <= begin || is_spaced || rest.starts_with(char::is_lowercase) {
            continue;
        }
        if c == '.' && is_abbreviation(&line[begin..at]) {
            continue;
        }
        let next = line.len() - rest.len();
        sentence(begin, &line[begin..next]);
        begin = next;
    }
    if begin < line.len() {
        sentence(begin, &line[begin..]);
    }
}

/// Returns the characters that may end a sentence.
fn terminals(line: &str) -> impl Iterator<Item = (usize, char)> {
    let (ascii, other) = match line.is_ascii() {
        true => (Some(memchr::memchr3_iter(b'.', b'!', b'?', line.as_bytes())), None),
        false => (None, Some(line.char_indices().filter(|(_, c)| is_sentence_terminal(*c)))),
    };
    let ascii = ascii.into_iter().flatten().map(|at| (at, char::from(line.as_bytes()[at])));
    ascii.chain(other.into_iter().flatten())
}

/// Returns true if and only if a text ends with an abbreviation or an initial.
fn is_abbreviation(text: &str) -> bool {
    let word = text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_initial = word.len() == 1 && word.chars().all(char::is_uppercase);
    is_initial || ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_counted() {
        let cases = [
            ("", 0),
            ("no end", 1),
            ("One. Two! Three?", 3),
            ("He said \"Go.\" Then he went.", 2),
            ("Dr. Smith met J. Doe at 3.14 p.m. and left.", 1),
            ("Wait... what? See a.example for more", 2),
            ("一。二。三", 3),
            ("It rained (a lot.) And then it stopped.", 2),
        ];
        for (line, expected) in cases {
            assert_eq!(count(line), expected, "{line}");
        }
    }
}
