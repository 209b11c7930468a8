//! What a binary value is, in a few words.

use std::io::Cursor;

use corpus::digest::hexadecimal;
use image::{ImageFormat, ImageReader};

/// Bytes of a value that is shown as it is (keys and the like).
const SHORT_BYTES_MAX: usize = 16;

/// Returns a short value in hexadecimal, an image by its format and size, and other values by
/// their length. Only the head of an image is read: its pixels may be broken.
pub(super) fn describe(bytes: &[u8]) -> String {
    if bytes.len() <= SHORT_BYTES_MAX {
        return hexadecimal(bytes);
    }
    let length = bytes.len();
    let Ok(format) = image::guess_format(bytes) else {
        return format!("<{length} bytes>");
    };
    let name = format.extensions_str().first().copied().unwrap_or("image");
    match size(bytes, format) {
        Some((width, height)) => format!("<{length} bytes {name} {width}x{height}>"),
        None => format!("<{length} bytes {name}>"),
    }
}

fn size(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::PNG_HEAD;

    #[test]
    fn images_are_known_by_their_head() {
        assert_eq!(describe(PNG_HEAD), "<41 bytes png 64x48>");
        assert_eq!(describe(b"GIF89a\x0a\0\x05\0\0\0\0 and more bytes"), "<28 bytes gif 10x5>");
        assert_eq!(describe(b"\xff\xd8\xff\xe0 cut in its head"), "<20 bytes jpg>");
        assert_eq!(describe(b"seventeen bytes !"), "<17 bytes>");
        assert_eq!(describe(b""), "");
        assert_eq!(describe(b"\x00\xff"), "00ff");
    }
}
