//! Mojibake: UTF-8 that was decoded as an encoding of one byte a character, and what it was.
//!
//! ```text
//! badness     neighbours that right text does not have: where to look closer
//! charset     Charset    the encodings, a byte for every character
//! sequence    Sequence   characters that were one of UTF-8
//! evidence               whether a sequence is mojibake or right text
//! line        Line       a line with unlikely neighbours, and the ways to read it
//! ```
//!
//! The procedure is ftfy's `fix_encoding` (Robyn Speer, 2019; version 6.3): a line with unlikely neighbours is
//! decoded as a whole where all of it is UTF-8 in some encoding, else the runs of sequences in it that are
//! unlikely themselves. Two things are stricter. A sequence that is a letter with marks behind it is no evidence
//! ([`evidence`]), and a line must not have more unlikely neighbours afterwards. Every line costs a fixed number of
//! passes over it.

mod badness;
mod charset;
mod evidence;
mod line;
mod sequence;

#[cfg(test)]
mod tests;

use charset::CHARSETS;
use line::Line;

/// Decodings on top of each other that are undone, and the controls that are left then.
const LAYERS_MAX: usize = 4;

/// A text without mojibake.
#[derive(Debug, PartialEq)]
pub(crate) struct Repaired {
    /// The text.
    pub(crate) text: String,
    /// How many characters fewer each layer of each line has, but one at least.
    pub(crate) score: u64,
}

/// Undoes the mojibake of every line; `None` where there is none.
pub(crate) fn undo(text: &str) -> Option<Repaired> {
    if text.is_ascii() || !badness::may_be_bad(text) {
        return None;
    }
    let mut undone = None::<Repaired>;
    let mut at = 0;
    // Up to where the text went on as it is.
    let mut copied = 0;
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let Some((repaired, score)) = undo_line(line) else { continue };
        let undone =
            undone.get_or_insert_with(|| Repaired { text: String::with_capacity(text.len()), score: 0 });
        undone.text.push_str(&text[copied..begin]);
        undone.text.push_str(&repaired);
        undone.score += score;
        copied = at;
    }
    if let Some(undone) = &mut undone {
        undone.text.push_str(&text[copied..]);
    }
    undone
}

/// Undoes all layers of a line; returns the score with it.
fn undo_line(line: &str) -> Option<(String, u64)> {
    if line.is_ascii() || !badness::is_bad(line) {
        return None;
    }
    let (mut repaired, mut score) = (None::<String>, 0);
    for _ in 0..LAYERS_MAX {
        let before = repaired.as_deref().unwrap_or(line);
        let Some(after) = undo_layer(before, repaired.is_some()) else { break };
        score += (before.chars().count().saturating_sub(after.chars().count()) as u64).max(1);
        repaired = Some(after);
    }
    repaired.map(|repaired| (repaired, score))
}

/// Undoes one layer; `is_mojibake` says that the line had one before.
fn undo_layer(line: &str, is_mojibake: bool) -> Option<String> {
    let line = Line::of(line)?;
    let units: Vec<_> = CHARSETS.iter().map(|charset| sequence::units(&line.characters, charset)).collect();
    let found: Vec<_> = units.iter().map(|units| sequence::find(&line.characters, units)).collect();
    let mut like_latin_1 = CHARSETS.iter().zip(&found).filter(|(charset, _)| charset.is_like_latin_1);
    let read = || units.iter().zip(&found);
    // A line of one encoding is not taken for a mixed one.
    (read().skip(1).chain(read().take(1)))
        .find_map(|(units, found)| line.decode_whole(units, found))
        .or_else(|| like_latin_1.find_map(|(_, found)| line.decode_runs(found)))
        .or_else(|| line.decode_controls(is_mojibake))
}
