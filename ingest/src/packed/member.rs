//! A member: a part of a file that decompresses by itself, gzip (RFC 1952) or zstd (RFC 8878).
//!
//! Crawls write a member per record, so that each can be read alone. The records of a zstd
//! file may share a dictionary, which a skippable frame before them holds (IIPC, "Zstandard
//! compression of WARC files").

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Which compression a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zstd,
}

/// Compressed bytes looked at to see what a member begins with.
pub(super) const PROBE_BYTES: usize = 4 << 10;
/// Decompressed bytes looked at for the same.
const PROBED_BYTES: usize = 1 << 10;
/// `Decompress` as a decoder of gzip: the largest window there is.
const WINDOW_BITS: u8 = 15;
/// Largest zstd window that is accepted unless configured, 2^27 bytes: the limit of the zstd tool itself.
pub(crate) const WINDOW_LOG_DEFAULT: u32 = 27;
/// What zstd says of a frame whose window is larger.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";
/// Bytes of a dictionary.
pub(super) const DICTIONARY_BYTES_MAX: usize = 4 << 20;
/// Flags of a gzip header that must be zero (RFC 1952, 2.3.1).
const GZIP_RESERVED_FLAGS: u8 = 0xe0;
/// The bit of a zstd frame's descriptor that must be zero (RFC 8878, 3.1.1.1.1).
const ZSTD_RESERVED_BIT: u8 = 0x08;
/// How a dictionary's frame begins: a skippable frame of this number.
pub(super) const DICTIONARY_MAGIC: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];

impl Coding {
    /// Tells the coding by a file's first bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let is_gzip = head.starts_with(Self::Gzip.magic());
        let is_zstd = head.starts_with(Self::Zstd.magic()) || is_skippable(head);
        is_gzip.then_some(Self::Gzip).or(is_zstd.then_some(Self::Zstd))
    }

    /// Returns how a member begins.
    pub(crate) const fn magic(self) -> &'static [u8] {
        match self {
            // Deflate is the only method there is.
            Self::Gzip => &[0x1f, 0x8b, 0x08],
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        }
    }

    /// Returns true if a member may begin so, by its header alone.
    pub(super) fn is_member(self, head: &[u8]) -> bool {
        match self {
            Self::Gzip => head.get(3).is_none_or(|flags| flags & GZIP_RESERVED_FLAGS == 0),
            Self::Zstd => head.get(4).is_none_or(|descriptor| descriptor & ZSTD_RESERVED_BIT == 0),
        }
    }
}

/// Skippable frames have 16 numbers.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// A decoder of one member at a time.
pub(super) enum Member {
    Gzip(Decompress),
    Zstd { decoder: Decoder<'static>, window_log_max: u32 },
}

/// What one step of a decoder did.
pub(super) struct Step {
    /// Bytes of the input that were taken.
    pub(super) consumed: usize,
    /// Whether the member ended.
    pub(super) ended: bool,
}

/// Where and why a decoder gave up.
pub(super) struct Broken {
    /// Bytes of the input that were taken before.
    pub(super) consumed: usize,
    /// What is wrong with the member.
    pub(super) detail: String,
}

impl Member {
    /// Makes a decoder; gzip has no dictionaries and no windows that differ.
    ///
    /// # Errors
    /// What is wrong with the dictionary.
    pub(super) fn new(coding: Coding, dictionary: &[u8], window_log_max: u32) -> Result<Self, String> {
        let broken = |error: std::io::Error| format!("dictionary: {error}");
        match coding {
            Coding::Gzip => Ok(Self::Gzip(Decompress::new_gzip(WINDOW_BITS))),
            Coding::Zstd => {
                let dictionary = match dictionary.starts_with(Coding::Zstd.magic()) {
                    true => zstd::bulk::decompress(dictionary, DICTIONARY_BYTES_MAX).map_err(broken)?,
                    false => dictionary.to_vec(),
                };
                let mut decoder = Decoder::with_dictionary(&dictionary).map_err(broken)?;
                decoder.set_parameter(DParameter::WindowLogMax(window_log_max)).map_err(broken)?;
                Ok(Self::Zstd { decoder, window_log_max })
            }
        }
    }

    /// Decompresses the beginning of a member; returns what came out, and whether that was without a fault.
    pub(super) fn probe(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.begin();
        let mut output = Vec::with_capacity(PROBED_BYTES);
        let mut rest = &bytes[..bytes.len().min(PROBE_BYTES)];
        while output.len() < output.capacity() && !rest.is_empty() {
            let before = output.len();
            match self.decompress(rest, &mut output) {
                Ok(step) if step.ended || (step.consumed == 0 && output.len() == before) => break,
                Ok(step) => rest = &rest[step.consumed..],
                Err(_) => return (output, false),
            }
        }
        (output, true)
    }

    /// Begins another member.
    pub(super) fn begin(&mut self) {
        match self {
            Self::Gzip(inflate) => *inflate = Decompress::new_gzip(WINDOW_BITS),
            // It fails only for decoders that were never set up.
            Self::Zstd { decoder, .. } => drop(decoder.reinit()),
        }
    }

    /// Appends to the output what the input gives, as far as its capacity goes.
    ///
    /// # Errors
    /// What is wrong with the member; the output holds what came before.
    pub(super) fn decompress(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Step, Broken> {
        match self {
            Self::Gzip(inflate) => {
                let before = inflate.total_in();
                let result = inflate.decompress_vec(input, output, FlushDecompress::None);
                let consumed = (inflate.total_in() - before) as usize;
                match result {
                    Ok(status) => Ok(Step { consumed, ended: status == Status::StreamEnd }),
                    Err(error) => Err(Broken { consumed, detail: error.to_string() }),
                }
            }
            Self::Zstd { decoder, window_log_max, .. } => {
                let begin = output.len();
                output.resize(output.capacity(), 0);
                let mut target = OutBuffer::around_pos(&mut output[..], begin);
                let mut source = InBuffer::around(input);
                let result = decoder.run(&mut source, &mut target);
                let (consumed, end) = (source.pos(), target.pos());
                output.truncate(end);
                match result {
                    Ok(left) => Ok(Step { consumed, ended: left == 0 }),
                    Err(error) if error.to_string() == WINDOW_TOO_LARGE => {
                        let detail = format!(
                            "its window is larger than 2^{window_log_max} bytes (zstd --long): raise \
                             fetch.zstd_window_log_max, to 31 at most"
                        );
                        Err(Broken { consumed, detail })
                    }
                    Err(error) => Err(Broken { consumed, detail: error.to_string() }),
                }
            }
        }
    }
}
