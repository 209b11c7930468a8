//! GIF: the first frame on its canvas, as Pillow shows it. The canvas is the screen, made large enough for the
//! frame. What the frame does not cover is its transparent colour, or the first one of its palette.

use std::io::{Cursor, Read};

use gif::{DecodeOptions, Decoder, MemoryLimit};

use super::samples::RGB_BYTES;
use super::{Fault, Pixels, pixels};

/// What files are called in faults.
const FORMAT: &str = "gif";
/// Where the screen has its width, its height and its flags, and where what follows them begins.
const SCREEN: [usize; 2] = [6, 8];
const FLAGS: usize = 10;
const HEADER_BYTES: usize = 13;
const EXTENSION: u8 = 0x21;
const CONTROL: u8 = 0xF9;
const FRAME: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
/// Bytes of a frame from its mark to its flags, and of those its place and its size.
const FRAME_BYTES: usize = 10;
const COLOURS: usize = 256;
/// What shows through where the frame is transparent.
const WHITE: [u8; 3] = [255; 3];
/// Bytes that the decoder holds whatever the size: windows and tables.
const WINDOW_BYTES: u64 = 1 << 20;

/// A file whose blocks have been read up to its first frame.
pub(super) struct Gif<'a> {
    /// The file from the mark of the frame on.
    frame: &'a [u8],
    place: (u32, u32),
    frame_size: (u32, u32),
    canvas: (u32, u32),
    palette: [[u8; 3]; COLOURS],
    /// The colour of what the frame does not cover.
    background: [u8; 3],
}

impl<'a> Gif<'a> {
    /// Reads blocks up to the first frame. Bytes between blocks that begin none are passed over.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, Fault> {
        Self::read(file).ok_or_else(|| Fault::broken(FORMAT, "no first image"))
    }

    fn read(file: &'a [u8]) -> Option<Self> {
        let (global, mut at) = colours(file, HEADER_BYTES, *file.get(FLAGS)?)?;
        let mut transparent = None;
        loop {
            match *file.get(at)? {
                EXTENSION => {
                    if let [CONTROL, 4, flags, _, _, index, ..] = file.get(at + 1..)? {
                        transparent = (flags & 1 == 1).then_some(*index);
                    }
                    at = after_blocks(file, at + 2)?;
                }
                FRAME => break,
                TRAILER => return None,
                _ => at += 1,
            }
        }
        let frame = file.get(at..)?;
        let field = |index: usize| u16_le(frame, 1 + 2 * index);
        let (place, frame_size) = ((field(0)?, field(1)?), (field(2)?, field(3)?));
        let (local, _) = colours(frame, FRAME_BYTES, *frame.get(FRAME_BYTES - 1)?)?;
        let mut palette = [[0; 3]; COLOURS];
        match local.or(global) {
            Some(colours) => palette.iter_mut().zip(colours.as_chunks().0).for_each(|(to, from)| *to = *from),
            // Without any palette, numbers are levels of grey.
            None => palette.iter_mut().zip(0..).for_each(|(to, level)| *to = [level; 3]),
        }
        if let Some(index) = transparent {
            palette[usize::from(index)] = WHITE;
        }
        let side = |screen: usize, place: u32, side: u32| Some(u16_le(file, screen)?.max(place + side));
        let canvas = (side(SCREEN[0], place.0, frame_size.0)?, side(SCREEN[1], place.1, frame_size.1)?);
        let background = palette[usize::from(transparent.unwrap_or(0))];
        Some(Self { frame, place, frame_size, canvas, palette, background })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.canvas
    }

    /// Returns how many bytes [`Self::decode`] holds at its peak.
    pub(super) fn held_bytes(&self) -> u64 {
        pixels(self.frame_size) + pixels(self.canvas) * RGB_BYTES as u64 + WINDOW_BYTES
    }

    /// Decodes the first frame.
    ///
    /// # Errors
    /// A [`Fault`] for a frame that is empty, damaged or cut off.
    pub(super) fn decode(self) -> Result<Pixels, Fault> {
        if pixels(self.frame_size) == 0 {
            return Err(Fault::broken(FORMAT, "an empty first image"));
        }
        let numbers = self.numbers().map_err(|error| Fault::broken(FORMAT, error.to_string()))?;
        let row_bytes = self.canvas.0 as usize * RGB_BYTES;
        let mut rgb: Vec<u8> = self.background.repeat(pixels(self.canvas) as usize);
        let rows = rgb.chunks_exact_mut(row_bytes).skip(self.place.1 as usize);
        for (row, numbers) in rows.zip(numbers.chunks_exact(self.frame_size.0 as usize)) {
            let to = row[self.place.0 as usize * RGB_BYTES..].as_chunks_mut().0;
            to.iter_mut().zip(numbers).for_each(|(to, number)| *to = self.palette[usize::from(*number)]);
        }
        Pixels::new(self.canvas.0, self.canvas.1, rgb).ok_or_else(|| Fault::broken(FORMAT, "no pixels"))
    }

    /// Decodes the numbers of the frame's colours: of a file that is nothing but the frame, with a palette
    /// that is asked for and not used.
    fn numbers(&self) -> Result<Vec<u8>, gif::DecodingError> {
        const HEADER: &[u8; HEADER_BYTES] = b"GIF89a\x01\0\x01\0\x80\0\0";
        let header = Cursor::new([&HEADER[..], &[0; 6]].concat());
        let mut options = DecodeOptions::new();
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder: Decoder<_> = options.read_info(header.chain(self.frame))?;
        decoder.next_frame_info()?;
        let mut numbers = vec![0; pixels(self.frame_size) as usize];
        decoder.read_into_buffer(&mut numbers)?;
        Ok(numbers)
    }
}

/// Returns the palette behind a header whose flags tell of one, and where it has ended.
fn colours(bytes: &[u8], at: usize, flags: u8) -> Option<(Option<&[u8]>, usize)> {
    if flags & 0x80 == 0 {
        return Some((None, at));
    }
    let end = at + (3 << ((flags & 7) + 1));
    Some((Some(bytes.get(at..end)?), end))
}

/// Returns where a list of blocks, each behind its length, has ended.
fn after_blocks(file: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *file.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

fn u16_le(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}
