//! The content of a compressed file as one sequence of bytes.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use super::stream::{Corrupt, ReadError, Stream};
use crate::fault::{FILE_BROKEN, FileFault};
use crate::inflation::{self, INFLATED};

/// A buffered reader of a compressed file. Damage is an error that carries a [`FileFault`], once; the
/// next read goes on at the next member (gzip) or frame (zstd) that decompresses.
pub(crate) struct Unpacked<R: Read> {
    stream: Stream<R>,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Unpacked<R> {
    /// Reads a file from its beginning; zstd windows have at most two to this power of bytes.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub(crate) fn new(source: R, window_log_max: u32) -> io::Result<Self> {
        Ok(Self { stream: Stream::new(source, 0, window_log_max)?, taken: Rc::default() })
    }

    /// Returns the bytes of the file that what came out was made of, as they grow.
    pub(crate) fn taken(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.taken)
    }

    /// Begins members until there are bytes; false at the end of the file.
    fn advance(&mut self) -> Result<bool, ReadError> {
        while self.stream.fill()?.is_empty() {
            if !self.stream.is_packed() || !self.stream.next_member()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on behind a damage; returns what was lost.
    fn resync(&mut self, Corrupt(detail): Corrupt) -> io::Result<FileFault> {
        let (at, gave) = (self.stream.fault_offset(), self.stream.gave());
        let next = self.stream.resync(|probe| probe.is_sound)?;
        let reason = if self.stream.is_excess() { INFLATED } else { FILE_BROKEN };
        if !self.stream.is_packed() {
            return Ok(FileFault { reason, detail });
        }
        let lost = next.saturating_sub(at);
        // A gzip member is compared with its checksum at its end: what came before the fault may be altered.
        let doubt = if gave { ", and rows of this member before it may be altered" } else { "" };
        let detail = format!("{detail} at byte {at} of the file; {lost} compressed bytes lost{doubt}");
        Ok(FileFault { reason, detail })
    }
}

impl<R: Read> BufRead for Unpacked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let advanced = self.advance();
        self.taken.set(self.stream.taken());
        let result = match advanced {
            Ok(true) => self.stream.fill(),
            Ok(false) => return Ok(&[]),
            Err(ReadError::Io(error)) => return Err(error),
            Err(ReadError::Corrupt(corrupt)) => return Err(self.resync(corrupt)?.into()),
        };
        // The bytes are there already: nothing is read, and nothing can fail.
        result.map_err(|error| match error {
            ReadError::Io(error) => error,
            ReadError::Corrupt(Corrupt(detail)) => io::Error::other(detail),
        })
    }

    fn consume(&mut self, count: usize) {
        self.stream.consume(count);
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// A reader of rows, which are counted: every piece that its reader takes is one, or a part of one. So are their bytes:
/// of a file that was compressed twice each decoder knows of its own alone.
pub(crate) struct Metered<R> {
    reader: R,
    /// Bytes of the file that what came out was made of.
    file_bytes: Rc<Cell<u64>>,
    rows: u64,
    bytes: u64,
    is_left: bool,
}

impl<R> Metered<R> {
    pub(crate) fn new(reader: R, file_bytes: Rc<Cell<u64>>) -> Self {
        Self { reader, file_bytes, rows: 0, bytes: 0, is_left: false }
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_left {
            return Ok(&[]);
        }
        let file_bytes = self.file_bytes.get();
        let excess = inflation::excess_rows(file_bytes, self.rows);
        if let Some(detail) = excess.or_else(|| inflation::excess(file_bytes, self.bytes)) {
            self.is_left = true;
            return Err(FileFault { reason: INFLATED, detail }.into());
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.rows += 1;
        self.bytes += count as u64;
        self.reader.consume(count);
    }
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// Reads what a buffered reader has there, for its `Read`.
fn read_buffered(reader: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let bytes = reader.fill_buf()?;
    let count = bytes.len().min(buffer.len());
    buffer[..count].copy_from_slice(&bytes[..count]);
    reader.consume(count);
    Ok(count)
}
