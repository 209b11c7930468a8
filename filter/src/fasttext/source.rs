//! A model file as it is read: little-endian numbers, and never more bytes than it has left.

use std::io::Read;

use super::{Error, Result};

/// Bytes that are converted to numbers at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A reader that knows how many bytes are left, so that a stated size is refused before memory
/// is asked for.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    bytes_left: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R, bytes: u64) -> Self {
        Self { reader, bytes_left: bytes }
    }

    /// Takes `count` items of `item_bytes` off what is left.
    fn claim(&mut self, count: u64, item_bytes: u64) -> Result<usize> {
        let bytes = count.checked_mul(item_bytes).filter(|bytes| *bytes <= self.bytes_left);
        let Some(bytes) = bytes else {
            let left = self.bytes_left;
            return Err(Error::format(format!("states {count} items where {left} bytes are left")));
        };
        self.bytes_left -= bytes;
        usize::try_from(count).map_err(|_| Error::format("states more than memory can hold"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.claim(N as u64, 1)?;
        let mut array = [0; N];
        self.reader.read_exact(&mut array)?;
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn bool(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::format(format!("has {other} where 0 or 1 belongs"))),
        }
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// Reads an `i32` that counts something.
    pub(super) fn count32(&mut self, what: &str) -> Result<u32> {
        let value = self.i32()?;
        u32::try_from(value).map_err(|_| Error::format(format!("states {value} {what}")))
    }

    /// Reads an `i64` that counts something.
    pub(super) fn count64(&mut self, what: &str) -> Result<u64> {
        let value = self.i64()?;
        u64::try_from(value).map_err(|_| Error::format(format!("states {value} {what}")))
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.claim(count, 1)?];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads single-precision numbers, all of them finite.
    pub(super) fn floats(&mut self, count: u64) -> Result<Vec<f32>> {
        let count = self.claim(count, 4)?;
        let mut floats = Vec::with_capacity(count);
        let mut chunk = vec![0; CHUNK_BYTES.min(count * 4)];
        while floats.len() < count {
            let bytes = chunk.len().min((count - floats.len()) * 4);
            let (numbers, _) = chunk.as_chunks_mut::<4>();
            let numbers = &mut numbers[..bytes / 4];
            self.reader.read_exact(numbers.as_flattened_mut())?;
            floats.extend(numbers.iter().map(|number| f32::from_le_bytes(*number)));
        }
        if !floats.iter().all(|float| float.is_finite()) {
            return Err(Error::format("has a weight that is not a number"));
        }
        Ok(floats)
    }

    /// Reads bytes up to a NUL, `bytes_max` at most.
    pub(super) fn string(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        let mut string = Vec::new();
        loop {
            match self.u8()? {
                0 => return Ok(string),
                _ if string.len() == bytes_max => {
                    return Err(Error::format(format!("has a word of more than {bytes_max} bytes")));
                }
                byte => string.push(byte),
            }
        }
    }
}
