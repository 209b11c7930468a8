//! The reader: records and damages of a WARC file, each with its position.

use std::io::{self, Read};

use super::arc;
use super::format::Format;
use super::header::{Header, RecordKind, begins_with_magic};
use super::http;
use super::input::Input;
use crate::fault::{FILE_EMPTY, FileFault};
use crate::packed::{Corrupt, ReadError};

/// Bytes of one record's header.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of one response's block that are kept; a larger one is passed over.
pub const BLOCK_BYTES_MAX: u64 = 32 << 20;

/// How a document begins that is a response of HTTP.
const HTTP_MAGIC: &[u8] = b"HTTP/";
/// Bytes looked at to tell WARC from ARC where the first record is damaged.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes in which the next record is looked for at once.
const SCAN_BYTES: usize = 1 << 20;
/// Bytes behind a block that are looked at to see whether its length is right.
const BEHIND_BYTES: usize = 64;
/// Records in a row with a wrong length after which none is believed: from then on a block ends where the
/// next record begins, so that no bytes are read over and over.
const DISTRUST_MIN: u32 = 8;

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
    /// `gzip_broken`, `zstd_broken`, `lz4_broken`, `xz_broken`, `bzip2_broken`, `record_broken` or `file_empty`.
    pub reason: &'static str,
    /// What is wrong, and how many bytes were lost where that is known.
    pub detail: String,
}

/// Iterator over the entries of a file; ends after an error of the transport.
pub struct Reader<R: Read> {
    input: Input<R>,
    /// Records begun in the current member.
    in_member: u64,
    /// The smallest position that was not used.
    position_min: u64,
    format: Format,
    /// The current record's header and block as they were read, to be given back if they contradict
    /// what follows.
    header: Vec<u8>,
    block: Vec<u8>,
    /// Records in a row whose length was wrong.
    distrust: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Reading,
    Ended,
}

/// Why a record could not be read to its end.
pub(super) enum Failure {
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

/// Where an entry begins.
#[derive(Debug, Clone, Copy)]
struct Begin {
    position: u64,
    /// Bytes of content consumed before.
    taken: u64,
    /// Bytes of the file read before.
    input: u64,
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
            input: Input::new(source, offset)?,
            in_member: 0,
            position_min: 0,
            format: Format::Unknown,
            header: Vec::new(),
            block: Vec::new(),
            distrust: 0,
            state: State::Begun,
        })
    }

    fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let found = self.skip_to_record();
        let is_first = self.state == State::Begun;
        self.state = State::Reading;
        if let (Ok(false), true, 0) = (&found, is_first, self.input.taken())
            && !self.input.stream.is_packed()
        {
            let FileFault { detail, .. } = FileFault::empty();
            return Ok(Some(damage(self.begin().position, FILE_EMPTY, detail)));
        }
        let result = match found {
            Ok(false) => return Ok(None),
            Ok(true) => Ok(()),
            Err(failure) => Err(failure),
        };
        let begin = self.begin();
        let result = result.and_then(|()| {
            self.tell_format()?;
            self.in_member += 1;
            self.read_record(begin.position)
        });
        match result {
            Ok(record) => Ok(Some(Entry::Record(record))),
            Err(failure) => self.damaged(begin, failure).map(Some),
        }
    }

    /// Returns where the next entry begins; never at a position that was used.
    fn begin(&mut self) -> Begin {
        let (offset, stream) = (self.input.offset(), &self.input.stream);
        let (address, input) = match (stream.is_packed(), self.in_member) {
            (true, 0) => (offset, offset),
            (true, index) => (offset + index, stream.input_offset()),
            (false, _) => (offset, offset),
        };
        let position = address.max(self.position_min);
        self.position_min = position + 1;
        Begin { position, taken: self.input.taken(), input }
    }

    /// Passes over line ends and padding, and begins members until there is something to read.
    fn skip_to_record(&mut self) -> Result<bool, Failure> {
        loop {
            self.input.skip(|byte| matches!(byte, b'\r' | b'\n' | 0))?;
            if !self.input.fill()?.is_empty() {
                return Ok(true);
            }
            self.input.forget();
            if !self.input.stream.is_packed() || !self.input.stream.next_member()? {
                return Ok(false);
            }
            self.in_member = 0;
        }
    }

    fn tell_format(&mut self) -> Result<(), Failure> {
        if self.format == Format::Unknown {
            self.format = match self.input.fill_to(HEAD_BYTES) {
                Ok(head) => Format::of(head),
                // What comes before a broken member's damage tells too.
                Err(Failure::Corrupt(_)) => Format::of(self.input.ahead()),
                Err(failure) => return Err(failure),
            };
        }
        Ok(())
    }

    fn read_record(&mut self, position: u64) -> Result<Record, Failure> {
        self.header.clear();
        self.block.clear();
        let header = match self.format {
            Format::Warc | Format::Unknown => {
                self.read_header()?;
                Header::parse(&self.header).map_err(Failure::Record)?
            }
            Format::Arc => self.read_arc_header()?,
        };
        let is_too_large = header.content_length > BLOCK_BYTES_MAX;
        self.read_block(header.content_length)?;
        self.check_behind(header.content_length)?;
        self.check_within(header.content_length)?;
        // The checksum of a member is behind the line ends: without them it would not be seen.
        self.input.skip(|byte| matches!(byte, b'\r' | b'\n'))?;
        self.distrust = 0;
        let keeps = !is_too_large && holds_text(&header);
        let block = if keeps { std::mem::take(&mut self.block) } else { Vec::new() };
        Ok(Record { position, header, block, is_too_large })
    }

    /// Reads lines up to a blank one; a first line that is no version line is all there is.
    fn read_header(&mut self) -> Result<(), Failure> {
        let mut begin = 0;
        loop {
            self.read_line()?;
            let line = &self.header[begin..];
            let is_first = begin == 0;
            begin = self.header.len();
            if is_first && !begins_with_magic(line) || line.trim_ascii().is_empty() {
                return Ok(());
            }
        }
    }

    fn read_arc_header(&mut self) -> Result<Header, Failure> {
        self.read_line()?;
        let head = self.input.fill_to(HTTP_MAGIC.len())?;
        let head = &head[..head.len().min(HTTP_MAGIC.len())];
        let begins_http = !head.is_empty() && HTTP_MAGIC.starts_with(head);
        arc::header(&self.header, begins_http)
            .ok_or_else(|| Failure::Record("no line of an ARC document".to_owned()))
    }

    /// Appends a line to the header.
    fn read_line(&mut self) -> Result<(), Failure> {
        loop {
            let bytes = self.input.fill()?;
            let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
            let room = HEADER_BYTES_MAX - self.header.len();
            let count = end.unwrap_or(bytes.len());
            if count > room {
                return Err(Failure::Record(format!("header above {HEADER_BYTES_MAX} bytes")));
            }
            self.header.extend_from_slice(&bytes[..count]);
            self.input.consume(count);
            if count == 0 || end.is_some() {
                return Ok(());
            }
        }
    }

    /// Reads a block. Of one that is too large to be kept, or whose length is not believed, no more than
    /// up to where another record begins.
    fn read_block(&mut self, length: u64) -> Result<(), Failure> {
        let is_too_large = length > BLOCK_BYTES_MAX;
        let scans = is_too_large || self.distrust >= DISTRUST_MIN;
        let (mut left, mut searched, mut step) = (length, 0, HEADER_BYTES_MAX);
        while left > 0 {
            let bytes = self.input.fill()?;
            if bytes.is_empty() {
                return Err(Failure::Record(format!("block ends {left} bytes early")));
            }
            let mut count = left.min(bytes.len() as u64) as usize;
            if scans {
                // No more than is searched: another record may begin near, and all else is given back.
                count = count.min(searched + step + HEADER_BYTES_MAX - self.block.len());
            }
            self.block.extend_from_slice(&bytes[..count]);
            self.input.consume(count);
            left -= count as u64;
            if scans && (left == 0 || self.block.len() >= searched + step + HEADER_BYTES_MAX) {
                let limit = if left == 0 { self.block.len() } else { self.block.len() - HEADER_BYTES_MAX };
                self.end_at_record(searched, limit, length)?;
                searched = limit.saturating_sub(1);
                step = (2 * step).min(SCAN_BYTES);
                if is_too_large {
                    // What was searched is let go: it cannot be given back any more.
                    self.block.drain(..searched);
                    self.header.clear();
                    searched = 0;
                }
            }
        }
        Ok(())
    }

    /// Fails if a record begins within a part of the block; what is before it is lost.
    fn end_at_record(&mut self, begin: usize, end: usize, length: u64) -> Result<(), Failure> {
        let found = self.format.find(&self.block[begin..], end - begin, begin == 0);
        let Some(at) = found.map(|at| begin + at) else {
            return Ok(());
        };
        self.header.clear();
        self.block.drain(..at);
        Err(Failure::Record(format!("a record begins within a block of {length} bytes")))
    }

    /// Fails if what follows a block shows that its length is wrong: neither a record nor the end of the
    /// member, and either no line ends or another record within the block.
    fn check_behind(&mut self, length: u64) -> Result<(), Failure> {
        let is_line_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let beginning_bytes = self.format.beginning_bytes();
        let mut wanted = BEHIND_BYTES;
        let (line_ends, corrupt) = loop {
            let failed = self.input.fill_to(wanted).err();
            let behind = self.input.ahead();
            let corrupt = match failed {
                // Of a member that is broken further on, what comes before tells.
                Some(Failure::Corrupt(corrupt)) if behind.iter().any(|byte| !is_line_end(&byte)) => {
                    Some(corrupt)
                }
                Some(failure) => return Err(failure),
                None => None,
            };
            let line_ends = behind.iter().take_while(is_line_end).count();
            let rest = &behind[line_ends..];
            if rest.is_empty() || self.format.begins_record(rest) {
                return Ok(());
            }
            // A line may be longer than what was looked at first.
            if wanted > BEHIND_BYTES || behind.len() < wanted || rest.len() >= beginning_bytes {
                break (line_ends, corrupt);
            }
            wanted = BEHIND_BYTES + beginning_bytes;
        };
        let holds_record = || self.format.find(&self.block, self.block.len(), true).is_some();
        let is_ended = line_ends >= self.format.line_end_bytes();
        if is_ended && !holds_record() {
            return Ok(());
        }
        // What does not decompress is one damage, whatever its bytes look like before that is noticed.
        if let Some(corrupt) = corrupt {
            return Err(Failure::Corrupt(corrupt));
        }
        Err(Failure::Record(format!("a block of {length} bytes ends where neither a line nor a record does")))
    }

    /// Fails if a record begins right behind the body of an HTTP answer, within the block: a wrong length may end
    /// where another record does. An archive within an archive is the body.
    fn check_within(&self, length: u64) -> Result<(), Failure> {
        let behind = http::end_of_body(&self.block).and_then(|end| self.block.get(end..)).unwrap_or_default();
        let line_ends = behind.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let rest = &behind[line_ends..];
        if line_ends < self.format.line_end_bytes() || rest.is_empty() || !self.format.begins_record(rest) {
            return Ok(());
        }
        Err(Failure::Record(format!("a record begins behind the answer in a block of {length} bytes")))
    }

    /// Turns a failure into an entry, having gone on to where a record may begin.
    fn damaged(&mut self, begin: Begin, failure: Failure) -> io::Result<Entry> {
        let (reason, detail) = match failure {
            Failure::Io(error) => return Err(error),
            Failure::Corrupt(Corrupt(detail)) => {
                self.in_member = 0;
                self.input.forget();
                let (format, stream) = (self.format, &mut self.input.stream);
                let next = stream.resync(|probe| {
                    // The first block of a zstd frame may be longer than what is probed.
                    format.begins_record(probe.bytes) || probe.is_sound && probe.bytes.is_empty()
                })?;
                let lost = next.saturating_sub(begin.input);
                let detail = match lost {
                    // The file ends with what was decompressed of the record.
                    0 => format!(
                        "{detail}; {} bytes of a record before it lost",
                        self.input.taken() - begin.taken
                    ),
                    _ => format!("{detail}; {lost} bytes lost"),
                };
                (self.input.stream.broken_reason(), detail)
            }
            Failure::Record(detail) => {
                self.distrust += 1;
                self.seek_record()?;
                let lost = self.input.taken() - begin.taken;
                ("record_broken", format!("{detail}; {lost} bytes lost"))
            }
        };
        Ok(damage(begin.position, reason, detail))
    }

    /// Steps back to behind the first byte of a broken record, and goes on to where the next whole header
    /// begins, or to the end of the member.
    fn seek_record(&mut self) -> io::Result<()> {
        self.input.give_back(&self.block);
        self.input.give_back(self.header.get(1..).unwrap_or_default());
        let wanted = SCAN_BYTES + HEADER_BYTES_MAX;
        let mut at_line_begin = self.header.is_empty();
        loop {
            let bytes = match self.input.fill_to(wanted) {
                Ok(bytes) => bytes,
                Err(Failure::Io(error)) => return Err(error),
                // The next call meets the same broken member and names it.
                Err(Failure::Corrupt(_) | Failure::Record(_)) => self.input.ahead(),
            };
            let at_end = bytes.len() < wanted;
            let limit = if at_end { bytes.len() } else { SCAN_BYTES };
            if let Some(at) = self.format.find(bytes, limit, at_line_begin) {
                self.input.consume(at);
                return Ok(());
            }
            if at_end {
                self.input.consume(limit);
                return Ok(());
            }
            // The last byte may be the line end before a record.
            self.input.consume(limit - 1);
            at_line_begin = false;
        }
    }
}

/// Returns true if and only if the block is one that text is made of.
fn holds_text(header: &Header) -> bool {
    match header.kind() {
        RecordKind::Response | RecordKind::Conversion => true,
        RecordKind::Resource => header.get("content-type").is_some_and(|mime| mime.contains("html")),
        RecordKind::Revisit | RecordKind::Other => false,
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
