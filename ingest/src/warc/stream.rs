//! The stream of records' bytes: a plain file, or the members of a compressed one by one.
//!
//! Reading stops at the end of a member; the caller begins the next. A member that does not
//! decompress is a [`Corrupt`], after which [`Stream::resync`] finds the next place where a
//! member opens a record.

use std::io::{self, Read};

use super::member::{Coding, DICTIONARY_BYTES_MAX, DICTIONARY_MAGIC, Member};
use super::reader::Format;
use super::source::Source;
use super::window::Window;

/// Compressed bytes looked at to see whether a member opens a record.
const PROBE_BYTES: usize = 4 << 10;
/// Decompressed bytes looked at for the same.
const PROBED_BYTES: usize = 1 << 10;
/// Decompressed bytes held.
const OUTPUT_BYTES: usize = 64 << 10;

/// A member that does not decompress: a broken code, a wrong checksum, or an early end.
#[derive(Debug)]
pub(super) struct Corrupt(pub(super) String);

/// What reading can end with.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The transport failed.
    Io(io::Error),
    /// The member is broken.
    Corrupt(Corrupt),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn corrupt(detail: impl Into<String>) -> ReadError {
    ReadError::Corrupt(Corrupt(detail.into()))
}

/// A file that is plain, or compressed.
pub(super) struct Stream<R: Read> {
    window: Window<Source<R>>,
    /// Present for compressed files.
    packed: Option<Packed>,
}

struct Packed {
    coding: Coding,
    member: Member,
    output: Vec<u8>,
    /// Index in the output of the first byte that was not consumed.
    next: usize,
    /// Offset in the file where the member begins.
    offset: u64,
    ended: bool,
}

impl<R: Read> Stream<R> {
    /// Tells compression by the first bytes; `base` is their offset in the file.
    pub(super) fn new(source: R, base: u64) -> io::Result<Self> {
        let mut window = Window::new(Source::new(source)?, base);
        let coding = Coding::of(window.fill_to(4)?);
        let dictionary = match coding {
            Some(Coding::Zstd) => take_dictionary(&mut window)?,
            _ => Vec::new(),
        };
        let packed = coding.map(|coding| {
            let member = Member::new(coding, &dictionary).map_err(io::Error::other)?;
            let output = Vec::with_capacity(OUTPUT_BYTES);
            let offset = window.offset();
            Ok::<_, io::Error>(Packed { coding, member, output, next: 0, offset, ended: false })
        });
        Ok(Self { packed: packed.transpose()?, window })
    }

    /// Returns the offset of the member, or of the next byte of a plain file.
    pub(super) fn offset(&self) -> u64 {
        self.packed.as_ref().map_or(self.window.offset(), |packed| packed.offset)
    }

    pub(super) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Returns the reason under which a broken member is failed.
    pub(super) fn broken_reason(&self) -> &'static str {
        match self.packed.as_ref().map(|packed| packed.coding) {
            Some(Coding::Zstd) => "zstd_broken",
            Some(Coding::Gzip) => "gzip_broken",
            None => "lz4_broken",
        }
    }

    /// Returns the bytes that are there; none at the end of the member or of a plain file.
    pub(super) fn fill(&mut self) -> Result<&[u8], ReadError> {
        match &mut self.packed {
            None => {
                let is_at_end = self.window.fill()?.is_empty();
                match self.window.source().take_fault() {
                    Some(detail) if is_at_end => Err(corrupt(detail)),
                    _ => Ok(self.window.fill()?),
                }
            }
            Some(packed) => {
                while packed.next == packed.output.len() && !packed.ended {
                    packed.decompress(&mut self.window)?;
                }
                Ok(&packed.output[packed.next..])
            }
        }
    }

    /// Returns the bytes that are there, so many at least in a plain file that goes on.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], ReadError> {
        match self.is_packed() {
            false => Ok(self.window.fill_to(count)?),
            true => self.fill(),
        }
    }

    pub(super) fn consume(&mut self, count: usize) {
        match &mut self.packed {
            None => self.window.consume(count),
            Some(packed) => packed.next = (packed.next + count).min(packed.output.len()),
        }
    }

    /// Begins the next member; false at the end of the file.
    pub(super) fn next_member(&mut self) -> Result<bool, ReadError> {
        let more = !self.window.fill()?.is_empty();
        let offset = self.window.offset();
        if let (true, Some(packed)) = (more, &mut self.packed) {
            packed.begin(offset);
        }
        Ok(more)
    }

    /// Leaves a broken member: goes to the next place after its beginning where a member opens
    /// a record. Returns the bytes lost.
    pub(super) fn resync(&mut self, format: Format) -> io::Result<u64> {
        let Some(packed) = &mut self.packed else {
            return Ok(0);
        };
        let (window, magic, lost_from) = (&mut self.window, packed.coding.magic(), packed.offset);
        window.go_to(lost_from + 1);
        loop {
            let bytes = window.fill_to(PROBE_BYTES)?;
            let Some(found) = memchr::memmem::find(bytes, magic) else {
                // The last bytes may be the beginning of the magic.
                let keep = if bytes.len() < PROBE_BYTES { 0 } else { magic.len() - 1 };
                let passed = bytes.len() - keep;
                window.consume(passed);
                if keep == 0 {
                    break;
                }
                continue;
            };
            window.consume(found);
            if packed.opens_record(window.fill_to(PROBE_BYTES)?, format) {
                break;
            }
            window.consume(1);
        }
        packed.begin(window.offset());
        // At the end of the file there is no member to read.
        packed.ended = window.fill()?.is_empty();
        Ok(packed.offset - lost_from)
    }
}

impl Packed {
    fn begin(&mut self, offset: u64) {
        self.member.begin();
        self.output.clear();
        (self.next, self.offset, self.ended) = (0, offset, false);
    }

    fn decompress<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), ReadError> {
        let input = window.fill()?;
        self.output.clear();
        self.next = 0;
        let step = self.member.decompress(input, &mut self.output).map_err(corrupt)?;
        let is_stuck = step.consumed == 0 && self.output.is_empty() && !step.ended;
        let at_end = input.is_empty();
        window.consume(step.consumed);
        self.ended = step.ended;
        match (is_stuck, at_end) {
            (true, true) => Err(corrupt("member ends early")),
            (true, false) => Err(corrupt("decoder makes no progress")),
            (false, _) => Ok(()),
        }
    }

    /// Returns true if and only if the bytes begin a member whose content begins a record.
    fn opens_record(&self, bytes: &[u8], format: Format) -> bool {
        let Ok(mut member) = self.member.fresh() else {
            return false;
        };
        let mut output = Vec::with_capacity(PROBED_BYTES);
        let mut rest = &bytes[..bytes.len().min(PROBE_BYTES)];
        while output.len() < output.capacity() && !rest.is_empty() {
            let before = output.len();
            match member.decompress(rest, &mut output) {
                Ok(step) if step.ended || (step.consumed == 0 && output.len() == before) => break,
                Ok(step) => rest = &rest[step.consumed..],
                Err(_) => break,
            }
        }
        format.begins_record(&output)
    }
}

/// Takes the dictionary that a skippable frame holds; none where another frame is first.
fn take_dictionary<R: Read>(window: &mut Window<R>) -> io::Result<Vec<u8>> {
    let head = window.fill_to(8)?;
    let length = match head {
        [a, b, c, d, length @ ..] if [*a, *b, *c, *d] == DICTIONARY_MAGIC => {
            length.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
        }
        _ => return Ok(Vec::new()),
    };
    let Some(length) = length.filter(|length| *length <= DICTIONARY_BYTES_MAX) else {
        return Err(io::Error::other(format!("a zstd dictionary above {DICTIONARY_BYTES_MAX} bytes")));
    };
    window.consume(8);
    let dictionary = window.fill_to(length)?;
    let dictionary = dictionary[..dictionary.len().min(length)].to_vec();
    window.consume(length);
    Ok(dictionary)
}
