//! Lines of a compressed or plain file, bounded in length.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::container;
use crate::fault::FileFault;
use crate::packed::{Full, Metered, Unpacked, is_packed, is_packed_behind};
use crate::sniff;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A file's text.
pub(crate) type Text<'r> = Box<dyn BufRead + 'r>;

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

/// As [`decompressed`], of a file of rows: a page that a server sent in its place is refused.
pub(crate) fn rows_of<'r>(reader: impl Read + 'r, window_log_max: u32) -> io::Result<Text<'r>> {
    Ok(counted_rows(reader, window_log_max)?.0)
}

/// A file's text, and of a compressed file the bytes of it that what came out was made of, as they grow.
pub(crate) type Counted<'r> = (Text<'r>, Option<Rc<Cell<u64>>>);

/// As [`rows_of`], with a count.
pub(crate) fn counted_rows<'r>(reader: impl Read + 'r, window_log_max: u32) -> io::Result<Counted<'r>> {
    let (text, taken) = counted(reader, window_log_max)?;
    match look(text, sniff::answer) {
        (Some(what), _) => {
            Err(FileFault::broken(format!("it is {what}, as servers send in place of a file, not rows"))
                .into())
        }
        (None, text) => Ok((text, taken)),
    }
}

fn counted<'r>(reader: impl Read + 'r, window_log_max: u32) -> io::Result<Counted<'r>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, Full::new(reader));
    let head = reader.fill_buf()?;
    if head.is_empty() {
        return Err(FileFault::empty().into());
    }
    if let Some(name) = container::foreign(head) {
        return Err(FileFault::broken(format!("it is {name}, not text")).into());
    }
    if !is_packed(head) && !is_packed_behind(head) {
        return Ok((utf8(Box::new(reader)), None));
    }
    let unpacked = Unpacked::new(reader, window_log_max)?;
    let file_bytes = unpacked.taken();
    let text = within(Box::new(unpacked), window_log_max)?;
    let metered = Metered::new(utf8(text), Rc::clone(&file_bytes));
    Ok((Box::new(metered), Some(file_bytes)))
}

/// Has what was compressed twice decompressed again; what is no text then is refused.
fn within(text: Text<'_>, window_log_max: u32) -> io::Result<Text<'_>> {
    let (is_twice, text) = look(text, is_packed);
    let text: Text<'_> = if is_twice { Box::new(Unpacked::new(text, window_log_max)?) } else { text };
    let what = |head: &[u8]| container::foreign(head).or(is_packed(head).then_some("compressed three times"));
    match look(text, what) {
        (Some(name), _) => {
            Err(FileFault::broken(format!("what is compressed in it is {name}, not text")).into())
        }
        (None, text) => Ok(text),
    }
}

/// Looks at the beginning of a text. Damage there is met again where the text is read.
pub(crate) fn look<T: Default>(mut text: Text<'_>, look: impl FnOnce(&[u8]) -> T) -> (T, Text<'_>) {
    match text.fill_buf().map(look) {
        Ok(seen) => (seen, text),
        Err(error) => (T::default(), Box::new(Failing(Some(error)).chain(text))),
    }
}

/// Has a file in UTF-16 read as UTF-8.
fn utf8(text: Text<'_>) -> Text<'_> {
    match look(text, wide) {
        (Some(encoding), text) => {
            let decoded = DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(text);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoded))
        }
        (None, text) => text,
    }
}

/// How UTF-16 begins, and which byte of a letter of ASCII is zero.
const UTF_16: [(&Encoding, &[u8], usize); 2] = [(UTF_16LE, b"\xFF\xFE", 1), (UTF_16BE, b"\xFE\xFF", 0)];
/// Letters of ASCII that tell UTF-16 without a mark: no text in another charset has zeros between them.
const UTF_16_LETTERS: usize = 3;

/// Tells UTF-16 by its mark, or by its first letters.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let is_ascii = |letter: &[u8], zero: usize| {
        letter[zero] == 0 && letter[1 - zero].is_ascii() && letter[1 - zero] != 0
    };
    let letters = head.get(..2 * UTF_16_LETTERS);
    let begins = |(_, mark, zero): &&(_, &[u8], usize)| {
        let is_told = |letters: &[u8]| letters.chunks_exact(2).all(|letter| is_ascii(letter, *zero));
        head.starts_with(mark) || letters.is_some_and(is_told)
    };
    UTF_16.iter().find(begins).map(|(encoding, ..)| *encoding)
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

/// What programs of one system put before UTF-8; files that were joined have it before a line, too.
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

/// What ends a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ends {
    /// A line feed, and a carriage return before it.
    #[default]
    Feed,
    /// As any system ends lines: a line feed, a carriage return, or both in this order.
    Any,
    /// The same, and it stays with its line. A pair of both that lies across two reads of the file may be two ends.
    Kept,
    /// One byte.
    Byte(u8),
}

impl Ends {
    /// Returns the ends of a text that begins so: carriage returns are some where there is no line feed at all.
    pub(crate) fn of_text(head: &[u8]) -> Self {
        let has = |byte| memchr::memchr(byte, head).is_some();
        if has(b'\r') && !has(b'\n') { Self::Any } else { Self::Feed }
    }

    /// Finds the first end: where it is, and where the next line begins.
    pub(crate) fn find(self, buffer: &[u8]) -> Option<(usize, usize)> {
        let at = match self {
            Self::Byte(end) => memchr::memchr(end, buffer)?,
            Self::Feed => memchr::memchr(b'\n', buffer)?,
            Self::Any | Self::Kept => memchr::memchr2(b'\r', b'\n', buffer)?,
        };
        let is_pair = matches!(self, Self::Any | Self::Kept) && buffer[at..].starts_with(b"\r\n");
        Some((at, at + if is_pair { 2 } else { 1 }))
    }
}

/// What was read of a line.
pub(crate) enum Begun {
    /// All of it, without its end.
    Whole(Vec<u8>),
    /// As much as a line may have and a byte more.
    TooLong(Vec<u8>),
    /// What stands before damage, or an error of the transport.
    Broken(Vec<u8>, io::Error),
}

/// Iterator over lines; a last line without an end counts too. Errors are the transport's alone.
pub struct Lines<R> {
    reader: R,
    line_bytes_max: usize,
    ends: Ends,
    /// Whether the last line ended with a carriage return, and the reader with it.
    is_behind_return: bool,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines of at most so many bytes.
    pub fn new(reader: R, line_bytes_max: usize, ends: Ends) -> Self {
        Self { reader, line_bytes_max, ends, is_behind_return: false }
    }

    /// Returns the reader, at the beginning of the next line.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Reads a line of which these bytes are there already; none at the end of the file.
    pub(crate) fn begin(&mut self, mut line: Vec<u8>) -> Option<Begun> {
        let is_fresh = line.is_empty();
        let mut is_any = !is_fresh;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Some(Begun::Broken(line, error)),
            };
            if buffer.is_empty() {
                return is_any.then(|| Begun::Whole(self.line(line, is_fresh)));
            }
            if std::mem::take(&mut self.is_behind_return) && buffer[0] == b'\n' {
                self.reader.consume(1);
                continue;
            }
            is_any = true;
            let room = (self.line_bytes_max + 1).saturating_sub(line.len()).min(buffer.len());
            if let Some((end, behind)) = self.ends.find(&buffer[..room]) {
                line.extend_from_slice(&buffer[..if self.ends == Ends::Kept { behind } else { end }]);
                self.is_behind_return = self.ends == Ends::Any && buffer[behind - 1] == b'\r';
                self.reader.consume(behind);
                return Some(Begun::Whole(self.line(line, is_fresh)));
            }
            line.extend_from_slice(&buffer[..room]);
            self.reader.consume(room);
            if line.len() > self.line_bytes_max {
                return Some(Begun::TooLong(line));
            }
        }
    }

    /// Takes the first half of an end of two bytes away, and a mark before the line.
    fn line(&self, mut line: Vec<u8>, is_fresh: bool) -> Vec<u8> {
        if is_fresh && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        if self.ends == Ends::Feed && line.last() == Some(&b'\r') {
            line.pop();
        }
        line
    }

    /// Passes over the rest of a line that is too long.
    ///
    /// # Errors
    /// The transport's.
    pub(crate) fn pass_over(&mut self, head: Vec<u8>) -> io::Result<Line> {
        let mut bytes = head.len() as u64;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) => return Line::lost(error, head.len()),
            };
            let end = self.ends.find(buffer);
            let (length, consumed) = end.unwrap_or((buffer.len(), buffer.len()));
            self.is_behind_return = self.ends == Ends::Any && end.is_some() && buffer[consumed - 1] == b'\r';
            self.reader.consume(consumed);
            bytes += length as u64;
            if consumed == 0 || end.is_some() {
                return Ok(Line::TooLong { head, bytes });
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.begin(Vec::new())? {
            Begun::Whole(line) => Ok(Line::Whole(line)),
            Begun::TooLong(head) => self.pass_over(head),
            Begun::Broken(line, error) => Line::lost(error, line.len()),
        })
    }
}

/// Iterator over blocks of lines that blank lines separate, joined by newlines.
pub struct Blocks<R> {
    lines: Lines<R>,
    block_bytes_max: usize,
}

impl<R: BufRead> Blocks<R> {
    /// Reads blocks of at most so many bytes.
    pub fn new(reader: R, block_bytes_max: usize, ends: Ends) -> Self {
        Self { lines: Lines::new(reader, block_bytes_max, ends), block_bytes_max }
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
