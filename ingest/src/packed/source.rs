//! The source of a file's bytes: as they come, or decompressed where the file is lz4.
//!
//! lz4 files (written by few tools) have no place to step back to within a frame: they are
//! read as one plain file, up to the first fault.

use std::io::{self, Chain, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

use crate::fault::{Transport, Watched};

/// How an lz4 frame begins.
pub(super) const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// The file from its first byte, of which some were looked at.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// A file's bytes, decompressed where it is lz4.
pub(super) enum Source<R: Read> {
    Plain(Whole<R>),
    Lz4 { decoder: Box<FrameDecoder<Watched<Whole<R>>>>, fault: Option<String>, ended: bool },
}

impl<R: Read> Source<R> {
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(LZ4_MAGIC.len() as u64).read_to_end(&mut head)?;
        let is_lz4 = head == LZ4_MAGIC;
        let whole = Cursor::new(head).chain(source);
        Ok(match is_lz4 {
            false => Self::Plain(whole),
            true => {
                let decoder = FrameDecoder::new(Watched::new(whole, Transport::default()));
                Self::Lz4 { decoder: Box::new(decoder), fault: None, ended: false }
            }
        })
    }

    /// Returns what ended the file before its end.
    pub(super) fn fault(&mut self) -> Option<&mut Option<String>> {
        match self {
            Self::Plain(_) => None,
            Self::Lz4 { fault, .. } => Some(fault),
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(whole) => whole.read(buffer),
            Self::Lz4 { ended: true, .. } => Ok(0),
            Self::Lz4 { decoder, fault, ended } => {
                let mut result = decoder.read(buffer);
                if matches!(result, Ok(0)) {
                    // A frame ends with nothing; another may follow.
                    result = decoder.read(buffer);
                }
                match result {
                    Err(error) if !decoder.get_ref().has_failed() => {
                        *ended = true;
                        let at = decoder.get_ref().bytes();
                        let lost = io::copy(decoder.get_mut(), &mut io::sink())?;
                        *fault =
                            Some(format!("{error} at byte {at} of the file; {lost} bytes behind it lost"));
                        Ok(0)
                    }
                    result => result,
                }
            }
        }
    }
}
