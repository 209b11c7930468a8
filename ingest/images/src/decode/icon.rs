//! Icons: files of several images, each a PNG or a bitmap under a mask. Bitmaps are shown as Pillow shows them, which
//! reads more of them than the image library.

use super::super::pixels::on_white;
use super::Fault;
use super::Pixels;

/// What a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
/// Bytes of an icon's header and of each of its entries.
const HEADER_BYTES: usize = 6;
const ENTRY_BYTES: usize = 16;
/// Bytes of the file header of a bitmap, which those of icons lack, and of its oldest header.
const FILE_HEADER_BYTES: usize = 14;
const CORE_BYTES: usize = 12;
/// Bytes of the header behind which the masks of colours stand, and of the masks.
const INFO_BYTES: usize = 40;
const MASKS_BYTES: usize = 12;
/// The compression that has masks of colours.
const MASKED: u32 = 3;
/// Bits of a pixel that has its own opacity.
const BITS_WITH_ALPHA: u16 = 32;
/// Bits of a pixel of a palette at most.
const PALETTE_BITS: u16 = 8;

/// The image of an icon.
pub(super) enum Icon<'a> {
    /// A file of its own.
    Png(&'a [u8]),
    /// A bitmap's file, and what shows of it.
    Bitmap(Vec<u8>, AlphaMask<'a>),
}

/// How much shows of each pixel: rows begin with the last one.
pub(super) enum AlphaMask<'a> {
    /// The last of four bytes of each pixel.
    Alpha(&'a [u8]),
    /// A bit for each pixel that does not show, in rows of so many bytes.
    Mask(&'a [u8], usize),
}

/// Returns the largest image of an icon, of equal ones the one of most bits.
///
/// # Errors
/// A [`Fault`] for an icon without images, or whose image is not within the file.
pub(super) fn icon(file: &[u8]) -> Result<Icon<'_>, Fault> {
    let header = file.get(..HEADER_BYTES).ok_or_else(broken)?;
    let count = usize::from(u16::from_le_bytes([header[4], header[5]]));
    let entries = file[HEADER_BYTES..].chunks_exact(ENTRY_BYTES).take(count);
    let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    let area = |entry: &[u8]| side(entry[0]) * side(entry[1]);
    let bits = |entry: &[u8]| u16::from_le_bytes([entry[6], entry[7]]);
    let entry = entries.max_by_key(|entry| (area(entry), bits(entry))).ok_or_else(broken)?;
    let number = |at: usize| Some(u32::from_le_bytes(*entry.get(at..)?.first_chunk()?) as usize);
    let (length, place) = (number(8).ok_or_else(broken)?, number(12).ok_or_else(broken)?);
    let image = file.get(place..).ok_or_else(broken)?;
    if image.starts_with(PNG) {
        return Ok(Icon::Png(&image[..image.len().min(length)]));
    }
    bitmap(file, (place, length), bits(entry)).ok_or_else(broken)
}

fn broken() -> Fault {
    Fault::broken("ico", "no image within the file")
}

/// Reads the header of a bitmap: its height counts the rows of pixels and those of the mask.
fn bitmap(file: &[u8], (place, length): (usize, usize), bits: u16) -> Option<Icon<'_>> {
    let image = file.get(place..)?;
    let two = |at: usize| Some(u16::from_le_bytes(*image.get(at..)?.first_chunk()?));
    let four = |at: usize| Some(u32::from_le_bytes(*image.get(at..)?.first_chunk()?));
    let header_bytes = four(0)? as usize;
    let is_core = header_bytes == CORE_BYTES;
    let (width, rows) = match is_core {
        true => (u32::from(two(4)?), i32::from(two(6)? as i16)),
        false => (four(4)?, four(8)? as i32),
    };
    let height = rows.unsigned_abs() / 2;
    let own_bits = two(if is_core { 10 } else { 14 })?;
    let palette_bytes = match own_bits {
        ..=PALETTE_BITS => {
            let stated = if is_core { 0 } else { four(32)? as usize };
            let colours = if stated == 0 { 1 << own_bits } else { stated };
            colours.checked_mul(if is_core { 3 } else { 4 })?
        }
        _ if header_bytes == INFO_BYTES && four(16)? == MASKED => MASKS_BYTES,
        _ => 0,
    };
    let pixels_at = header_bytes.checked_add(palette_bytes)?;
    let pixels = image.get(pixels_at..)?;
    let (columns, lines) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    let veil = if bits == BITS_WITH_ALPHA {
        AlphaMask::Alpha(pixels.get(..columns.checked_mul(lines)?.checked_mul(4)?)?)
    } else {
        // It is what the entry's bytes end with, whatever is before it.
        let row_bytes = columns.div_ceil(32).checked_mul(4)?;
        let bytes = row_bytes.checked_mul(lines)?;
        let begin = place.checked_add(length)?.checked_sub(bytes)?;
        AlphaMask::Mask(file.get(begin..begin.checked_add(bytes)?)?, row_bytes)
    };
    let mut bitmap = Vec::with_capacity(FILE_HEADER_BYTES + image.len());
    let offset = u32::try_from(FILE_HEADER_BYTES + pixels_at).ok()?;
    bitmap.extend([b"BM", &[0; 8][..], &offset.to_le_bytes()].concat());
    bitmap.extend_from_slice(image);
    let signed = if rows < 0 { -(height as i32) } else { height as i32 };
    match is_core {
        true => bitmap[FILE_HEADER_BYTES + 6..][..2].copy_from_slice(&(signed as u16).to_le_bytes()),
        false => bitmap[FILE_HEADER_BYTES + 8..][..4].copy_from_slice(&signed.to_le_bytes()),
    }
    Some(Icon::Bitmap(bitmap, veil))
}

impl AlphaMask<'_> {
    /// Returns pixels as they show on white.
    pub(super) fn over(&self, pixels: Pixels) -> Option<Pixels> {
        let (width, height) = (pixels.width(), pixels.height());
        let (columns, lines) = (width as usize, height as usize);
        let mut rgb = pixels.into_rgb();
        for (index, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = (index % columns, lines - 1 - index / columns);
            let opacity = match self {
                Self::Alpha(bytes) => bytes.get((y * columns + x) * 4 + 3).copied(),
                Self::Mask(bits, row_bytes) => {
                    let byte = bits.get(y * row_bytes + x / 8);
                    byte.map(|byte| if byte << (x % 8) & 0x80 == 0 { u8::MAX } else { 0 })
                }
            };
            let [red, green, blue] = *pixel;
            *pixel = on_white([red, green, blue, opacity?]);
        }
        Pixels::new(width, height, rgb)
    }
}
