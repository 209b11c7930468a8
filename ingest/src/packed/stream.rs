//! The stream of records' bytes: a plain file, or the members of a compressed one by one.
//!
//! Reading stops at the end of a member; the caller begins the next. A member that does not
//! decompress is a [`Corrupt`], after which [`Stream::resync`] finds the next member whose
//! beginning its caller accepts.

use std::io::{self, Read};

use super::hidden::{HIDDEN_BYTES, hidden, is_binary};
use super::member::{Broken, Coding, DICTIONARY_BYTES_MAX, DICTIONARY_MAGIC, Member, PROBE_BYTES};
use super::source::Source;
use super::window::Window;
use crate::fault::FileFault;
use crate::inflation::{self, INFLATED};

/// Places looked at so in every file, beside one for each [`BYTES_BY_PROBE`]: chance makes one in 16 MiB, and
/// what is made of them costs no more than reading it.
const PROBES_FREE: u64 = 1_024;
const BYTES_BY_PROBE: u64 = 256;
/// Bytes that may be gone back behind broken members, beside as many as were read: a false member that goes on
/// to the end of the file is read a few times, not for each of its bytes.
const REREAD_BYTES_FREE: u64 = 4 << 20;
/// Decompressed bytes held.
const OUTPUT_BYTES: usize = 64 << 10;

/// A member that does not decompress: a broken code, a wrong checksum, or an early end.
#[derive(Debug)]
pub(crate) struct Corrupt(pub(crate) String);

/// What reading can end with.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The transport failed.
    Io(io::Error),
    /// The member is broken.
    Corrupt(Corrupt),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn corrupt(detail: impl Into<String>) -> ReadError {
    ReadError::Corrupt(Corrupt(detail.into()))
}

/// What a member begins with.
pub(crate) struct Probe<'b> {
    /// Its first bytes, decompressed.
    pub(crate) bytes: &'b [u8],
    /// Whether they decompress without a fault.
    pub(crate) is_sound: bool,
}

/// A file that is plain, or compressed.
pub(crate) struct Stream<R: Read> {
    window: Window<Source<R>>,
    /// Present for compressed files.
    packed: Option<Packed>,
}

struct Packed {
    coding: Coding,
    member: Member,
    /// Decodes what may be the beginning of a member. Another one of its own, as a dictionary takes long to load.
    probing: Member,
    output: Vec<u8>,
    /// Index in the output of the first byte that was not consumed.
    next: usize,
    /// Offset in the file where the member begins.
    offset: u64,
    ended: bool,
    /// Whether any of its content came out.
    gave: bool,
    /// Bytes that the members so far took and gave.
    taken: u64,
    given: u64,
    /// Places looked at for a member, and bytes gone back to look for one.
    probes: u64,
    reread: u64,
    /// Whether the file gives more than is worked through: nothing more of it is read.
    is_excess: bool,
    /// What is wrong with the member, from where on nothing more of it comes.
    fault: Option<String>,
}

impl<R: Read> Stream<R> {
    /// Tells compression by the first bytes; `base` is their offset in the file.
    pub(crate) fn new(source: R, base: u64, window_log_max: u32) -> io::Result<Self> {
        let mut window = Window::new(Source::new(source)?, base);
        let begins_with = Coding::of(window.fill_to(4)?);
        // A damage at the very beginning must not cost all members behind it.
        let hidden = match begins_with {
            None if is_binary(window.fill()?) => hidden(window.fill_to(HIDDEN_BYTES)?),
            _ => None,
        };
        let coding = begins_with.or(hidden);
        let dictionary = match coding {
            Some(Coding::Zstd) => take_dictionary(&mut window)?,
            _ => Vec::new(),
        };
        let packed = coding.map(|coding| {
            let decoder = || Member::new(coding, &dictionary, window_log_max).map_err(FileFault::broken);
            let (member, probing) = (decoder()?, decoder()?);
            let output = Vec::with_capacity(OUTPUT_BYTES);
            let offset = window.offset();
            Ok::<_, io::Error>(Packed {
                coding,
                member,
                probing,
                output,
                next: 0,
                offset,
                ended: false,
                gave: false,
                taken: 0,
                given: 0,
                probes: 0,
                reread: 0,
                is_excess: false,
                fault: hidden.map(|_| "no member begins here".to_owned()),
            })
        });
        Ok(Self { packed: packed.transpose()?, window })
    }

    /// Returns the offset of the member, or of the next byte of a plain file.
    pub(crate) fn offset(&self) -> u64 {
        self.packed.as_ref().map_or(self.window.offset(), |packed| packed.offset)
    }

    /// Returns the offset in the file up to which bytes were decompressed or consumed.
    pub(crate) fn input_offset(&self) -> u64 {
        self.window.offset()
    }

    /// Returns the offset in the file behind which nothing came out of a broken member.
    pub(crate) fn fault_offset(&self) -> u64 {
        match &self.packed {
            Some(packed) if !packed.gave => packed.offset,
            _ => self.window.offset(),
        }
    }

    /// Returns the bytes of the file that what came out was made of; of a plain file none.
    pub(super) fn taken(&mut self) -> u64 {
        match &self.packed {
            Some(packed) => packed.taken,
            None => self.window.source().taken().unwrap_or_default(),
        }
    }

    /// Returns true if something came out of the member.
    pub(super) fn gave(&self) -> bool {
        self.packed.as_ref().is_some_and(|packed| packed.gave)
    }

    pub(crate) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Returns true if the file gives more than is worked through.
    pub(crate) fn is_excess(&self) -> bool {
        match &self.packed {
            Some(packed) => packed.is_excess,
            None => self.window.peek_source().is_excess(),
        }
    }

    /// Returns the reason under which a broken member is failed.
    pub(crate) fn broken_reason(&self) -> &'static str {
        if self.is_excess() {
            return INFLATED;
        }
        match self.packed.as_ref().map(|packed| packed.coding) {
            Some(Coding::Zstd) => "zstd_broken",
            Some(Coding::Gzip) => "gzip_broken",
            None => self.window.peek_source().broken_reason(),
        }
    }

    /// Returns the bytes that are there; none at the end of the member or of a plain file.
    pub(crate) fn fill(&mut self) -> Result<&[u8], ReadError> {
        match &mut self.packed {
            None => {
                let is_at_end = self.window.fill()?.is_empty();
                match self.window.source().fault() {
                    Some(Some(detail)) if is_at_end => Err(corrupt(detail.clone())),
                    _ => Ok(self.window.fill()?),
                }
            }
            Some(packed) => {
                while packed.next == packed.output.len() && !packed.ended {
                    packed.decompress(&mut self.window)?;
                }
                Ok(&packed.output[packed.next..])
            }
        }
    }

    pub(crate) fn consume(&mut self, count: usize) {
        match &mut self.packed {
            None => self.window.consume(count),
            Some(packed) => packed.next = (packed.next + count).min(packed.output.len()),
        }
    }

    /// Begins the next member; false at the end of the file. Zeros between members and behind the last
    /// one are padding (of tapes and block devices), and passed over.
    pub(crate) fn next_member(&mut self) -> Result<bool, ReadError> {
        let padding = self.pass_over_zeros()?;
        let more = !self.window.fill()?.is_empty();
        let offset = self.window.offset();
        if padding > 0 {
            tracing::info!(bytes = padding, until = offset, "zeros between or behind members");
        }
        if let (true, Some(packed)) = (more, &mut self.packed) {
            packed.begin(offset);
        }
        Ok(more)
    }

    fn pass_over_zeros(&mut self) -> io::Result<u64> {
        let mut passed = 0;
        loop {
            let bytes = self.window.fill()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let more = zeros == bytes.len() && zeros > 0;
            self.window.consume(zeros);
            passed += zeros as u64;
            if !more {
                return Ok(passed);
            }
        }
    }

    /// Leaves a broken member: goes to the next place after its beginning where a member begins
    /// with what is accepted. Returns that place's offset, of the end of the file if there is none.
    pub(crate) fn resync(&mut self, accepts: impl Fn(Probe<'_>) -> bool) -> io::Result<u64> {
        let Some(packed) = &mut self.packed else {
            // Nothing of the file is left behind the fault.
            self.window.source().fault().map(Option::take);
            return Ok(self.window.offset());
        };
        let (window, magic) = (&mut self.window, packed.coding.magic());
        if packed.is_excess {
            pass_over_all(window)?;
        } else if packed.may_go_back(window.offset()) {
            window.go_to(packed.offset + 1);
        }
        loop {
            let bytes = window.fill_to(PROBE_BYTES)?;
            let Some(found) = memchr::memmem::find(bytes, magic) else {
                // The last bytes may be the beginning of the magic.
                let keep = if bytes.len() < PROBE_BYTES { 0 } else { magic.len() - 1 };
                let passed = bytes.len() - keep;
                window.consume(passed);
                if keep == 0 {
                    break;
                }
                continue;
            };
            window.consume(found);
            let offset = window.offset();
            let bytes = window.fill_to(PROBE_BYTES)?;
            if packed.coding.is_member(bytes)
                && packed.may_probe(offset)
                && packed.begins_with(bytes, &accepts)
            {
                break;
            }
            window.consume(1);
        }
        packed.begin(window.offset());
        // At the end of the file there is no member to read.
        packed.ended = window.fill()?.is_empty();
        Ok(packed.offset)
    }
}

impl Packed {
    fn begin(&mut self, offset: u64) {
        self.member.begin();
        self.output.clear();
        self.fault = None;
        (self.next, self.offset, self.ended, self.gave) = (0, offset, false, false);
    }

    /// Takes the way back from the end of a broken member to its beginning, if it is not too long.
    fn may_go_back(&mut self, end: u64) -> bool {
        let reread = self.reread + end.saturating_sub(self.offset);
        let may = reread <= REREAD_BYTES_FREE + end;
        if may {
            self.reread = reread;
        }
        may
    }

    /// Takes a look at the place at an offset.
    fn may_probe(&mut self, offset: u64) -> bool {
        self.probes += 1;
        self.probes <= PROBES_FREE + offset / BYTES_BY_PROBE
    }

    fn decompress<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), ReadError> {
        self.output.clear();
        self.next = 0;
        if let Some(detail) = &self.fault {
            return Err(corrupt(detail.clone()));
        }
        if let Some(detail) = inflation::excess(self.taken, self.given) {
            self.is_excess = true;
            return Err(corrupt(detail));
        }
        let input = window.fill()?;
        let result = self.member.decompress(input, &mut self.output);
        self.gave |= !self.output.is_empty();
        self.given += self.output.len() as u64;
        let step = match result {
            Ok(step) => step,
            Err(Broken { consumed, detail }) => {
                window.consume(consumed);
                self.fault = Some(detail.clone());
                // What came before the fault is good.
                return if self.output.is_empty() { Err(corrupt(detail)) } else { Ok(()) };
            }
        };
        let is_stuck = step.consumed == 0 && self.output.is_empty() && !step.ended;
        let at_end = input.is_empty();
        window.consume(step.consumed);
        self.taken += step.consumed as u64;
        self.ended = step.ended;
        match (is_stuck, at_end) {
            (true, true) => Err(corrupt("member ends early")),
            (true, false) => Err(corrupt("decoder makes no progress")),
            (false, _) => Ok(()),
        }
    }

    /// Returns whether the bytes begin a member that begins with what is accepted.
    fn begins_with(&mut self, bytes: &[u8], accepts: impl Fn(Probe<'_>) -> bool) -> bool {
        let (output, is_sound) = self.probing.probe(bytes);
        accepts(Probe { bytes: &output, is_sound })
    }
}

/// Reads to the end of the file.
fn pass_over_all<R: Read>(window: &mut Window<R>) -> io::Result<()> {
    loop {
        let count = window.fill()?.len();
        if count == 0 {
            return Ok(());
        }
        window.consume(count);
    }
}

/// Takes the dictionary that a skippable frame holds; none where another frame is first.
fn take_dictionary<R: Read>(window: &mut Window<R>) -> io::Result<Vec<u8>> {
    let head = window.fill_to(8)?;
    let length = match head {
        [a, b, c, d, length @ ..] if [*a, *b, *c, *d] == DICTIONARY_MAGIC => {
            length.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
        }
        _ => return Ok(Vec::new()),
    };
    let Some(length) = length.filter(|length| *length <= DICTIONARY_BYTES_MAX) else {
        return Err(FileFault::broken(format!("a zstd dictionary above {DICTIONARY_BYTES_MAX} bytes")).into());
    };
    window.consume(8);
    let dictionary = window.fill_to(length)?;
    let dictionary = dictionary[..dictionary.len().min(length)].to_vec();
    window.consume(length);
    Ok(dictionary)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::packed::WINDOW_LOG_DEFAULT;

    /// Reads all members, whose beginnings are accepted if they decompress; returns what came out, and what
    /// looking for members cost.
    fn read(file: &[u8]) -> (Vec<u8>, u64, u64) {
        let mut stream = Stream::new(file, 0, WINDOW_LOG_DEFAULT).unwrap();
        let mut out = Vec::new();
        loop {
            match stream.fill().map(<[u8]>::to_vec) {
                Ok(bytes) if bytes.is_empty() => {
                    if !stream.next_member().unwrap_or(false) {
                        break;
                    }
                }
                Ok(bytes) => {
                    out.extend_from_slice(&bytes);
                    stream.consume(bytes.len());
                }
                Err(_) => drop(stream.resync(|probe| probe.is_sound)),
            }
        }
        let packed = stream.packed.unwrap();
        (out, packed.probes, packed.reread)
    }

    #[test]
    fn false_members_are_looked_at_seldom_and_read_a_few_times() {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(b"good").unwrap();
        let member = member.finish().unwrap();
        let named = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03";
        let unnamed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
        let frame = b"\x28\xb5\x2f\xfd";
        for (magic, whole) in [
            (&named[..3], &member),
            (named, &member),
            (unnamed, &member),
            (frame, &zstd::bulk::compress(b"good", 1).unwrap()),
        ] {
            let file = magic.repeat((1 << 20) / magic.len());
            let (_, probes, reread) = read(&file);
            assert!(reread <= REREAD_BYTES_FREE + 2 * file.len() as u64, "{magic:?}: {reread}");
            assert!(probes <= file.len() as u64 / 3, "{magic:?}: {probes}");
            // A few of them hide nothing.
            let few = [&whole[..], &magic.repeat(50), whole].concat();
            assert!(read(&few).0.starts_with(b"good"), "{magic:?}");
        }
        let noise: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        let broken = [&member[..], &member[..10], &noise, &member].concat();
        let (out, ..) = read(&broken);
        assert!(out.starts_with(b"good") && out.ends_with(b"good"), "{} bytes", out.len());
    }
}
