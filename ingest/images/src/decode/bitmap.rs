//! Bitmaps in wrappings that the image library does not undo: icons, and headers of OS/2.

use std::borrow::Cow;

use super::Fault;

/// What a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
/// Bytes of an icon's header and of each of its entries.
const ICON_HEADER_BYTES: usize = 6;
const ICON_ENTRY_BYTES: usize = 16;
/// Bytes of a bitmap's file header, of the header of Windows that follows it, and of OS/2's, which begins
/// alike.
const FILE_HEADER_BYTES: usize = 14;
const WINDOWS_BYTES: usize = 40;
const OS2_BYTES: usize = 64;
/// Compressions that mean the same in both: none, and runs of bytes or of half bytes.
const COMMON_COMPRESSIONS: [u8; 3] = [0, 1, 2];

/// The image of an icon.
pub(super) enum Icon<'a> {
    /// A file of its own.
    Png(&'a [u8]),
    /// An icon of that image alone.
    Bitmap(Vec<u8>),
}

/// Returns the largest image of an icon, of equal ones the one of most bits.
///
/// # Errors
/// A [`Fault`] for an icon without images, or whose image is not within the file.
pub(super) fn icon(file: &[u8]) -> Result<Icon<'_>, Fault> {
    let broken = || Fault::broken("ico", "no image within the file");
    let header = file.get(..ICON_HEADER_BYTES).ok_or_else(broken)?;
    let count = usize::from(u16::from_le_bytes([header[4], header[5]]));
    let entries = file[ICON_HEADER_BYTES..].chunks_exact(ICON_ENTRY_BYTES).take(count);
    let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    let area = |entry: &[u8]| side(entry[0]) * side(entry[1]);
    let bits = |entry: &[u8]| u16::from_le_bytes([entry[6], entry[7]]);
    let entry = entries.max_by_key(|entry| (area(entry), bits(entry))).ok_or_else(broken)?;
    let number =
        |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize;
    let image = file.get(number(12)..).ok_or_else(broken)?;
    let image = &image[..image.len().min(number(8))];
    if image.starts_with(PNG) {
        return Ok(Icon::Png(image));
    }
    let offset = ((ICON_HEADER_BYTES + ICON_ENTRY_BYTES) as u32).to_le_bytes();
    Ok(Icon::Bitmap([&header[..4], &[1, 0], &entry[..12], &offset, image].concat()))
}

/// Returns a bitmap with a header of Windows in place of one of OS/2.
///
/// # Errors
/// A [`Fault`] for compressions that only OS/2 has.
pub(super) fn windows(file: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    let Some((header, rest)) = file.split_at_checked(FILE_HEADER_BYTES + OS2_BYTES) else {
        return Ok(Cow::Borrowed(file));
    };
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(FILE_HEADER_BYTES) != OS2_BYTES as u32 {
        return Ok(Cow::Borrowed(file));
    }
    if !COMMON_COMPRESSIONS.contains(&header[30]) {
        return Err(Fault::Unsupported { format: "image/bmp (compression of OS/2)".to_owned() });
    }
    let shorter = (OS2_BYTES - WINDOWS_BYTES) as u32;
    let pixels = number(10).saturating_sub(shorter).to_le_bytes();
    let length = (WINDOWS_BYTES as u32).to_le_bytes();
    let fields = &header[FILE_HEADER_BYTES + 4..FILE_HEADER_BYTES + WINDOWS_BYTES];
    Ok(Cow::Owned([&header[..10], &pixels, &length, fields, rest].concat()))
}
