//! The content of a compressed file as one sequence of bytes.

use std::io::{self, BufRead, Read};

use super::stream::{Corrupt, ReadError, Stream};
use crate::fault::FileFault;

/// A buffered reader of a compressed file. Damage is an error that carries a [`FileFault`], once; the
/// next read goes on at the next member (gzip) or frame (zstd) that decompresses.
pub(crate) struct Unpacked<R: Read> {
    stream: Stream<R>,
}

impl<R: Read> Unpacked<R> {
    /// Reads a file from its beginning; zstd windows have at most two to this power of bytes.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub(crate) fn new(source: R, window_log_max: u32) -> io::Result<Self> {
        Ok(Self { stream: Stream::new(source, 0, window_log_max)? })
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
        let at = self.stream.fault_offset();
        let next = self.stream.resync(|probe| probe.is_sound)?;
        if !self.stream.is_packed() {
            return Ok(FileFault::broken(detail));
        }
        let lost = next.saturating_sub(at);
        Ok(FileFault::broken(format!("{detail} at byte {at} of the file; {lost} bytes lost")))
    }
}

impl<R: Read> BufRead for Unpacked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let result = match self.advance() {
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
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}
