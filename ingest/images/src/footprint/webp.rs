//! WebP: planes of lossy images; without loss, four bytes a pixel and what predicts it; of animations the
//! canvas and a frame.

use super::{lossless, pixels, u16_le, u32_le};

/// Where the chunks begin: behind the signature of RIFF, its length, and that of WebP.
const CHUNKS: usize = 12;
const CHUNK_HEADER_BYTES: usize = 8;
/// Where the chunks of a frame of an animation begin within its own.
const FRAME_CHUNKS: usize = 16;
/// Where a frame has its width and its height.
const FRAME_SIDES: [usize; 2] = [6, 9];
/// Where a lossy image has its width and its height, 14 bits each.
const LOSSY_SIDES: [usize; 2] = [6, 8];
/// Bits of a plane of transparency that say how it is compressed, and what they are if it is.
const ALPHA_METHOD: u8 = 3;
const ALPHA_COMPRESSED: u8 = 1;
/// Lossy images are made of blocks of this side.
const LOSSY_BLOCK_PIXELS: u64 = 16;
/// Eighths of a byte per pixel of a lossy image: luma, colour at half the resolution, what is known of blocks.
const LOSSY: u64 = 8 + 4 + 2;
/// Of one without loss: what predicts 4 x 4 pixels, their colour transform, and the number of their codes.
const LOSSLESS: u64 = 2 + 2 + 3;
/// Of one without loss that is not decoded into the result, which has no alpha.
const LOSSLESS_RGBA: u64 = 32;
/// Of transparency, which is compressed as an image without loss and taken out of it.
const ALPHA: u64 = LOSSLESS_RGBA + LOSSLESS + 8;
/// Of an animation: the canvas and the frame that is put on it.
const ANIMATION: u64 = 32 + 32;
/// Of an animation while its frame is decoded: the frame, and its transparency.
const FRAME: u64 = 32 + 8;

/// What the chunks of a file say of its first image.
#[derive(Debug, Default)]
struct Chunks {
    is_animation: bool,
    has_alpha_plane: bool,
    is_lossless: bool,
    /// Pixels of a lossy image by its own header, which need not be those of the file's.
    lossy_pixels: Option<u64>,
    /// Width and height of the image.
    size: (u32, u32),
    /// Bytes of the tables of images without loss.
    table_bytes: u64,
}

/// Returns the bytes held beside a result with or without transparency.
pub(super) fn held_bytes(file: &[u8], size: (u32, u32), has_alpha: bool) -> Option<u64> {
    let mut chunks = Chunks { size, ..Chunks::default() };
    chunks.read(file, CHUNKS)?;
    let per_pixel = |eighths: u64| pixels(size).saturating_mul(eighths);
    let lossy = chunks.lossy_pixels.unwrap_or(0).saturating_mul(LOSSY);
    let alpha = if chunks.has_alpha_plane { per_pixel(ALPHA) } else { 0 };
    let lossless = if chunks.is_lossless { per_pixel(LOSSLESS) } else { 0 };
    let eighths = match (chunks.is_animation, chunks.is_lossless && !has_alpha) {
        (true, _) => per_pixel(ANIMATION)
            .max(lossy.saturating_add(per_pixel(FRAME)))
            .max(lossless.saturating_add(per_pixel(FRAME)))
            .max(alpha),
        (false, true) => lossless.saturating_add(per_pixel(LOSSLESS_RGBA)),
        (false, false) => lossy.saturating_add(alpha).saturating_add(lossless),
    };
    Some((eighths / 8).saturating_add(chunks.table_bytes))
}

impl Chunks {
    /// Reads the chunks of a file, or of the first frame of an animation.
    fn read(&mut self, file: &[u8], mut at: usize) -> Option<()> {
        while let (Some(name), Some(length)) = (file.get(at..at + 4), u32_le(file, at + 4)) {
            let data = at + CHUNK_HEADER_BYTES;
            let end = data.checked_add(length as usize)?;
            let content = file.get(data..end.min(file.len())).unwrap_or_default();
            match name {
                b"VP8 " if self.lossy_pixels.is_none() => self.lossy_pixels = Some(lossy_pixels(content)?),
                b"VP8L" if !self.is_lossless => {
                    self.is_lossless = true;
                    self.table_bytes += lossless::table_bytes(content, self.size, true);
                }
                b"ALPH" if !self.has_alpha_plane => {
                    self.has_alpha_plane = true;
                    if let [kind, stream @ ..] = content
                        && kind & ALPHA_METHOD == ALPHA_COMPRESSED
                    {
                        self.table_bytes += lossless::table_bytes(stream, self.size, false);
                    }
                }
                b"ANMF" if !self.is_animation => {
                    self.is_animation = true;
                    self.size = (side(content, FRAME_SIDES[0])?, side(content, FRAME_SIDES[1])?);
                    self.read(content, FRAME_CHUNKS)?;
                }
                _ => {}
            }
            at = end.checked_add(length as usize % 2)?;
        }
        Some(())
    }
}

fn lossy_pixels(content: &[u8]) -> Option<u64> {
    let side = |at| u16_le(content, at).map(|side| u64::from(side & 0x3FFF));
    let blocks = |side: u64| side.div_ceil(LOSSY_BLOCK_PIXELS) * LOSSY_BLOCK_PIXELS;
    let [width, height] = LOSSY_SIDES.map(side);
    Some(blocks(width?) * blocks(height?))
}

/// Reads a side of a frame: three bytes, one less than it is.
fn side(content: &[u8], at: usize) -> Option<u32> {
    Some((u32_le(content, at)? & 0xFF_FFFF) + 1)
}
