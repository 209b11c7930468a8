//! The stream of records' bytes: a plain file, or the members of a gzip file one by one.
//!
//! Reading stops at the end of a member; the caller begins the next. A member that does not
//! decompress is a [`Corrupt`], after which [`Stream::resync`] finds the next place where a
//! gzip member opens a WARC record.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::window::Window;

/// How a gzip member with deflate begins (RFC 1952).
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// How a record begins.
pub(super) const WARC_MAGIC: &[u8] = b"WARC/";
/// Compressed bytes looked at to see whether a member opens a record.
const PROBE_BYTES: usize = 4 << 10;
/// Decompressed bytes held.
const OUTPUT_BYTES: usize = 64 << 10;
/// `Decompress` as a decoder of gzip: the largest window there is.
const WINDOW_BITS: u8 = 15;

/// A gzip member that does not decompress: a broken code, a wrong checksum, or an early end.
#[derive(Debug)]
pub(super) struct Corrupt(pub(super) String);

/// What reading can end with.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The transport failed.
    Io(io::Error),
    /// The gzip member is broken.
    Corrupt(Corrupt),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A file that is plain, or gzip.
pub(super) struct Stream<R> {
    window: Window<R>,
    /// Present for gzip files.
    gzip: Option<Gzip>,
}

struct Gzip {
    inflate: Decompress,
    output: Vec<u8>,
    /// Index in the output of the first byte that was not consumed.
    next: usize,
    /// Offset in the file where the member begins.
    member: u64,
    member_ended: bool,
}

impl<R: Read> Stream<R> {
    /// Tells gzip from plain by the first bytes.
    pub(super) fn new(source: R) -> io::Result<Self> {
        let mut window = Window::new(source);
        let is_gzip = window.fill_to(GZIP_MAGIC.len())?.starts_with(&GZIP_MAGIC);
        let gzip = is_gzip.then(|| Gzip {
            inflate: Decompress::new_gzip(WINDOW_BITS),
            output: Vec::with_capacity(OUTPUT_BYTES),
            next: 0,
            member: 0,
            member_ended: false,
        });
        Ok(Self { window, gzip })
    }

    /// Returns the first bytes of the file as they are; valid before anything was consumed.
    pub(super) fn head(&mut self, count: usize) -> io::Result<&[u8]> {
        self.window.fill_to(count)
    }

    /// Returns the offset of the member, or of the next byte of a plain file.
    pub(super) fn offset(&self) -> u64 {
        self.gzip.as_ref().map_or(self.window.offset(), |gzip| gzip.member)
    }

    pub(super) fn is_gzip(&self) -> bool {
        self.gzip.is_some()
    }

    /// Returns the bytes that are there; none at the end of the member or of a plain file.
    pub(super) fn fill(&mut self) -> Result<&[u8], ReadError> {
        match &mut self.gzip {
            None => Ok(self.window.fill()?),
            Some(gzip) => {
                while gzip.next == gzip.output.len() && !gzip.member_ended {
                    gzip.decompress(&mut self.window)?;
                }
                Ok(&gzip.output[gzip.next..])
            }
        }
    }

    pub(super) fn consume(&mut self, count: usize) {
        match &mut self.gzip {
            None => self.window.consume(count),
            Some(gzip) => gzip.next = (gzip.next + count).min(gzip.output.len()),
        }
    }

    /// Begins the next member; false at the end of the file.
    pub(super) fn next_member(&mut self) -> Result<bool, ReadError> {
        let more = !self.window.fill()?.is_empty();
        let offset = self.window.offset();
        if let (true, Some(gzip)) = (more, &mut self.gzip) {
            gzip.begin(offset);
        }
        Ok(more)
    }

    /// Leaves a broken member: goes to the next place after its beginning where a gzip
    /// member opens a record. Returns the bytes lost.
    pub(super) fn resync(&mut self) -> io::Result<u64> {
        let lost_from = self.offset();
        self.window.go_to(lost_from + 1);
        loop {
            let bytes = self.window.fill_to(PROBE_BYTES)?;
            let Some(found) = bytes.windows(GZIP_MAGIC.len()).position(|w| w == GZIP_MAGIC) else {
                // The last bytes may be the beginning of the magic.
                let keep = if bytes.len() < PROBE_BYTES { 0 } else { GZIP_MAGIC.len() - 1 };
                let passed = bytes.len() - keep;
                self.window.consume(passed);
                if keep == 0 {
                    break;
                }
                continue;
            };
            self.window.consume(found);
            if opens_record(self.window.fill_to(PROBE_BYTES)?) {
                break;
            }
            self.window.consume(1);
        }
        let offset = self.window.offset();
        if let Some(gzip) = &mut self.gzip {
            gzip.begin(offset);
            // At the end of the file there is no member to read.
            gzip.member_ended = self.window.fill()?.is_empty();
        }
        Ok(offset - lost_from)
    }
}

impl Gzip {
    fn begin(&mut self, offset: u64) {
        self.inflate = Decompress::new_gzip(WINDOW_BITS);
        self.output.clear();
        (self.next, self.member, self.member_ended) = (0, offset, false);
    }

    fn decompress<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), ReadError> {
        let corrupt = |detail: &str| ReadError::Corrupt(Corrupt(detail.to_owned()));
        let input = window.fill()?;
        let before = self.inflate.total_in();
        self.output.clear();
        self.next = 0;
        let status = self
            .inflate
            .decompress_vec(input, &mut self.output, FlushDecompress::None)
            .map_err(|error| corrupt(&error.to_string()))?;
        let consumed = (self.inflate.total_in() - before) as usize;
        let stuck = consumed == 0 && self.output.is_empty();
        let at_end = input.is_empty();
        window.consume(consumed);
        match status {
            Status::StreamEnd => self.member_ended = true,
            Status::Ok | Status::BufError if stuck && at_end => {
                return Err(corrupt("member ends early"));
            }
            Status::Ok | Status::BufError if stuck => {
                return Err(corrupt("decoder makes no progress"));
            }
            Status::Ok | Status::BufError => {}
        }
        Ok(())
    }
}

/// Returns true if and only if the bytes begin a gzip member whose content begins a record.
fn opens_record(bytes: &[u8]) -> bool {
    let mut output = Vec::with_capacity(WARC_MAGIC.len());
    let mut inflate = Decompress::new_gzip(WINDOW_BITS);
    let probe = &bytes[..bytes.len().min(PROBE_BYTES)];
    let result = inflate.decompress_vec(probe, &mut output, FlushDecompress::None);
    result.is_ok() && output == WARC_MAGIC
}
