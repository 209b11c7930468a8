//! The source of a file's bytes: as they come, or decompressed if the file is lz4, xz or bzip2.
//!
//! Such files (of few tools, or of few streams) are read as one plain file, up to the first fault: there is no
//! place to step back to within a stream, and what follows it is rarely another.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use bzip2::bufread::BzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use lz4_flex::frame::{Error as Lz4Error, FrameDecoder};

use super::full::Full;
use crate::fault::{Transport, Watched};
use crate::inflation;

/// How an lz4 frame begins.
const LZ4_MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
/// How one of the format before 2014 begins, which `lz4 -l` and the Linux kernel write.
const LZ4_LEGACY_MAGIC: &[u8] = &[0x02, 0x21, 0x4c, 0x18];
/// How a frame begins that is passed over, in lz4 and zstd alike: a first byte of 0x50 to 0x5f, these, and its length.
const SKIPPABLE_MAGIC: &[u8] = &[0x2a, 0x4d, 0x18];
const SKIPPABLE_HEADER_BYTES: usize = 8;
/// Bytes of such frames that a file may begin with, if lz4 is to be told behind them.
const SKIPPABLE_BYTES_MAX: usize = 64 << 10;
/// How an xz stream begins.
const XZ_MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// How a bzip2 stream begins; a digit follows.
const BZIP2_MAGIC: &[u8] = b"BZh";
/// Bytes of the longest of them.
const MAGIC_BYTES: usize = 6;
/// Bytes that an xz decoder may hold: the tool's own highest level takes 65 MiB.
const XZ_MEMORY_BYTES: u64 = 128 << 20;

/// Returns true if a file that begins so is one of these.
pub(super) fn is_whole_packed(head: &[u8]) -> bool {
    is_lz4(head)
        || head.starts_with(XZ_MAGIC)
        || head.strip_prefix(BZIP2_MAGIC).is_some_and(|rest| matches!(rest, [b'1'..=b'9', ..]))
}

fn is_lz4(head: &[u8]) -> bool {
    head.starts_with(LZ4_MAGIC) || head.starts_with(LZ4_LEGACY_MAGIC)
}

/// Returns the length of the frame at the beginning with its header, if it is one that is passed over.
fn skippable(head: &[u8]) -> Option<usize> {
    let [0x50..=0x5f, magic @ ..] = head else { return None };
    let length = magic.strip_prefix(SKIPPABLE_MAGIC)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*length)).ok()?.checked_add(SKIPPABLE_HEADER_BYTES)
}

/// Reads on while there are but frames that are passed over. Returns true if lz4 follows them.
fn has_lz4_behind(head: &mut Vec<u8>, source: &mut impl Read) -> io::Result<bool> {
    let mut at = 0;
    loop {
        let wanted = (at + SKIPPABLE_HEADER_BYTES).saturating_sub(head.len());
        source.take(wanted as u64).read_to_end(head)?;
        let rest = &head[at.min(head.len())..];
        match skippable(rest) {
            Some(length) if at + length <= SKIPPABLE_BYTES_MAX => at += length,
            _ => return Ok(at > 0 && is_lz4(rest)),
        }
    }
}

/// The file from its first byte, of which some were looked at.
type Whole<R> = BufReader<Watched<Full<Chain<Cursor<Vec<u8>>, R>>>>;

/// A file's bytes, decompressed if it is one of these.
pub(super) enum Source<R: Read> {
    Plain(Full<Chain<Cursor<Vec<u8>>, R>>),
    Packed(Box<Packed<R>>),
}

/// A file of one stream after another.
pub(super) struct Packed<R: Read> {
    /// The current stream's; none once the file is left.
    decoder: Option<Decoder<R>>,
    streams: u64,
    /// Bytes decompressed so far.
    given: u64,
    /// What ended the file before its end, and why.
    fault: Option<String>,
    reason: &'static str,
    /// Whether it gives more than is worked through.
    is_excess: bool,
}

/// A decoder of one stream; xz ends where the file does.
enum Decoder<R: Read> {
    Lz4(FrameDecoder<Whole<R>>),
    Xz(XzDecoder<Whole<R>>),
    Bzip2(BzDecoder<Whole<R>>),
}

impl<R: Read> Decoder<R> {
    fn new(head: &[u8], whole: Whole<R>) -> io::Result<Self> {
        if head.starts_with(BZIP2_MAGIC) {
            return Ok(Self::Bzip2(BzDecoder::new(whole)));
        }
        if head.starts_with(XZ_MAGIC) {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_BYTES, CONCATENATED)?;
            return Ok(Self::Xz(XzDecoder::new_stream(whole, stream)));
        }
        Ok(Self::Lz4(FrameDecoder::new(whole)))
    }

    fn broken_reason(&self) -> &'static str {
        match self {
            Self::Lz4(_) => "lz4_broken",
            Self::Xz(_) => "xz_broken",
            Self::Bzip2(_) => "bzip2_broken",
        }
    }

    /// Returns the bytes of the file that were taken so far.
    fn taken(&mut self) -> u64 {
        let file = self.file();
        file.get_ref().bytes() - file.buffer().len() as u64
    }

    fn file(&mut self) -> &mut Whole<R> {
        match self {
            Self::Lz4(decoder) => decoder.get_mut(),
            Self::Xz(decoder) => decoder.get_mut(),
            Self::Bzip2(decoder) => decoder.get_mut(),
        }
    }

    /// Begins the next stream.
    fn next(self) -> Self {
        match self {
            // It begins the next frame by itself.
            Self::Lz4(_) | Self::Xz(_) => self,
            Self::Bzip2(decoder) => Self::Bzip2(BzDecoder::new(decoder.into_inner())),
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Lz4(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
        }
    }
}

impl<R: Read> Source<R> {
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head)?;
        let is_packed = is_whole_packed(&head) || has_lz4_behind(&mut head, &mut source)?;
        let whole = Full::new(Cursor::new(head.clone()).chain(source));
        if !is_packed {
            return Ok(Self::Plain(whole));
        }
        let decoder = Decoder::new(&head, BufReader::new(Watched::new(whole, Transport::default())))?;
        let reason = decoder.broken_reason();
        let decoder = Some(decoder);
        let packed = Packed { decoder, streams: 1, given: 0, fault: None, reason, is_excess: false };
        Ok(Self::Packed(Box::new(packed)))
    }

    /// Returns the reason under which a broken file is failed.
    pub(super) fn broken_reason(&self) -> &'static str {
        match self {
            Self::Packed(packed) => packed.reason,
            Self::Plain(_) => "record_broken",
        }
    }

    /// Returns the bytes of the file that its streams took; none if it is none of these.
    pub(super) fn taken(&mut self) -> Option<u64> {
        match self {
            Self::Plain(_) => None,
            Self::Packed(packed) => packed.decoder.as_mut().map(Decoder::taken),
        }
    }

    /// Returns true if the file gives more than is worked through.
    pub(super) fn is_excess(&self) -> bool {
        matches!(self, Self::Packed(packed) if packed.is_excess)
    }

    /// Returns what ended the file before its end.
    pub(super) fn fault(&mut self) -> Option<&mut Option<String>> {
        match self {
            Self::Plain(_) => None,
            Self::Packed(packed) => Some(&mut packed.fault),
        }
    }
}

impl<R: Read> Packed<R> {
    /// Reads on, over the ends of streams.
    ///
    /// # Errors
    /// What is wrong with the file, or the transport's error.
    fn decompress(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let taken = decoder.taken();
            let excess =
                inflation::excess(taken, self.given).or(inflation::excess_streams(taken, self.streams));
            if let Some(detail) = excess {
                self.is_excess = true;
                return Err(io::Error::other(detail));
            }
            let count = match decoder.read(buffer) {
                Err(error) if let Some(length) = passed_over(&error) => {
                    io::copy(&mut decoder.file().take(length.into()), &mut io::sink())?;
                    self.streams += 1;
                    continue;
                }
                result => result?,
            };
            self.given += count as u64;
            if count > 0 {
                return Ok(count);
            }
            if decoder.file().fill_buf()?.is_empty() {
                break;
            }
            self.streams += 1;
            self.decoder = self.decoder.take().map(Decoder::next);
        }
        Ok(0)
    }

    /// Leaves the file at a fault; counts what is lost.
    fn leave(&mut self, error: &io::Error) -> io::Result<()> {
        if let Some(mut decoder) = self.decoder.take() {
            let at = decoder.taken();
            let lost = io::copy(decoder.file(), &mut io::sink())?;
            self.fault = Some(format!("{error} at byte {at} of the file; {lost} bytes behind it lost"));
        }
        Ok(())
    }

    fn transport_failed(&mut self) -> bool {
        self.decoder.as_mut().is_some_and(|decoder| decoder.file().get_ref().has_failed())
    }
}

/// Returns the length of a frame of lz4 that is passed over, if that is what a decoder met.
fn passed_over(error: &io::Error) -> Option<u32> {
    match error.get_ref()?.downcast_ref() {
        Some(Lz4Error::SkippableFrame(length)) => Some(*length),
        _ => None,
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = match self {
            Self::Plain(whole) => return whole.read(buffer),
            Self::Packed(packed) => packed,
        };
        match packed.decompress(buffer) {
            Err(error) if !packed.transport_failed() => packed.leave(&error).map(|()| 0),
            result => result,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn frame(text: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// A frame that is passed over.
    fn skipped(bytes: &[u8]) -> Vec<u8> {
        [&[0x5a, 0x2a, 0x4d, 0x18], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
    }

    fn text_of(file: &[u8]) -> (String, Option<String>) {
        let (mut source, mut text) = (Source::new(file).unwrap(), String::new());
        source.read_to_string(&mut text).unwrap();
        (text, source.fault().and_then(Option::take))
    }

    #[test]
    fn frames_that_are_passed_over_may_stand_anywhere_among_those_of_lz4() {
        let (one, two, note) = (frame(b"one "), frame(b"two"), skipped(b"a note"));
        for file in [
            [&one[..], &two].concat(),
            [&note[..], &one, &two].concat(),
            [&note[..], &skipped(b""), &one, &note, &note, &two, &note].concat(),
        ] {
            assert_eq!(text_of(&file), ("one two".to_owned(), None));
        }
        assert!(matches!(Source::new(&note[..]).unwrap(), Source::Plain(_)), "nothing follows");
        let long = [&skipped(&vec![0; SKIPPABLE_BYTES_MAX])[..], &one].concat();
        assert!(matches!(Source::new(&long[..]).unwrap(), Source::Plain(_)), "too far behind");
    }

    #[test]
    fn the_older_format_of_lz4_is_read() {
        let block = lz4_flex::block::compress(b"one two");
        let file = [LZ4_LEGACY_MAGIC, &(block.len() as u32).to_le_bytes(), &block].concat();
        assert_eq!(text_of(&file), ("one two".to_owned(), None));
    }
}
