//! The reader: records and damages of a WARC file, each with its position.

use std::io::{self, Read};

use super::arc::{self, ARC_MAGIC};
use super::header::{Header, Kind, begins_with_magic};
use super::stream::{Corrupt, ReadError, Stream};

/// Bytes of one record's header.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of one response's block that are kept; a larger one is passed over.
pub const BLOCK_BYTES_MAX: u64 = 32 << 20;

/// How a WARC record begins.
pub(super) const WARC_MAGIC: &[u8] = b"WARC/";
/// How a document begins that is a response of HTTP.
const HTTP_MAGIC: &[u8] = b"HTTP/";

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Warc,
    Arc,
}

impl Format {
    /// Returns true if and only if a record begins with these bytes, a line at least.
    pub(super) fn begins_record(self, bytes: &[u8]) -> bool {
        match self {
            Self::Warc => begins_with_magic(bytes),
            Self::Arc => {
                let end = memchr::memchr(b'\n', bytes);
                end.is_some_and(|end| arc::header(&bytes[..end], false).is_some())
            }
        }
    }
}

/// What a WARC file holds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A whole record.
    Record(Record),
    /// Something that is no whole record.
    Damage(Damage),
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Byte offset of the gzip member, plus the record's index within it (0 in a crawl's
    /// files, which have a member per record); in a plain file the record's byte offset.
    pub position: u64,
    /// The named fields.
    pub header: Header,
    /// The block of a response, a conversion, or a resource of HTML; empty for all else.
    pub block: Vec<u8>,
    /// Whether the block was larger than [`BLOCK_BYTES_MAX`] and therefore passed over.
    pub is_too_large: bool,
}

/// A place where no record could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins, as for a record.
    pub position: u64,
    /// `gzip_broken`, `zstd_broken`, `lz4_broken` or `record_broken`.
    pub reason: &'static str,
    /// What is wrong, and how many bytes were lost where that is known.
    pub detail: String,
}

/// Iterator over the entries of a file; ends after an error of the transport.
pub struct Reader<R: Read> {
    stream: Stream<R>,
    /// Records begun in the current member.
    in_member: u64,
    /// The smallest position that was not used.
    position_min: u64,
    /// Bytes of the record's first line that were consumed while looking for it.
    carry: Vec<u8>,
    format: Format,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Reading,
    Ended,
}

/// Why a record could not be read to its end.
enum Failure {
    Io(io::Error),
    Corrupt(Corrupt),
    Record(String),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::Corrupt(corrupt) => Self::Corrupt(corrupt),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn new(source: R) -> io::Result<Self> {
        Self::at(source, 0)
    }

    /// Reads the part of a file that begins at an offset where a record does: a member, or
    /// in a plain file a record. Positions are those of the whole file.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn at(source: R, offset: u64) -> io::Result<Self> {
        Ok(Self {
            stream: Stream::new(source, offset)?,
            in_member: 0,
            position_min: 0,
            carry: Vec::new(),
            format: Format::Warc,
            state: State::Begun,
        })
    }

    fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        match self.skip_to_record() {
            Ok(true) if self.state == State::Begun => {
                self.state = State::Reading;
                let head = self.stream.peek(ARC_MAGIC.len());
                let is_arc = matches!(head, Ok(head) if head.starts_with(ARC_MAGIC));
                self.format = if is_arc { Format::Arc } else { Format::Warc };
            }
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(failure) => {
                let position = self.position();
                return self.damaged(position, failure).map(Some);
            }
        }
        let position = self.position();
        self.in_member += 1;
        match self.read_record(position) {
            Ok(record) => Ok(Some(Entry::Record(record))),
            Err(failure) => self.damaged(position, failure).map(Some),
        }
    }

    /// Returns the position of what comes next; never one that was used.
    fn position(&mut self) -> u64 {
        let offset = self.stream.offset();
        let address = match self.stream.is_packed() {
            true => offset + self.in_member,
            false => offset - self.carry.len() as u64,
        };
        let position = address.max(self.position_min);
        self.position_min = position + 1;
        position
    }

    /// Passes over line ends and begins members until there is something to read.
    fn skip_to_record(&mut self) -> Result<bool, Failure> {
        loop {
            if !self.carry.is_empty() {
                return Ok(true);
            }
            self.skip_line_ends()?;
            if !self.stream.fill()?.is_empty() {
                return Ok(true);
            }
            if !self.stream.is_packed() || !self.stream.next_member()? {
                return Ok(false);
            }
            self.in_member = 0;
        }
    }

    fn skip_line_ends(&mut self) -> Result<(), Failure> {
        loop {
            let bytes = self.stream.fill()?;
            let count = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let more = count == bytes.len() && count > 0;
            self.stream.consume(count);
            if !more {
                return Ok(());
            }
        }
    }

    fn read_record(&mut self, position: u64) -> Result<Record, Failure> {
        let header = match self.format {
            Format::Warc => Header::parse(&self.read_header()?).map_err(Failure::Record)?,
            Format::Arc => self.read_arc_header()?,
        };
        let is_too_large = header.content_length > BLOCK_BYTES_MAX;
        let keeps = !is_too_large && holds_text(&header);
        let block = self.read_block(header.content_length, keeps)?;
        // The checksum of a member is behind the line ends: without them it would not be seen.
        self.skip_line_ends()?;
        Ok(Record { position, header, block, is_too_large })
    }

    /// Reads lines up to a blank one; a first line that is no version line is all there is.
    fn read_header(&mut self) -> Result<Vec<u8>, Failure> {
        let mut header = std::mem::take(&mut self.carry);
        let mut begin = 0;
        loop {
            self.read_line(&mut header)?;
            let line = &header[begin..];
            let is_first = begin == 0;
            begin = header.len();
            if is_first && !begins_with_magic(line) || line.trim_ascii().is_empty() {
                return Ok(header);
            }
        }
    }

    fn read_arc_header(&mut self) -> Result<Header, Failure> {
        let mut line = std::mem::take(&mut self.carry);
        if !line.ends_with(b"\n") {
            self.read_line(&mut line)?;
        }
        let head = self.stream.peek(HTTP_MAGIC.len())?;
        let head = &head[..head.len().min(HTTP_MAGIC.len())];
        let begins_http = !head.is_empty() && HTTP_MAGIC.starts_with(head);
        arc::header(&line, begins_http)
            .ok_or_else(|| Failure::Record("no line of an ARC document".to_owned()))
    }

    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<(), Failure> {
        loop {
            let bytes = self.stream.fill()?;
            let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
            let count = end.unwrap_or(bytes.len());
            line.extend_from_slice(&bytes[..count]);
            self.stream.consume(count);
            if line.len() > HEADER_BYTES_MAX {
                return Err(Failure::Record(format!("header above {HEADER_BYTES_MAX} bytes")));
            }
            if count == 0 || end.is_some() {
                return Ok(());
            }
        }
    }

    fn read_block(&mut self, length: u64, keeps: bool) -> Result<Vec<u8>, Failure> {
        let mut block = Vec::new();
        let mut left = length;
        while left > 0 {
            let bytes = self.stream.fill()?;
            if bytes.is_empty() {
                let detail = format!("block ends {left} bytes early");
                return Err(Failure::Record(detail));
            }
            let count = left.min(bytes.len() as u64) as usize;
            if keeps {
                block.extend_from_slice(&bytes[..count]);
            }
            self.stream.consume(count);
            left -= count as u64;
        }
        Ok(block)
    }

    /// Turns a failure into an entry, having gone on to where a record may begin.
    fn damaged(&mut self, position: u64, failure: Failure) -> io::Result<Entry> {
        let (reason, detail) = match failure {
            Failure::Io(error) => return Err(error),
            Failure::Corrupt(Corrupt(detail)) => {
                self.in_member = 0;
                self.carry.clear();
                let lost = self.stream.resync(self.format)?;
                (self.stream.broken_reason(), format!("{detail}; {lost} bytes lost"))
            }
            Failure::Record(detail) => match self.skip_to_magic() {
                Ok(lost) => ("record_broken", format!("{detail}; {lost} bytes lost")),
                Err(Failure::Io(error)) => return Err(error),
                // The next call meets the same broken member and names it.
                Err(Failure::Corrupt(_) | Failure::Record(_)) => ("record_broken", detail),
            },
        };
        Ok(damage(position, reason, detail))
    }

    /// Passes over lines until one begins a record, or the member ends.
    fn skip_to_magic(&mut self) -> Result<u64, Failure> {
        let mut lost = 0;
        loop {
            if self.take_beginning()? {
                return Ok(lost);
            }
            lost += std::mem::take(&mut self.carry).len() as u64;
            let mut at_line_end = false;
            while !at_line_end {
                let bytes = self.stream.fill()?;
                if bytes.is_empty() {
                    return Ok(lost);
                }
                let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
                let count = end.unwrap_or(bytes.len());
                self.stream.consume(count);
                at_line_end = end.is_some();
                lost += count as u64;
            }
        }
    }

    /// Consumes the beginning of a record as far as it is there, into the carry.
    fn take_beginning(&mut self) -> Result<bool, Failure> {
        while let (Format::Warc, Some(wanted)) = (self.format, WARC_MAGIC.get(self.carry.len())) {
            if self.stream.fill()?.first().map(u8::to_ascii_uppercase) != Some(*wanted) {
                return Ok(false);
            }
            self.stream.consume(1);
            self.carry.push(*wanted);
        }
        if self.format == Format::Warc {
            return Ok(true);
        }
        // A line of binary may be long: what does not begin like an address is not taken.
        if !self.stream.fill()?.first().is_some_and(u8::is_ascii_alphabetic) {
            return Ok(false);
        }
        let mut line = Vec::new();
        self.read_line(&mut line)?;
        let begins = arc::header(&line, false).is_some();
        self.carry = line;
        Ok(begins)
    }
}

/// Returns true if and only if the block is one that text is made of.
fn holds_text(header: &Header) -> bool {
    match header.kind() {
        Kind::Response | Kind::Conversion => true,
        Kind::Resource => header.get("content-type").is_some_and(|mime| mime.contains("html")),
        Kind::Revisit | Kind::Other => false,
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Ended {
            return None;
        }
        let entry = self.next_entry().transpose();
        if matches!(entry, None | Some(Err(_))) {
            self.state = State::Ended;
        }
        entry
    }
}

fn damage(position: u64, reason: &'static str, detail: String) -> Entry {
    Entry::Damage(Damage { position, reason, detail })
}
