//! Lines that were read ahead, in one piece of memory: what is looked at twice is not copied.

use std::io::{self, BufRead};

use crate::lines::{Ends, Line, Lines};

/// Lines with their ends, from the one that is read next on.
#[derive(Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    /// Where the bytes begin that were not passed.
    at: usize,
    /// Where the line at that place ends, behind its own end.
    line_end: usize,
    /// What came behind these lines and is none.
    last: Option<Line>,
}

impl Ahead {
    /// Returns true if no line is there.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Takes what stands behind the lines and is none.
    pub(super) fn take_last(&mut self) -> Option<Line> {
        self.last.take()
    }

    /// Adds a line with its end; the last of a file gets one.
    pub(super) fn push(&mut self, line: &[u8]) {
        // What was passed goes once it is most of what is held.
        if self.at > self.bytes.len() / 2 {
            self.bytes.drain(..self.at);
            (self.at, self.line_end) = (0, self.line_end - self.at);
        }
        let is_first = self.is_empty();
        self.bytes.extend_from_slice(line);
        if !line.ends_with(b"\n") && !line.ends_with(b"\r") {
            self.bytes.push(b'\n');
        }
        if is_first {
            self.line_end = self.bytes.len();
        }
    }

    /// Returns the line.
    pub(super) fn line(&self) -> &[u8] {
        self.bytes.get(self.at..self.line_end).unwrap_or_default()
    }

    /// Returns so many bytes from the line's beginning on, without line ends behind them.
    pub(super) fn text(&self, length: usize) -> Vec<u8> {
        let text = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        text[..text_length(text)].to_vec()
    }

    /// Returns the line that begins so many bytes further on; none at the end of what was read.
    pub(super) fn line_at(&self, offset: usize) -> Option<&[u8]> {
        let rest = self.bytes.get(self.at + offset..).filter(|rest| !rest.is_empty())?;
        let end = if offset == 0 { self.line_end - self.at } else { line_length(rest) };
        rest.get(..end)
    }

    /// Reads another line; false if there is none, or what comes is no whole line.
    ///
    /// # Errors
    /// The transport's.
    pub(super) fn read<R: BufRead>(&mut self, lines: &mut Lines<R>) -> io::Result<bool> {
        if self.last.is_some() {
            return Ok(false);
        }
        match lines.next().transpose()? {
            Some(Line::Whole(line)) => self.push(&line),
            other => {
                self.last = other;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes over so many bytes.
    pub(super) fn pass(&mut self, count: usize) {
        self.at = (self.at + count).min(self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            (self.at, self.line_end) = (0, 0);
        } else if self.at >= self.line_end {
            self.line_end = self.at + line_length(&self.bytes[self.at..]);
        }
    }
}

/// Returns the length of a text without the line ends behind it.
pub(super) fn text_length(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1)
}

/// Returns the length of the first line with its end.
fn line_length(text: &[u8]) -> usize {
    Ends::Kept.find(text).map_or(text.len(), |(_, behind)| behind)
}
