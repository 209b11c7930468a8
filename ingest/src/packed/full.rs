//! Full reads: a reader's bytes in pieces whose lengths depend on the file alone.

use std::io::{self, Read};

/// Fills every buffer but the last, however the transport cuts its answers. What is decided between two reads,
/// like a bound on inflation, is then decided at the same byte in every run.
pub(crate) struct Full<R> {
    reader: R,
    /// An error behind bytes that were read before it.
    error: Option<io::Error>,
}

impl<R: Read> Full<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, error: None }
    }
}

impl<R: Read> Read for Full<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.error.is_none() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.error = Some(error),
            }
        }
        match self.error.take_if(|_| filled == 0) {
            Some(error) => Err(error),
            None => Ok(filled),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Gives a byte at a time, and an error behind the third.
    struct Slow(u8);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                4 => Err(io::Error::other("reset")),
                6.. => Ok(0),
                n => {
                    buffer[0] = n;
                    Ok(1)
                }
            }
        }
    }

    #[test]
    fn short_reads_are_joined_and_an_error_comes_behind_what_was_read() {
        let (mut full, mut buffer) = (Full::new(Slow(0)), [0; 8]);
        assert_eq!(full.read(&mut buffer).unwrap(), 3);
        assert_eq!(full.read(&mut buffer).unwrap_err().to_string(), "reset");
        assert_eq!(full.read(&mut buffer).unwrap(), 1);
        assert_eq!(full.read(&mut buffer).unwrap(), 0);
    }
}
