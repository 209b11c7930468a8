//! Formats that are told and not read, and oddities of those that are.

use super::*;

#[test]
fn formats_that_are_not_read_are_told_by_their_names() {
    let tga = |kind: u8, palette: u8, bits: u8| {
        let specification = if palette == 1 { [0, 0, 1, 24] } else { [0; 4] };
        let header = [&[0, palette, kind, 0][..], &specification, &[0, 0, 0, 0, 8, 0, 8, 0, bits, 0x20]];
        [&header.concat()[..], &[0; 64]].concat()
    };
    let pcx = [&b"\x0A\x05\x01\x08\0\0\0\0\x2F\0\x27\0\x64\0\x64\0"[..], &[0; 128]].concat();
    let files: [(&[u8], &str); 24] = [
        (b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "image/jp2"),
        (b"\xFF\x4F\xFF\x51\0\x2F", "image/jp2"),
        (b"\xFF\x0A\xFA", "image/jxl"),
        (b"\0\0\0\x0CJXL \r\n\x87\n", "image/jxl"),
        (b"II\xBC\x01\x20\0\0\0", "image/jxr"),
        (b"\0\0\0\x1Cftypavif\0\0\0\0", "image/avif"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"\xEF\xBB\xBF <?xml version='1.0'?>\n<!-- of a tool --> <svg>", "image/svg+xml"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'><svg>", "image/svg+xml"),
        (&tga(2, 0, 24), "image/x-tga"),
        (&tga(10, 0, 32), "image/x-tga"),
        (&tga(9, 1, 8), "image/x-tga"),
        (&tga(3, 0, 8), "image/x-tga"),
        (&pcx, "image/x-pcx"),
        (b"qoif\0\0\0\x08\0\0\0\x08\x03\0", "image/qoi"),
        (b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "application/postscript"),
        (b"\xC5\xD0\xD3\xC6\x20\0\0\0", "application/postscript"),
        (b"%PDF-1.7", "application/pdf"),
        (b"DDS |\0\0\0", "image/vnd.ms-dds"),
        (b"\0\0\x02\0\x01\0\x20\x20\0\0\x01\0\x01\0\0\0\0\0\0\0", "image/x-win-bitmap"),
        (b"Pf\n8 8\n-1.0\n", "image/x-portable-floatmap"),
        (b"v/1\x01\x02\0\0\0", "image/x-exr"),
    ];
    for (file, format) in files {
        let expected = Fault::Unsupported { format: format.to_owned() };
        assert_eq!(decode(file).unwrap_err(), expected, "{}", String::from_utf8_lossy(file));
    }
    for text in [
        &b"<?xml version='1.0'?><rss>"[..],
        b"<svgfoo>",
        b"<!DOCTYPE html><svg>",
        b"<!-- <svg> -->",
        b"<?xml",
    ] {
        assert_eq!(decode(text).unwrap_err().reason(), "not_an_image", "{}", String::from_utf8_lossy(text));
    }
}

/// Returns an icon of images, each with what its entry says of side and bits.
fn icon(images: &[(u8, u16, Vec<u8>)]) -> Vec<u8> {
    let mut file = [&[0, 0, 1, 0][..], &(images.len() as u16).to_le_bytes()].concat();
    let mut offset = 6 + 16 * images.len() as u32;
    for (side, bits, image) in images {
        let length = image.len() as u32;
        file.extend([&[*side, *side, 0, 0, 1, 0][..], &bits.to_le_bytes()].concat());
        file.extend([length.to_le_bytes(), offset.to_le_bytes()].concat());
        offset += length;
    }
    images.iter().for_each(|(_, _, image)| file.extend(image));
    file
}

/// Returns the bitmap of an icon: a header, rows from the last one on, and a mask that shows all.
fn icon_bitmap(image: &RgbImage) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let mut file = [&40_u32.to_le_bytes()[..], &width.to_le_bytes(), &(2 * height).to_le_bytes()].concat();
    file.extend([1, 0, 24, 0]);
    file.extend([0; 24]);
    for row in image.rows().rev() {
        let pixels: Vec<u8> = row.flat_map(|Rgb([red, green, blue])| [*blue, *green, *red]).collect();
        file.extend(&pixels);
        file.extend(vec![0; pixels.len().next_multiple_of(4) - pixels.len()]);
    }
    file.extend(vec![0; (width.div_ceil(32) * 4 * height) as usize]);
    file
}

#[test]
fn the_largest_image_of_an_icon_is_taken_whatever_it_is_stored_as() {
    let quarters_of = |file: &[u8]| {
        let pixels = decode(file).unwrap().pixels;
        let last = pixels.width() - 1;
        let places = [(0, 0), (last, 0), (0, last), (last, last)];
        let letters: String = places.iter().map(|(x, y)| colour(&pixels, *x, *y)).collect();
        (pixels.width(), pixels.height(), letters)
    };
    let black = encode(RgbImage::new(4, 4), ImageFormat::Png);
    let large = encode(quarters(8), ImageFormat::Png);
    let bitmap = icon_bitmap(&quarters(8));
    for file in [
        icon(&[(4, 24, black.clone()), (16, 24, large.clone())]),
        icon(&[(16, 24, large), (4, 24, black.clone())]),
        icon(&[(4, 24, black.clone()), (16, 24, bitmap.clone())]),
        icon(&[(16, 24, bitmap.clone()), (16, 8, black)]),
    ] {
        assert_eq!(quarters_of(&file), (16, 16, "rgbw".to_owned()));
    }
    let whole = icon(&[(16, 24, bitmap)]);
    for file in [&whole[..whole.len() / 2], &whole[..6], &icon(&[])] {
        assert_eq!(decode(file).unwrap_err().reason(), "image_broken", "{} bytes", file.len());
    }
}

#[test]
fn bitmaps_of_os2_have_the_pixels_of_those_of_windows() {
    let windows = encode(quarters(5), ImageFormat::Bmp);
    let (file_header, rest) = windows.split_at(14);
    let offset = u32::from_le_bytes(*file_header[10..].first_chunk().unwrap());
    let os2 = |compression: u8| {
        let offset = (offset + 24).to_le_bytes();
        let mut file =
            [&file_header[..10], &offset, &[64, 0, 0, 0], &rest[4..40], &[0; 24], &rest[40..]].concat();
        file[30] = compression;
        file
    };
    assert_eq!(decode(&os2(0)).unwrap().pixels, decode(&windows).unwrap().pixels);
    assert_eq!(decode(&os2(4)).unwrap_err().reason(), "format_unsupported");
    assert_eq!(decode(&os2(0)[..100]).unwrap_err().reason(), "image_broken");
}

#[test]
fn portable_maps_are_scaled_to_all_levels() {
    let first = |file: &[u8]| decode(file).unwrap().pixels.rgb()[..3].to_vec();
    assert_eq!(first(b"P6 1 1 255\n\x01\x02\x03"), [1, 2, 3]);
    assert_eq!(first(b"P3\n# of a tool\n1 1 100\n100 50 0"), [255, 128, 0]);
    assert_eq!(first(b"P5 1 1 65535\n\x80\x80"), [128; 3]);
    assert_eq!(first(b"P1 2 1\n1 0"), [0; 3]);
    assert_eq!(decode(b"P6 9 9 255\n\x01\x02\x03").unwrap_err().reason(), "image_broken");
}

/// Returns a GIF with a palette of red, green, blue and white, and blocks before a frame at a place; `sides` are
/// those of the screen and of the frame, whose pixels are all of the number 1.
fn gif(blocks: &[u8], screen: [u8; 2], place: [u8; 2], frame: [u8; 2]) -> Vec<u8> {
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let mut file = [&b"GIF89a"[..], &[screen[0], 0, screen[1], 0, 0x81, 0, 0], &palette, blocks].concat();
    file.extend([0x2C, place[0], 0, place[1], 0, frame[0], 0, frame[1], 0, 0]);
    // Numbers of two bits: a code that clears and the number, for each pixel, then the end; three bits each.
    let count = usize::from(frame[0]) * usize::from(frame[1]);
    let codes: Vec<u32> = std::iter::repeat_n([4, 1], count).flatten().chain([5]).collect();
    let bits: Vec<u32> = codes.iter().flat_map(|code| (0..3).map(move |bit| code >> bit & 1)).collect();
    let bytes: Vec<u8> =
        bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect();
    file.push(2);
    for block in bytes.chunks(255) {
        file.push(block.len() as u8);
        file.extend(block);
    }
    [&file[..], &[0, 0x3B]].concat()
}

/// Returns the size of a GIF and the letters of its upper left and lower right pixel.
fn corners(file: &[u8]) -> (u32, u32, String) {
    let pixels = decode(file).unwrap().pixels;
    let (width, height) = (pixels.width(), pixels.height());
    let letters = [colour(&pixels, 0, 0), colour(&pixels, width - 1, height - 1)];
    (width, height, letters.iter().collect())
}

#[test]
fn a_first_frame_of_any_place_and_size_is_shown_as_pillow_shows_it() {
    let see = |screen, place, frame| corners(&gif(b"", screen, place, frame));
    assert_eq!(see([4, 3], [0, 0], [4, 3]), (4, 3, "gg".to_owned()));
    assert_eq!(see([0, 0], [0, 0], [4, 3]), (4, 3, "gg".to_owned()), "no screen");
    assert_eq!(see([2, 2], [0, 0], [4, 3]), (4, 3, "gg".to_owned()), "a small screen");
    assert_eq!(see([2, 2], [3, 4], [2, 1]), (5, 5, "rg".to_owned()), "beside the screen");
    assert_eq!(see([6, 6], [1, 1], [2, 2]), (6, 6, "rr".to_owned()), "part of the screen");
    let control = |flags: u8, index: u8| [0x21, 0xF9, 4, flags, 0, 0, index, 0];
    let with = |blocks: &[u8]| corners(&gif(blocks, [4, 4], [2, 2], [2, 2]));
    assert_eq!(with(&control(1, 2)), (4, 4, "wg".to_owned()), "the transparent colour around it");
    assert_eq!(with(&control(1, 1)), (4, 4, "ww".to_owned()), "transparent itself");
    assert_eq!(with(&control(0, 1)), (4, 4, "rg".to_owned()));
}

#[test]
fn what_is_between_the_blocks_of_a_gif_is_passed_over() {
    let control = [0x21, 0xF9, 4, 1, 0, 0, 2, 0];
    for blocks in
        [&b"\0"[..], b"\0\0\0\0", b"\x21\xFE\0", b"\x21\x99\x03abc\0", &[&control[..], b"\0"].concat()]
    {
        let (width, height, letters) = corners(&gif(blocks, [4, 3], [0, 0], [4, 3]));
        assert_eq!((width, height, letters.as_str()), (4, 3, "gg"), "{blocks:?}");
    }
    for (blocks, frame) in
        [(&b""[..], [0, 0]), (b"", [4, 0]), (b"", [0, 3]), (b"\x3B", [4, 3]), (b"\x21\xFE\xFF", [4, 3])]
    {
        let fault = decode(&gif(blocks, [4, 3], [0, 0], frame)).unwrap_err();
        assert_eq!(fault.reason(), "image_broken", "{blocks:?} {frame:?}");
    }
}

#[test]
fn palettes_of_a_gif_that_are_missing_or_too_short_are_those_of_pillow() {
    let whole = gif(b"", [4, 3], [0, 0], [4, 3]);
    let grey = [&whole[..10], &[0], &whole[11..13], &whole[25..]].concat();
    assert_eq!(decode(&grey).unwrap().pixels.rgb()[..3], [1, 1, 1], "the number itself");
    // Of the frame's own two colours, none is of the number.
    let mut own = whole;
    own[25 + 9] = 0x80;
    own.splice(35..35, [9; 6]);
    assert_eq!(decode(&own).unwrap().pixels.rgb()[..3], [9; 3]);
}

/// Returns the places of the chunks of a PNG: of their lengths, and their names.
fn chunks(file: &[u8]) -> Vec<(usize, [u8; 4])> {
    let (mut at, mut chunks) = (8, Vec::new());
    while at < file.len() {
        chunks.push((at, *file[at + 4..].first_chunk().unwrap()));
        at += 12 + u32::from_be_bytes(*file[at..].first_chunk().unwrap()) as usize;
    }
    chunks
}

#[test]
fn wrong_checksums_of_chunks_are_no_damage_where_the_pixels_have_a_right_one() {
    let kinds: [DynamicImage; 3] = [
        quarters(9).into(),
        DynamicImage::from(quarters(9)).to_luma8().into(),
        DynamicImage::from(quarters(9)).to_rgba16().into(),
    ];
    for image in kinds {
        let whole = encode(image, ImageFormat::Png);
        let expected = decode(&whole).unwrap().pixels;
        for (at, name) in chunks(&whole) {
            let mut file = whole.clone();
            let length = u32::from_be_bytes(*file[at..].first_chunk().unwrap()) as usize;
            file[at + 8 + length] ^= 1;
            match &name {
                b"IHDR" => assert_eq!(decode(&file).unwrap_err().reason(), "image_broken"),
                _ => {
                    assert_eq!(decode(&file).unwrap().pixels, expected, "{}", String::from_utf8_lossy(&name))
                }
            }
        }
        let (data, _) = *chunks(&whole).iter().find(|(_, name)| name == b"IDAT").unwrap();
        let mut damaged = whole.clone();
        damaged[data + 20] ^= 1;
        assert_eq!(decode(&damaged).unwrap_err().reason(), "image_broken");
    }
}

#[test]
fn a_png_without_its_end_is_whole_if_all_its_rows_are_there() {
    let interlaced = interlaced(9, 9, |x, y| [x as u8, y as u8, 7]);
    for whole in [
        encode(quarters(9), ImageFormat::Png),
        encode(GrayAlphaImage::new(5, 5), ImageFormat::Png),
        interlaced,
    ] {
        let expected = decode(&whole).unwrap().pixels;
        let (end, _) = *chunks(&whole).last().unwrap();
        assert_eq!(decode(&whole[..end]).unwrap().pixels, expected);
        assert_eq!(decode(&whole[..end - 12]).unwrap_err().reason(), "image_broken", "without its last rows");
    }
}
