//! A quoted field without end: the lines behind it are a part of it, and no rows of their own.
//!
//! Those that have as many fields as the header are taken as rows all the same: mostly the quote is the mistake. The
//! others are one broken row, which says how many they are: a text of two megabytes is not a million broken rows.

use super::Row;
use crate::source::preview;

/// Rows in succession that are as they should be, after which nothing more is laid to the quote.
const SOUND_ROWS: u32 = 100;

/// The lines behind a quote that have other fields than the header.
pub(super) struct Unclosed {
    /// The broken row that stands for the last of them.
    broken: Option<Broken>,
    /// Whether it is to be told before the next row, or once the file is as it should be.
    is_first: bool,
    sound: u32,
}

/// A broken row, with what follows from it.
struct Broken {
    detail: String,
    preview: String,
    /// Lines behind it, and their bytes.
    lines: u64,
    bytes: u64,
}

impl Unclosed {
    /// Begins with the line of the quote.
    pub(super) fn new(line: &[u8]) -> Self {
        let mut unclosed = Self { broken: None, is_first: true, sound: 0 };
        unclosed.add("quoted field without end", line);
        unclosed
    }

    /// Adds what makes no row.
    pub(super) fn add(&mut self, detail: &str, text: &[u8]) {
        self.sound = 0;
        let lines = memchr::memchr_iter(b'\n', text).count() as u64 + 1;
        match &mut self.broken {
            Some(broken) => {
                (broken.lines, broken.bytes) = (broken.lines + lines, broken.bytes + text.len() as u64)
            }
            None => {
                let (detail, preview) = (detail.to_owned(), preview(text));
                self.broken = Some(Broken { detail, preview, lines: 0, bytes: 0 });
            }
        }
    }

    /// Notes a row that is as it should be; returns the broken one that goes before it.
    pub(super) fn sound(&mut self) -> Option<Row> {
        self.sound += 1;
        match std::mem::take(&mut self.is_first) || self.is_over() {
            true => self.end(),
            false => None,
        }
    }

    /// Returns true once the file is as it should be.
    pub(super) fn is_over(&self) -> bool {
        self.sound >= SOUND_ROWS
    }

    /// Returns the broken row that was not told yet.
    pub(super) fn end(&mut self) -> Option<Row> {
        let Broken { detail, preview, lines, bytes } = self.broken.take()?;
        let detail = match lines {
            0 => detail,
            _ => format!("{detail}; {lines} lines of {bytes} bytes behind it make no rows"),
        };
        Some(Row::Broken { detail, preview })
    }
}
