//! Lines of a compressed or plain file, bounded in length.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Largest zstd window that is accepted, 2^27 bytes: the limit of the zstd tool itself.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Decompresses gzip and zstd, told by their first bytes; anything else passes as it is.
///
/// # Errors
/// When the input cannot be read.
pub fn decompressed<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let head = reader.fill_buf()?;
    if head.starts_with(GZIP_MAGIC) {
        let decoder = MultiGzDecoder::new(reader);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)));
    }
    if head.starts_with(ZSTD_MAGIC) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)));
    }
    Ok(Box::new(reader))
}

/// What programs of one system put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Passes over a byte order mark.
///
/// # Errors
/// When the input cannot be read.
pub fn pass_over_mark(reader: &mut impl BufRead) -> io::Result<()> {
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The bytes.
    Whole(Vec<u8>),
    /// More than the limit; the rest was passed over.
    TooLong {
        /// The line's beginning.
        head: Vec<u8>,
        /// Its length.
        bytes: u64,
    },
}

/// Iterator over lines; a last line without an end counts too.
pub struct Lines<R> {
    reader: R,
    line_bytes_max: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines of at most so many bytes.
    pub fn new(reader: R, line_bytes_max: usize) -> Self {
        Self { reader, line_bytes_max }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let limit = self.line_bytes_max as u64 + 1;
        let length = self.reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') && length as u64 == limit {
            let skipped = skip_line(&mut self.reader)?;
            let bytes = length as u64 + skipped;
            return Ok(Some(Line::TooLong { head: line, bytes }));
        }
        for end in [b'\n', b'\r'] {
            if line.last() == Some(&end) {
                line.pop();
            }
        }
        Ok(Some(Line::Whole(line)))
    }
}

/// Passes over the rest of a line; returns its bytes without the end.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (length, consumed) = end.map_or((buffer.len(), buffer.len()), |end| (end, end + 1));
        reader.consume(consumed);
        skipped += length as u64;
        if consumed == 0 || end.is_some() {
            return Ok(skipped);
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Iterator over blocks of lines that blank lines separate, joined by newlines.
pub struct Blocks<R> {
    lines: Lines<R>,
    block_bytes_max: usize,
}

impl<R: BufRead> Blocks<R> {
    /// Reads blocks of at most so many bytes.
    pub fn new(reader: R, block_bytes_max: usize) -> Self {
        Self { lines: Lines::new(reader, block_bytes_max), block_bytes_max }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut block = Vec::new();
        let mut bytes = 0;
        for line in &mut self.lines {
            let (line, length) = match line? {
                Line::Whole(line) => {
                    let length = line.len() as u64;
                    (line, length)
                }
                Line::TooLong { head, bytes } => (head, bytes),
            };
            if line.trim_ascii().is_empty() {
                match bytes {
                    0 => continue,
                    _ => break,
                }
            }
            bytes += length + u64::from(bytes > 0);
            if bytes <= self.block_bytes_max as u64 {
                if !block.is_empty() {
                    block.push(b'\n');
                }
                block.extend_from_slice(&line);
            } else if block.is_empty() {
                block = line;
            }
        }
        Ok(match bytes {
            0 => None,
            _ if bytes > self.block_bytes_max as u64 => Some(Line::TooLong { head: block, bytes }),
            _ => Some(Line::Whole(block)),
        })
    }
}

impl<R: BufRead> Iterator for Blocks<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn a_line_over_the_limit_is_passed_over_and_the_next_is_whole() {
        let lines: Vec<_> = Lines::new(&b"ab\r\n123456789\nc\n\n1234"[..], 4).map(Result::unwrap).collect();
        let long = Line::TooLong { head: b"12345".to_vec(), bytes: 9 };
        assert_eq!(lines, [whole("ab"), long, whole("c"), whole(""), whole("1234")]);
    }

    #[test]
    fn blocks_end_at_blank_lines() {
        let text = b"\n a\nb\n\n \nc\n\n12345\n67890\nx\n\nd";
        let blocks: Vec<_> = Blocks::new(&text[..], 8).map(Result::unwrap).collect();
        let long = Line::TooLong { head: b"12345".to_vec(), bytes: 13 };
        assert_eq!(blocks, [whole(" a\nb"), whole("c"), long, whole("d")]);
    }

    #[test]
    fn gzip_and_zstd_of_several_members_are_told_by_their_bytes() {
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        for bytes in [
            b"one\ntwo\n".to_vec(),
            [gzip("one\n"), gzip("two\n")].concat(),
            [zstd("one\n"), zstd("two\n")].concat(),
        ] {
            let mut text = String::new();
            decompressed(&bytes[..]).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one\ntwo\n");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_lose_nothing(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)) {
            let total: u64 = Lines::new(&bytes[..], 7).map(|line| match line.unwrap() {
                Line::Whole(line) => line.len() as u64,
                Line::TooLong { bytes, .. } => bytes,
            }).sum();
            prop_assert!(total <= bytes.len() as u64);
            let ends = bytes.iter().filter(|b| **b == b'\n' || **b == b'\r').count() as u64;
            prop_assert!(total + ends >= bytes.len() as u64);
        }
    }
}
