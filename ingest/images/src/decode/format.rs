//! Formats, told by the first bytes of a file: what is read, and the names of what is not.

use corpus::digest::hexadecimal;
use image::ImageFormat;

use super::super::Fault;

/// First bytes of a file that is no image, shown in reports.
const BEGINNING_BYTES: usize = 16;
/// Bytes of a text in which the root of an SVG is looked for.
const TEXT_BYTES: usize = 4096;
/// Bytes of a header of TGA or PCX.
const HEADER_BYTES: usize = 18;
/// How TIFF files of more than 4 GiB may begin, which others may as well.
const BIG_TIFF: [&[u8]; 2] = [b"II\x2B\0", b"MM\0\x2B"];
/// How formats begin that are not read, and their media types. Of two that fit, the first one names the file.
const UNREAD: [(&[u8], &str); 32] = [
    (b"\xFF\x0A", "image/jxl"),
    (b"\0\0\0\x0CJXL ", "image/jxl"),
    (b"\0\0\0\x0CjP  ", "image/jp2"),
    (b"\xFF\x4F\xFF\x51", "image/jp2"),
    (b"II\xBC", "image/jxr"),
    (b"qoif", "image/qoi"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"%!PS", "application/postscript"),
    (b"\xC5\xD0\xD3\xC6", "application/postscript"),
    (b"%PDF", "application/pdf"),
    (b"BPG\xFB", "image/bpg"),
    (b"FLIF", "image/flif"),
    (b"DDS ", "image/vnd.ms-dds"),
    (b"v/1\x01", "image/x-exr"),
    (b"#?RADIANCE", "image/vnd.radiance"),
    (b"#?RGBE", "image/vnd.radiance"),
    (b"farbfeld", "image/x-farbfeld"),
    (b"gimp xcf", "image/x-xcf"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"icns", "image/icns"),
    (b"\0\0\x02\0", "image/x-win-bitmap"),
    (b"\x8AMNG", "video/x-mng"),
    (b"\x8BJNG", "image/x-jng"),
    (b"\xD7\xCD\xC6\x9A", "image/wmf"),
    (b"\x01\0\0\0\x6C\0\0\0", "image/emf"),
    (b"\x01\xDA\0", "image/sgi"),
    (b"\x01\xDA\x01", "image/sgi"),
    (b"\x59\xA6\x6A\x95", "image/x-sun-raster"),
    (b"SIMPLE  =", "image/fits"),
    (b"/* XPM */", "image/x-xpixmap"),
    (b"PF\n", "image/x-portable-floatmap"),
    (b"Pf\n", "image/x-portable-floatmap"),
];
/// Brands of files of boxes (ISO 14496-12).
const BRANDS: [(&[u8], &str); 12] = [
    (b"avif", "image/avif"),
    (b"avis", "image/avif"),
    (b"heic", "image/heic"),
    (b"heix", "image/heic"),
    (b"heim", "image/heic"),
    (b"heis", "image/heic"),
    (b"hevc", "image/heic"),
    (b"hevx", "image/heic"),
    (b"mif1", "image/heif"),
    (b"msf1", "image/heif"),
    (b"jxl ", "image/jxl"),
    (b"jp2 ", "image/jp2"),
];

/// Tells the format of a file that is read, and the extension of its file names.
///
/// # Errors
/// A [`Fault`] that names a format that is not read, or says how a file begins that is no image.
pub(super) fn sniff(file: &[u8]) -> Result<(ImageFormat, &'static str), Fault> {
    let beginning = &file[..file.len().min(BEGINNING_BYTES)];
    let is_big_tiff = BIG_TIFF.iter().any(|known| file.starts_with(known));
    let format = if is_big_tiff { Some(ImageFormat::Tiff) } else { image::guess_format(file).ok() };
    let format = format.and_then(|format| extension(format).map(|extension| (format, extension)));
    match (unread(file), format) {
        (Some(format), _) => Err(Fault::Unsupported { format: format.to_owned() }),
        (None, Some(found)) => Ok(found),
        (None, None) => Err(Fault::NotAnImage { beginning: hexadecimal(beginning) }),
    }
}

/// Returns the extension of file names of a format that is read.
fn extension(format: ImageFormat) -> Option<&'static str> {
    Some(match format {
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Png => "png",
        ImageFormat::Gif => "gif",
        ImageFormat::WebP => "webp",
        ImageFormat::Bmp => "bmp",
        ImageFormat::Tiff => "tiff",
        ImageFormat::Ico => "ico",
        ImageFormat::Pnm => "pnm",
        _ => return None,
    })
}

fn unread(file: &[u8]) -> Option<&'static str> {
    // Before cursors of Windows, which begin like one kind of it.
    if is_tga(file) {
        return Some("image/x-tga");
    }
    if let Some((_, name)) = UNREAD.iter().find(|(beginning, _)| file.starts_with(beginning)) {
        return Some(name);
    }
    if let Some(brand) = file.get(4..).and_then(|rest| rest.strip_prefix(b"ftyp")) {
        return BRANDS.iter().find(|(known, _)| brand.starts_with(known)).map(|(_, name)| *name);
    }
    if is_svg(file) {
        return Some("image/svg+xml");
    }
    is_pcx(file).then_some("image/x-pcx")
}

/// Whether a text is XML whose root is an SVG, behind declarations and comments.
fn is_svg(file: &[u8]) -> bool {
    let text = &file[..file.len().min(TEXT_BYTES)];
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = match rest {
            [b'<', b's', b'v', b'g', next, ..] => return next.is_ascii_whitespace() || *next == b'>',
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', b'D', ..] if !rest.starts_with(b"<!DOCTYPE svg") => return false,
            // Of a document type with its own entities, what follows them is an SVG.
            [b'<', b'!', b'D', ..] => return true,
            _ => return false,
        };
        let Some(at) = memchr::memmem::find(rest, end) else { return false };
        rest = &rest[at + end.len()..];
    }
}

/// Whether all fields of a header are those of a PCX.
fn is_pcx(file: &[u8]) -> bool {
    let Some([0x0A, version, 1, bits, corners @ ..]) = file.get(..HEADER_BYTES) else { return false };
    let corner = |at: usize| u16::from_le_bytes([corners[at], corners[at + 1]]);
    matches!(version, 0 | 2..=5)
        && matches!(bits, 1 | 2 | 4 | 8)
        && corner(0) <= corner(4)
        && corner(2) <= corner(6)
}

/// Whether all fields of a header are those of a TGA, which has no signature there: kinds of colours and of
/// their compression, bits of a pixel that go with them, no unknown flags.
fn is_tga(file: &[u8]) -> bool {
    let Some(header) = file.get(..HEADER_BYTES) else { return false };
    let (has_palette, kind, palette_bits) = (header[1], header[2], header[7]);
    let side = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let is_kind = match (kind, has_palette, header[16]) {
        (1 | 9, 1, 8 | 16) => matches!(palette_bits, 15 | 16 | 24 | 32),
        (2 | 10, 0, 15 | 16 | 24 | 32) | (3 | 11, 0, 8 | 16) => header[3..7] == [0; 4],
        _ => false,
    };
    is_kind && side(12) > 0 && side(14) > 0 && header[17] & 0xC0 == 0
}
