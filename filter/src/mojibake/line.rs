//! A line with unlikely neighbours, and the ways to read it.

use std::ops::Range;

use super::badness;
use super::charset::{Unit, may_continue, of_control};
use super::evidence::{is_foreign, is_mark, is_strong};
use super::sequence::Sequence;

/// Marks that stand for themselves also beside mojibake.
const PLAIN_MARKS: &str = " ‘’‚“”„•…–—―\u{A0}";
/// Letters of other scripts from which a line is taken to be in one.
const FOREIGN_MIN: usize = 4;
/// The control that also ends lines.
const NEXT_LINE: char = '\u{85}';

/// The characters of a line, and where it is unlikely.
pub(super) struct Line {
    pub(super) characters: Vec<char>,
    /// Places of unlikely neighbours among the characters, in order and apart.
    bad: Vec<Range<usize>>,
}

impl Line {
    /// Returns a line if anything of it is unlikely.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (mut bad, mut at, mut count) = (Vec::new(), 0, 0);
        for place in badness::places(text) {
            let begin = count + text[at..place.start].chars().count();
            count = begin + text[place.clone()].chars().count();
            at = place.end;
            bad.push(begin..count);
        }
        (!bad.is_empty()).then(|| Self { characters: text.chars().collect(), bad })
    }

    /// Decodes the line if all of it that is not ASCII consists of sequences.
    pub(super) fn decode_whole(&self, units: &[Unit], found: &[Sequence]) -> Option<String> {
        let is_rest_plain = gaps(found, units.len())
            .all(|gap| units[gap].iter().all(|unit| !matches!(unit, Unit::Byte(_) | Unit::Foreign)));
        (is_rest_plain && self.has_evidence(found)).then(|| self.replace(found))?
    }

    /// Decodes the runs of sequences that are unlikely themselves.
    pub(super) fn decode_runs(&self, found: &[Sequence]) -> Option<String> {
        let runs =
            || found.chunk_by(|a, b| a.end() == b.begin && !b.has_question).filter(|run| self.is_whole(run));
        let evidence: Vec<_> = runs().filter(|run| self.has_evidence(run)).flatten().collect();
        if evidence.is_empty() {
            return None;
        }
        let foreign = evidence.iter().filter(|sequence| is_foreign(sequence.decoded)).count();
        let is_alike = |run: &[Sequence]| {
            is_mark(&self.characters, &run[0])
                || foreign >= FOREIGN_MIN && run.iter().all(|sequence| is_foreign(sequence.decoded))
        };
        let (mut wrong, mut end) = (Vec::new(), 0);
        for run in runs() {
            // Of a word of which a part is mojibake, all is.
            let is_same_word =
                end > 0 && self.characters[end..run[0].begin].iter().all(|c| c.is_alphabetic());
            if is_same_word || is_alike(run) || self.has_evidence(run) {
                wrong.extend_from_slice(run);
                end = wrong.last().map_or(0, Sequence::end);
            }
        }
        self.replace(&wrong)
    }

    /// Reads the C1 controls as Windows-1252, as browsers do.
    pub(super) fn decode_controls(&self, is_mojibake: bool) -> Option<String> {
        let is_meant = |at: usize| match self.characters[at] {
            // Where it may end a line it stays.
            NEXT_LINE => is_mojibake || self.characters.get(at + 1) == Some(&' '),
            c => c.is_control() && !c.is_ascii(),
        };
        let decoded = |(at, c): (usize, &char)| if is_meant(at) { of_control(*c) } else { *c };
        let text: String = self.characters.iter().enumerate().map(decoded).collect();
        (!text.chars().eq(self.characters.iter().copied())).then_some(text)
    }

    /// Returns true if and only if a sequence that is evidence is in an unlikely place.
    fn has_evidence(&self, found: &[Sequence]) -> bool {
        let from =
            found.first().map_or(0, |first| self.bad.partition_point(|place| place.end <= first.begin));
        let mut bad = self.bad[from..].iter().peekable();
        found.iter().enumerate().any(|(at, sequence)| {
            while bad.next_if(|place| place.end <= sequence.begin).is_some() {}
            let is_bad = bad.peek().is_some_and(|place| place.start < sequence.end());
            is_bad && is_strong(&self.characters, found, at)
        })
    }

    /// Returns false if a run follows a character that looks like half of another sequence: to decode a few characters
    /// of a garble makes it worse.
    fn is_whole(&self, run: &[Sequence]) -> bool {
        let before = run[0].begin.checked_sub(1).map(|at| self.characters[at]);
        let is_cut = before.is_some_and(|c| !c.is_ascii() && !PLAIN_MARKS.contains(c) && may_continue(c));
        !is_cut && !run[0].has_question
    }

    /// Puts the decoded characters in the place of sequences, unless that makes the line less likely.
    fn replace(&self, found: &[Sequence]) -> Option<String> {
        let mut text = String::with_capacity(self.characters.len());
        let mut at = 0;
        for sequence in found {
            text.extend(&self.characters[at..sequence.begin]);
            text.push(sequence.decoded);
            at = sequence.end();
        }
        text.extend(&self.characters[at..]);
        (badness::places(&text).count() <= self.bad.len()).then_some(text)
    }
}

/// Returns what lies between sequences.
fn gaps(found: &[Sequence], length: usize) -> impl Iterator<Item = Range<usize>> {
    let begins = std::iter::once(0).chain(found.iter().map(Sequence::end));
    let ends = found.iter().map(|sequence| sequence.begin).chain([length]);
    begins.zip(ends).map(|(begin, end)| begin..end)
}
