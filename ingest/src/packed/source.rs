//! The source of a file's bytes: as they come, or decompressed where the file is lz4, xz or bzip2.
//!
//! Such files (of few tools, or of few members) are read as one plain file, up to the first fault: there is no
//! place to step back to within a frame, and what stands behind it is rarely another.

use std::io::{self, Chain, Cursor, Read};

use bzip2::read::MultiBzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use lz4_flex::frame::FrameDecoder;

use crate::fault::{Transport, Watched};
use crate::inflation;

/// How an lz4 frame begins.
const LZ4_MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
/// How an xz stream begins.
const XZ_MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// How a bzip2 stream begins; a digit follows.
const BZIP2_MAGIC: &[u8] = b"BZh";
/// Bytes of the longest of them.
const MAGIC_BYTES: usize = 6;
/// Bytes that an xz decoder may hold: the tool's own highest level takes 65 MiB.
const XZ_MEMORY_BYTES: u64 = 128 << 20;

/// Returns true if and only if a file that begins so is one of these.
pub(super) fn is_whole_packed(head: &[u8]) -> bool {
    head.starts_with(LZ4_MAGIC)
        || head.starts_with(XZ_MAGIC)
        || head.strip_prefix(BZIP2_MAGIC).is_some_and(|rest| matches!(rest, [b'1'..=b'9', ..]))
}

/// The file from its first byte, of which some were looked at.
type Whole<R> = Watched<Chain<Cursor<Vec<u8>>, R>>;

/// A file's bytes, decompressed where it is one of these.
pub(super) enum Source<R: Read> {
    Plain(Chain<Cursor<Vec<u8>>, R>),
    Packed { decoder: Box<Decoder<R>>, given: u64, fault: Option<String>, ended: bool },
}

/// A decoder of a whole file.
pub(super) enum Decoder<R: Read> {
    Lz4(FrameDecoder<Whole<R>>),
    Xz(XzDecoder<Whole<R>>),
    Bzip2(MultiBzDecoder<Whole<R>>),
}

impl<R: Read> Decoder<R> {
    fn new(head: &[u8], whole: Whole<R>) -> io::Result<Self> {
        if head.starts_with(LZ4_MAGIC) {
            return Ok(Self::Lz4(FrameDecoder::new(whole)));
        }
        if head.starts_with(BZIP2_MAGIC) {
            return Ok(Self::Bzip2(MultiBzDecoder::new(whole)));
        }
        let stream = Stream::new_stream_decoder(XZ_MEMORY_BYTES, CONCATENATED)?;
        Ok(Self::Xz(XzDecoder::new_stream(whole, stream)))
    }

    /// Returns the bytes of the file that were read so far.
    fn taken(&mut self) -> u64 {
        let file: &Whole<R> = self.file();
        file.bytes()
    }

    fn file(&mut self) -> &mut Whole<R> {
        match self {
            Self::Lz4(decoder) => decoder.get_mut(),
            Self::Xz(decoder) => decoder.get_mut(),
            Self::Bzip2(decoder) => decoder.get_mut(),
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Lz4(decoder) => match decoder.read(buffer) {
                // A frame ends with nothing; another may follow.
                Ok(0) => decoder.read(buffer),
                result => result,
            },
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
        }
    }
}

impl<R: Read> Source<R> {
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head)?;
        if !is_whole_packed(&head) {
            return Ok(Self::Plain(Cursor::new(head).chain(source)));
        }
        let whole = Cursor::new(head.clone()).chain(source);
        let decoder = Decoder::new(&head, Watched::new(whole, Transport::default()))?;
        Ok(Self::Packed { decoder: Box::new(decoder), given: 0, fault: None, ended: false })
    }

    /// Returns the reason under which a broken file is failed.
    pub(super) fn broken_reason(&self) -> &'static str {
        match self {
            Self::Packed { decoder, .. } => match **decoder {
                Decoder::Lz4(_) => "lz4_broken",
                Decoder::Xz(_) => "xz_broken",
                Decoder::Bzip2(_) => "bzip2_broken",
            },
            Self::Plain(_) => "record_broken",
        }
    }

    /// Returns what ended the file before its end.
    pub(super) fn fault(&mut self) -> Option<&mut Option<String>> {
        match self {
            Self::Plain(_) => None,
            Self::Packed { fault, .. } => Some(fault),
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (decoder, given, fault, ended) = match self {
            Self::Plain(whole) => return whole.read(buffer),
            Self::Packed { ended: true, .. } => return Ok(0),
            Self::Packed { decoder, given, fault, ended } => (decoder, given, fault, ended),
        };
        let taken = decoder.taken();
        let result = match *given > inflation::bytes_max(taken) {
            true => Err(io::Error::other(inflation::excess(taken))),
            false => decoder.read(buffer),
        };
        match result {
            Err(error) if !decoder.file().has_failed() => {
                *ended = true;
                let at = decoder.taken();
                let lost = io::copy(decoder.file(), &mut io::sink())?;
                *fault = Some(format!("{error} at byte {at} of the file; {lost} bytes behind it lost"));
                Ok(0)
            }
            Ok(count) => {
                *given += count as u64;
                Ok(count)
            }
            failed => failed,
        }
    }
}
