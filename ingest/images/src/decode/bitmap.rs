//! Bitmaps with headers of OS/2, which the image library does not read.

use std::borrow::Cow;

use super::Fault;

/// Bytes of a bitmap's file header, of the header of Windows that follows it, and of OS/2's, which begins
/// alike.
const FILE_HEADER_BYTES: usize = 14;
const WINDOWS_BYTES: usize = 40;
const OS2_BYTES: usize = 64;
/// Compressions that mean the same in both: none, and runs of bytes or of half bytes.
const COMMON_COMPRESSIONS: [u8; 3] = [0, 1, 2];

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
