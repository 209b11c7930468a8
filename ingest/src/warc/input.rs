//! The input: a stream whose bytes can be looked at ahead, and given back.

use std::io::{self, Read};

use super::reader::Failure;
use crate::packed::{Stream, WINDOW_LOG_DEFAULT};

/// Bytes of the current member, or of a plain file.
pub(super) struct Input<R: Read> {
    pub(super) stream: Stream<R>,
    /// Bytes that were looked at or given back; those before `next` are consumed.
    ahead: Vec<u8>,
    next: usize,
    /// Bytes consumed from the beginning on; those that were given back do not count.
    taken: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R, offset: u64) -> io::Result<Self> {
        Ok(Self {
            stream: Stream::new(source, offset, WINDOW_LOG_DEFAULT)?,
            ahead: Vec::new(),
            next: 0,
            taken: 0,
        })
    }

    /// Returns the bytes consumed so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns the offset of the member, or in a plain file of the next byte.
    pub(super) fn offset(&self) -> u64 {
        match self.stream.is_packed() {
            true => self.stream.offset(),
            false => self.stream.offset() - self.ahead().len() as u64,
        }
    }

    /// Returns what was looked at or given back, and not consumed since.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead[self.next..]
    }

    /// Returns the bytes that are there; none at the end of the member or of a plain file.
    pub(super) fn fill(&mut self) -> Result<&[u8], Failure> {
        match self.next < self.ahead.len() {
            true => Ok(&self.ahead[self.next..]),
            false => Ok(self.stream.fill()?),
        }
    }

    /// Returns so many bytes, or all there are if the member or file ends before. After an error
    /// [`Self::ahead`] has those that came before it.
    pub(super) fn fill_to(&mut self, count: usize) -> Result<&[u8], Failure> {
        if self.next == self.ahead.len() {
            self.ahead.clear();
            self.next = 0;
        }
        while self.ahead().len() < count {
            let wanted = count - self.ahead().len();
            let bytes = self.stream.fill()?;
            let length = wanted.min(bytes.len());
            self.ahead.extend_from_slice(&bytes[..length]);
            self.stream.consume(length);
            if length == 0 {
                break;
            }
        }
        Ok(&self.ahead[self.next..])
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.taken += count as u64;
        let ahead = count.min(self.ahead.len() - self.next);
        self.next += ahead;
        if count > ahead {
            self.stream.consume(count - ahead);
        }
    }

    /// Takes back bytes that were consumed last.
    pub(super) fn give_back(&mut self, bytes: &[u8]) {
        self.taken -= bytes.len() as u64;
        match self.next.checked_sub(bytes.len()) {
            Some(begin) => {
                self.ahead[begin..self.next].copy_from_slice(bytes);
                self.next = begin;
            }
            None => {
                self.ahead.splice(..self.next, bytes.iter().copied());
                self.next = 0;
            }
        }
    }

    /// Passes over bytes as long as they are of a kind.
    pub(super) fn skip(&mut self, is_of_kind: impl Fn(u8) -> bool) -> Result<(), Failure> {
        loop {
            let bytes = self.fill()?;
            let count = bytes.iter().take_while(|byte| is_of_kind(**byte)).count();
            let more = count == bytes.len() && count > 0;
            self.consume(count);
            if !more {
                return Ok(());
            }
        }
    }

    /// Forgets what was looked at: the member is left.
    pub(super) fn forget(&mut self) {
        self.ahead.clear();
        self.next = 0;
    }
}
