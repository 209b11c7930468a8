//! A window: bytes of a file in sequence, with a memory of those that were consumed last.

use std::io::{self, Read};

/// Bytes asked for at once.
const READ_BYTES: usize = 64 << 10;
/// Consumed bytes that are remembered for stepping back.
pub(super) const MEMORY_BYTES: usize = 4 << 20;

/// A buffered reader that can step back to a mark, as far as its memory goes.
pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    /// Index in the buffer of the first byte that was not consumed.
    next: usize,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    /// Reads a source whose first byte is at offset `base` of the file.
    pub(super) fn new(source: R, base: u64) -> Self {
        Self { source, buffer: Vec::new(), next: 0, base, ended: false }
    }

    /// Returns the source, to be looked at.
    pub(super) fn peek_source(&self) -> &R {
        &self.source
    }

    pub(super) fn source(&mut self) -> &mut R {
        &mut self.source
    }

    /// Returns the offset in the file of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.next as u64
    }

    /// Returns the bytes that are there; none at the end of the file alone.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        self.fill_to(1)
    }

    /// Returns at least so many bytes, unless the file ends before.
    pub(super) fn fill_to(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.next < count && !self.ended {
            self.read_more()?;
        }
        Ok(&self.buffer[self.next..])
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.next = (self.next + count).min(self.buffer.len());
    }

    /// Goes to an offset, or to the nearest that is remembered or was read already.
    pub(super) fn go_to(&mut self, offset: u64) {
        let wanted = offset.saturating_sub(self.base).min(self.buffer.len() as u64);
        self.next = wanted as usize;
    }

    fn read_more(&mut self) -> io::Result<()> {
        // Twice the memory is let grow before it is cut, so that bytes are moved seldom.
        if self.next > 2 * MEMORY_BYTES {
            let forgotten = self.next - MEMORY_BYTES;
            self.buffer.drain(..forgotten);
            self.base += forgotten as u64;
            self.next -= forgotten;
        }
        let length = self.buffer.len();
        self.buffer.resize(length + READ_BYTES, 0);
        let result = loop {
            match self.source.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let count = *result.as_ref().unwrap_or(&0);
        self.buffer.truncate(length + count);
        self.ended = result? == 0;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_steps_back_as_far_as_it_remembers() {
        let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n >> 12) as u8).collect();
        let mut window = Window::new(&bytes[..], 0);
        while window.offset() < 15_000_000 {
            let count = window.fill().unwrap().len();
            window.consume(count);
        }
        let end = window.offset();
        window.go_to(end - 1_000_000);
        assert_eq!(window.offset(), end - 1_000_000);
        assert_eq!(window.fill().unwrap()[0], bytes[(end - 1_000_000) as usize]);
        window.go_to(0);
        assert!(window.offset() + 3 * MEMORY_BYTES as u64 > end);
        let expected = bytes[window.offset() as usize];
        assert_eq!(window.fill().unwrap()[0], expected);
    }
}
