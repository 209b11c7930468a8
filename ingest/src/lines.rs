//! Lines of a compressed or plain file, bounded in length.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use encoding_rs_io::DecodeReaderBytes;

use crate::container;
use crate::fault::FileFault;
use crate::packed::{Metered, Unpacked, is_packed, is_packed_behind};

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Decompresses gzip, zstd, lz4, xz and bzip2, told by their first bytes; other text passes as it is.
/// Windows of zstd have at most two to `window_log_max` bytes.
///
/// Damage is an error that carries a [`FileFault`]; the next read goes on behind it.
///
/// # Errors
/// When the input cannot be read; a [`FileFault`] if it is empty, or of a format that is no text.
pub fn decompressed<'r>(reader: impl Read + 'r, window_log_max: u32) -> io::Result<Box<dyn BufRead + 'r>> {
    Ok(counted(reader, window_log_max)?.0)
}

/// A file's text, and of a compressed file the bytes of it that what came out was made of, as they grow.
pub(crate) type Counted<'r> = (Box<dyn BufRead + 'r>, Option<Rc<Cell<u64>>>);

/// As [`decompressed`], with a count.
pub(crate) fn counted<'r>(reader: impl Read + 'r, window_log_max: u32) -> io::Result<Counted<'r>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let head = reader.fill_buf()?;
    if head.is_empty() {
        return Err(FileFault::empty().into());
    }
    if let Some(name) = container::foreign(head) {
        return Err(FileFault::broken(format!("it is {name}, not text")).into());
    }
    if !is_packed(head) && !is_packed_behind(head) {
        return Ok((utf8(Box::new(reader))?, None));
    }
    let unpacked = Unpacked::new(reader, window_log_max)?;
    let file_bytes = unpacked.taken();
    let metered = Metered::new(utf8(Box::new(unpacked))?, Rc::clone(&file_bytes));
    Ok((Box::new(metered), Some(file_bytes)))
}

/// How UTF-16 begins, of either order of bytes.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// Has a file in UTF-16, told by its mark, read as UTF-8.
fn utf8<'r>(mut reader: Box<dyn BufRead + 'r>) -> io::Result<Box<dyn BufRead + 'r>> {
    // Damage at the very beginning is met again where the file is read.
    let is_utf16 = match reader.fill_buf() {
        Ok(head) => UTF_16_MARKS.iter().any(|mark| head.starts_with(mark)),
        Err(error) => return Ok(Box::new(Failing(Some(error)).chain(reader))),
    };
    Ok(match is_utf16 {
        true => Box::new(BufReader::with_capacity(BUFFER_BYTES, DecodeReaderBytes::new(reader))),
        false => reader,
    })
}

/// A reader of one error.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Failing {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _: usize) {}
}

/// What programs of one system put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Passes over a byte order mark.
///
/// # Errors
/// When the input cannot be read.
pub fn pass_over_mark(reader: &mut impl BufRead) -> io::Result<()> {
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The bytes.
    Whole(Vec<u8>),
    /// More than the limit; the rest was passed over.
    TooLong {
        /// The line's beginning.
        head: Vec<u8>,
        /// Its length.
        bytes: u64,
    },
    /// Damage of the file, in place of the line in which it is and of those that it took.
    Lost(FileFault),
}

impl Line {
    /// Makes a line of damage, or passes an error of the transport on.
    pub(crate) fn lost(error: io::Error, unfinished: usize) -> io::Result<Self> {
        let Some(mut fault) = FileFault::of_io(&error) else {
            return Err(error);
        };
        if unfinished > 0 {
            fault.detail += &format!(", and {unfinished} bytes of a record before it");
        }
        Ok(Self::Lost(fault))
    }
}

/// Iterator over lines; a last line without an end counts too. Errors are the transport's alone.
pub struct Lines<R> {
    reader: R,
    line_bytes_max: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines of at most so many bytes.
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        Self { reader, line_bytes_max }
    }

    /// Returns the reader, at the beginning of the next line.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        // Nearly every line ends in what was read ahead.
        let buffer = match self.reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => &[],
            Err(error) => return Line::lost(error, 0).map(Some),
        };
        if let Some(end) = memchr::memchr(b'\n', &buffer[..buffer.len().min(self.line_bytes_max)]) {
            let line = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]).to_vec();
            self.reader.consume(end + 1);
            return Ok(Some(Line::Whole(line)));
        }
        let mut line = Vec::new();
        let limit = self.line_bytes_max as u64 + 1;
        let length = match self.reader.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(None),
            Ok(length) => length,
            Err(error) => return Line::lost(error, line.len()).map(Some),
        };
        if line.last() != Some(&b'\n') && length as u64 == limit {
            return match skip_line(&mut self.reader) {
                Ok(skipped) => Ok(Some(Line::TooLong { head: line, bytes: length as u64 + skipped })),
                Err(error) => Line::lost(error, length).map(Some),
            };
        }
        for end in [b'\n', b'\r'] {
            if line.last() == Some(&end) {
                line.pop();
            }
        }
        Ok(Some(Line::Whole(line)))
    }
}

/// Passes over the rest of a line; returns its bytes without the end.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (length, consumed) = end.map_or((buffer.len(), buffer.len()), |end| (end, end + 1));
        reader.consume(consumed);
        skipped += length as u64;
        if consumed == 0 || end.is_some() {
            return Ok(skipped);
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Iterator over lines that end as any system ends them: with a line feed, a carriage return, or both.
pub struct AnyLines<R> {
    lines: Lines<R>,
    ahead: VecDeque<Line>,
}

impl<R: BufRead> AnyLines<R> {
    /// Reads lines of at most so many bytes; what ends with returns alone has so many in all.
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        Self { lines: Lines::new(reader, line_bytes_max), ahead: VecDeque::new() }
    }
}

impl<R: BufRead> Iterator for AnyLines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(line) = self.ahead.pop_front() {
            return Some(Ok(line));
        }
        match self.lines.next()? {
            Ok(Line::Whole(line)) if memchr::memchr(b'\r', &line).is_some() => {
                let pieces = line.split(|byte| *byte == b'\r').map(|piece| Line::Whole(piece.to_vec()));
                self.ahead.extend(pieces);
                self.ahead.pop_front().map(Ok)
            }
            line => Some(line),
        }
    }
}

/// Iterator over blocks of lines that blank lines separate, joined by newlines.
pub struct Blocks<R> {
    lines: Lines<R>,
    block_bytes_max: usize,
}

impl<R: BufRead> Blocks<R> {
    /// Reads blocks of at most so many bytes.
    pub fn new(reader: R, block_bytes_max: usize) -> Self {
        Self { lines: Lines::new(reader, block_bytes_max), block_bytes_max }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut block = Vec::new();
        let mut bytes = 0;
        for line in &mut self.lines {
            let (line, length) = match line? {
                Line::Whole(line) => {
                    let length = line.len() as u64;
                    (line, length)
                }
                Line::TooLong { head, bytes } => (head, bytes),
                // The block in which the damage is has no end, and the rest of it no beginning.
                lost @ Line::Lost(_) => return Ok(Some(lost)),
            };
            if line.trim_ascii().is_empty() {
                match bytes {
                    0 => continue,
                    _ => break,
                }
            }
            bytes += length + u64::from(bytes > 0);
            if bytes <= self.block_bytes_max as u64 {
                if !block.is_empty() {
                    block.push(b'\n');
                }
                block.extend_from_slice(&line);
            } else if block.is_empty() {
                block = line;
            }
        }
        Ok(match bytes {
            0 => None,
            _ if bytes > self.block_bytes_max as u64 => Some(Line::TooLong { head: block, bytes }),
            _ => Some(Line::Whole(block)),
        })
    }
}

impl<R: BufRead> Iterator for Blocks<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests;
