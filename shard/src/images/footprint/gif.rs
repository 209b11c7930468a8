//! GIF: the indices of the first frame, and a buffer of its own if it does not fill the rows of the canvas.

use super::{pixels, u16_le};

/// Where the screen's flags are, and where what follows them begins.
const FLAGS: usize = 10;
const HEADER_BYTES: usize = 13;
const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2C;
/// Bytes of a pixel of a frame as it is compressed, and as it is put on the canvas.
const INDEX_BYTES: u64 = 1;
const RGBA_BYTES: u64 = 4;

/// Returns the bytes held beside the canvas for the first frame.
pub(super) fn held_bytes(file: &[u8], (width, height): (u32, u32)) -> Option<u64> {
    let mut at = HEADER_BYTES + colour_table_bytes(*file.get(FLAGS)?);
    loop {
        match *file.get(at)? {
            EXTENSION => at = after_blocks(file, at + 2)?,
            FRAME => break,
            _ => return None,
        }
    }
    let field = |index: usize| u16_le(file, at + 1 + 2 * index);
    let (left, top, frame_width, frame_height) = (field(0)?, field(1)?, field(2)?, field(3)?);
    let fills_rows = left == 0 && frame_width == width && top + frame_height <= height;
    let frame_bytes = if fills_rows { INDEX_BYTES } else { INDEX_BYTES + RGBA_BYTES };
    Some(frame_bytes * pixels((frame_width, frame_height)))
}

fn colour_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
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
