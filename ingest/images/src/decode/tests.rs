use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use corpus::Id;
use corpus::crash::Crashes;
use image::{GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

use super::source::EXIF_PREFIX;
use super::*;

mod formats;
mod jpegs;
mod mutated;
mod peak;
mod pictures;
mod tiffs;

const PIXELS_MAX: u64 = 100_000_000;

fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    Decoder::new(PIXELS_MAX).decode(bytes)
}

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red, green over blue, white; every quarter `side` pixels wide and high.
fn quarters(side: u32) -> RgbImage {
    RgbImage::from_fn(2 * side, 2 * side, |x, y| match (x < side, y < side) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

/// Returns the letter of the colour at a place.
fn colour(pixels: &Pixels, x: u32, y: u32) -> char {
    let offset = 3 * (y * pixels.width() + x) as usize;
    match pixels.rgb()[offset..offset + 3] {
        [200..=255, 200..=255, 200..=255] => 'w',
        [200..=255, 0..=60, 0..=60] => 'r',
        [0..=60, 200..=255, 0..=60] => 'g',
        [0..=60, 0..=60, 200..=255] => 'b',
        _ => '?',
    }
}

#[test]
fn every_format_gives_its_pixels() {
    for (format, extension) in [
        (ImageFormat::Png, "png"),
        (ImageFormat::Gif, "gif"),
        (ImageFormat::WebP, "webp"),
        (ImageFormat::Bmp, "bmp"),
        (ImageFormat::Tiff, "tiff"),
        (ImageFormat::Jpeg, "jpg"),
        (ImageFormat::Pnm, "pnm"),
    ] {
        let decoded = decode(&encode(quarters(16), format)).unwrap();
        let pixels = decoded.pixels;
        assert_eq!(decoded.extension, extension);
        assert_eq!((pixels.width(), pixels.height()), (32, 32));
        let found: String =
            [(4, 4), (28, 4), (4, 28), (28, 28)].map(|(x, y)| colour(&pixels, x, y)).iter().collect();
        assert_eq!(found, "rgbw", "{extension}");
    }
}

#[test]
fn every_kind_of_pixel_becomes_rgb() {
    let first = |bytes: Vec<u8>| decode(&bytes).unwrap().pixels.rgb()[..3].to_vec();
    let png = ImageFormat::Png;
    let grey = ImageBuffer::from_pixel(3, 2, Luma([77_u8]));
    assert_eq!(first(encode(grey, png)), [77; 3]);
    let grey16 = ImageBuffer::from_pixel(3, 2, Luma([0x80FF_u16]));
    assert_eq!(first(encode(grey16, png)), [128; 3]);
    let rgb16 = ImageBuffer::from_pixel(3, 2, Rgb([0xFFFF_u16, 0, 0x1010]));
    assert_eq!(first(encode(rgb16, png)), [255, 0, 16]);
    let half = GrayAlphaImage::from_pixel(3, 2, LumaA([0, 51]));
    assert_eq!(first(encode(half, png)), [204; 3]);
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let clear = RgbaImage::from_pixel(3, 2, Rgba([9, 9, 9, 0]));
        assert_eq!(first(encode(clear, format)), [255; 3], "{format:?}");
    }
}

/// Returns an interlaced PNG of 8-bit RGB (Adam7), its pixels stored without compression.
fn interlaced(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    const PASSES: [[usize; 4]; 7] =
        [[0, 8, 0, 8], [4, 8, 0, 8], [0, 4, 4, 8], [2, 4, 0, 4], [0, 2, 2, 4], [1, 2, 0, 2], [0, 1, 1, 2]];
    let mut rows = Vec::new();
    for [left, across, top, down] in PASSES {
        for y in (top as u32..height).step_by(down) {
            let pixels: Vec<u8> = (left as u32..width).step_by(across).flat_map(|x| pixel(x, y)).collect();
            if !pixels.is_empty() {
                rows.extend([&[0], &pixels[..]].concat());
            }
        }
    }
    let length = rows.len() as u16;
    let adler = rows.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    let adler = ((adler.1 << 16) | adler.0).to_be_bytes();
    let data = [&[0x78, 1, 1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), &rows, &adler].concat();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 1]].concat();
    let chunk = |name: &[u8], data: &[u8]| {
        let named = [name, data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
    };
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &data), chunk(b"IEND", b"")].concat();
    [b"\x89PNG\r\n\x1A\n", &chunks[..]].concat()
}

#[test]
fn an_interlaced_png_has_its_pixels_where_they_belong() {
    for (width, height) in [(1, 1), (5, 3), (9, 17), (33, 20)] {
        let pixel = |x: u32, y: u32| [x as u8, y as u8, 7];
        let decoded = decode(&interlaced(width, height, pixel)).unwrap().pixels;
        let expected: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        assert_eq!(decoded, Pixels::new(width, height, expected).unwrap());
    }
}

proptest! {
    #[test]
    fn samples_become_what_the_image_library_makes_of_them(
        bytes in prop::collection::vec(any::<u8>(), 16 * 12), floats in prop::collection::vec(-0.5..1.5_f32, 4 * 12),
    ) {
        let words: Vec<u16> = bytes.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect();
        let (by, with) = (|channels: usize| bytes[..channels * 12].to_vec(), |channels: usize| words[..channels * 12].to_vec());
        let of = |channels: usize| floats[..channels * 12].to_vec();
        let images = [
            DynamicImage::from(ImageBuffer::<Luma<u8>, _>::from_raw(4, 3, by(1)).unwrap()),
            ImageBuffer::<LumaA<u8>, _>::from_raw(4, 3, by(2)).unwrap().into(),
            ImageBuffer::<Rgb<u8>, _>::from_raw(4, 3, by(3)).unwrap().into(),
            ImageBuffer::<Rgba<u8>, _>::from_raw(4, 3, by(4)).unwrap().into(),
            ImageBuffer::<Luma<u16>, _>::from_raw(4, 3, with(1)).unwrap().into(),
            ImageBuffer::<LumaA<u16>, _>::from_raw(4, 3, with(2)).unwrap().into(),
            ImageBuffer::<Rgb<u16>, _>::from_raw(4, 3, with(3)).unwrap().into(),
            ImageBuffer::<Rgba<u16>, _>::from_raw(4, 3, with(4)).unwrap().into(),
            ImageBuffer::<Rgb<f32>, _>::from_raw(4, 3, of(3)).unwrap().into(),
            ImageBuffer::<Rgba<f32>, _>::from_raw(4, 3, of(4)).unwrap().into(),
        ];
        for image in images {
            let mut samples = image.as_bytes().to_vec();
            samples.resize(samples.len().max(3 * 12), 0);
            let found = samples::into_rgb(samples, image.color(), 12).unwrap();
            let expected: Vec<u8> = match image.color().has_alpha() {
                true => image.into_rgba8().pixels().flat_map(|pixel| super::super::pixels::on_white(pixel.0)).collect(),
                false => image.into_rgb8().into_raw(),
            };
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn the_first_frame_of_an_animation_is_taken() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(8, 8, Rgba(colour)))).unwrap();
    }
    drop(encoder);
    assert_eq!(colour(&decode(&bytes).unwrap().pixels, 4, 4), 'r');
}

/// Returns EXIF metadata that says nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    [&entry[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat()
}

/// Puts an EXIF segment with an orientation behind the start of a JPEG.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [EXIF_PREFIX, &exif(orientation)].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn the_orientation_of_a_png_is_applied_with_and_without_the_prefix_of_jpeg() {
    let png = encode(quarters(16), ImageFormat::Png);
    for prefix in [&b""[..], EXIF_PREFIX] {
        let chunk = [b"eXIf", prefix, &exif(6)].concat();
        let (length, crc) = ((chunk.len() as u32 - 4).to_be_bytes(), crc32(&chunk).to_be_bytes());
        // The header's chunk ends at byte 33.
        let turned = [&png[..33], &length, &chunk, &crc, &png[33..]].concat();
        assert_eq!(colour(&decode(&turned).unwrap().pixels, 4, 4), 'b', "{prefix:?}");
    }
}

#[test]
fn the_exif_orientation_is_applied() {
    let jpeg = encode(quarters(16), ImageFormat::Jpeg);
    // Upper left and upper right corner of the upright image, by the EXIF standard's table.
    let table = ["rg", "gr", "wb", "bw", "rb", "br", "wg", "gw"];
    for (orientation, expected) in (1..).zip(table) {
        let pixels = decode(&with_orientation(&jpeg, orientation)).unwrap().pixels;
        let found: String = [colour(&pixels, 4, 4), colour(&pixels, 28, 4)].iter().collect();
        assert_eq!(found, expected, "orientation {orientation}");
    }
    assert!(decode(&with_orientation(&jpeg, 99)).is_ok());
}

#[test]
fn the_sizes_of_an_image_are_those_of_its_upright_pixels_for_every_orientation() {
    // Left half red, right half green: which corners are which tells the turn.
    let wide = |scale: u32| {
        let colour = |x| if x < 20 * scale { Rgb([255, 0, 0]) } else { Rgb([0, 255, 0]) };
        encode(RgbImage::from_fn(40 * scale, 20 * scale, |x, _| colour(x)), ImageFormat::Jpeg)
    };
    let corners = ["rg", "gr", "gr", "rg", "rr", "rr", "gg", "gg"];
    for (orientation, corners) in (1..).zip(corners) {
        let upright = if orientation < 5 { (40, 20) } else { (20, 40) };
        let jpeg = with_orientation(&wide(1), orientation);
        let asked = std::cell::Cell::new((0, 0));
        let decoded = Decoder::new(PIXELS_MAX)
            .decode_towards(&jpeg, |width, height| {
                asked.set((width, height));
                (width, height)
            })
            .unwrap();
        assert_eq!(asked.get(), upright, "asked for a size, orientation {orientation}");
        assert_eq!((decoded.width, decoded.height), upright, "orientation {orientation}");
        let pixels = decoded.pixels;
        assert_eq!((pixels.width(), pixels.height()), upright, "orientation {orientation}");
        let right = upright.0 - 2;
        let found: String = [colour(&pixels, 2, 2), colour(&pixels, right, 2)].iter().collect();
        assert_eq!(found, corners, "orientation {orientation}");

        let large = with_orientation(&wide(20), orientation);
        let shrunk =
            Decoder::new(PIXELS_MAX).decode_towards(&large, |width, height| (width / 20, height / 20));
        let shrunk = shrunk.unwrap();
        assert_eq!((shrunk.width, shrunk.height), (upright.0 * 20, upright.1 * 20));
        let (width, height) = (shrunk.pixels.width(), shrunk.pixels.height());
        assert_eq!(width * upright.1, height * upright.0, "the shape, orientation {orientation}");

        let config = Config { side_pixels: 10, ..Config::default() };
        let stored = crate::store(&large.into(), &config).unwrap();
        assert_eq!((stored.original_width, stored.original_height), (upright.0 * 20, upright.1 * 20));
        assert_eq!((stored.width, stored.height), (upright.0 / 2, upright.1 / 2));
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn bombs_are_refused_by_their_headers() {
    let mut png = encode(quarters(1), ImageFormat::Png);
    png[16..20].copy_from_slice(&65_500_u32.to_be_bytes());
    png[20..24].copy_from_slice(&65_500_u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut gif = encode(quarters(1), ImageFormat::Gif);
    gif[6..10].fill(0xFF);
    let mut jpeg = encode(quarters(8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xFF);
    let mut bmp = encode(quarters(1), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    for (name, bytes) in [("png", png), ("gif", gif), ("jpeg", jpeg), ("bmp", bmp)] {
        assert_eq!(decode(&bytes).unwrap_err().reason(), "pixels_too_many", "{name}");
    }
}

#[test]
fn scans_that_would_take_minutes_are_refused() {
    let jpeg = encode(quarters(8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    let scan = jpeg.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    let repeated = |count: usize, sides: [u8; 4]| {
        let mut bytes = [&jpeg[..scan], &jpeg[scan..jpeg.len() - 2].repeat(count), b"\xFF\xD9"].concat();
        bytes[frame + 5..frame + 9].copy_from_slice(&sides);
        decode(&bytes).map_err(|fault| fault.to_string())
    };
    let sides = [0x27, 0x10, 0x27, 0x10];
    assert_eq!(repeated(21, sides).unwrap_err(), "too many scans: 21 of 10000x10000 pixels");
    assert!(!repeated(20, sides).is_err_and(|fault| fault.starts_with("too many")));
}

#[test]
fn the_bound_is_on_pixels_exactly() {
    let png = encode(RgbImage::new(20, 50), ImageFormat::Png);
    assert!(Decoder::new(1_000).decode(&png).is_ok());
    assert_eq!(Decoder::new(999).decode(&png).unwrap_err(), Fault::too_many(20, 50));
}

#[test]
fn a_cut_file_is_broken_in_every_format() {
    let noise = RgbImage::from_fn(64, 64, |x, y| {
        let hash = (x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761);
        Rgb([(hash >> 8) as u8, (hash >> 16) as u8, (hash >> 24) as u8])
    });
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Jpeg]
    {
        let whole = encode(noise.clone(), format);
        let fault = decode(&whole[..whole.len() / 2]).unwrap_err();
        assert_eq!(fault.reason(), "image_broken", "{format:?}");
    }
}

#[test]
fn what_is_no_image_says_how_it_begins() {
    for bytes in [&b""[..], b"<!doctype html>", b"<html><svg>", b"\xFF", b"GIF", b"RIFF\0\0\0\0WAVE"] {
        assert_eq!(decode(bytes).unwrap_err().reason(), "not_an_image", "{bytes:?}");
    }
    let fault = decode(b"<!doctype html>").unwrap_err();
    assert_eq!(fault.to_string(), "not an image: begins with 3c21646f63747970652068746d6c3e");
    for bytes in [&b"\0\0\0\x2Cftypavis\0\0\0\0"[..], b"\0\0\0\x18ftypheic", b"\xFF\x0A..", b"\0\0\0\x0CJXL "]
    {
        assert_eq!(decode(bytes).unwrap_err().reason(), "format_unsupported", "{bytes:?}");
    }
    let fault = decode(b"\0\0\0\x1Cftypavif\0\0\0\0").unwrap_err();
    assert_eq!(
        (fault.reason(), fault.to_string()),
        ("format_unsupported", "image/avif is not read".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_files_end_as_an_image_or_a_fault(
        format in 0..8_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let formats = [
            ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP,
            ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::Jpeg,
            ImageFormat::Ico, ImageFormat::Pnm,
        ];
        let mut bytes = encode(quarters(9), formats[format]);
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate(end.index(2 * bytes.len()) + 1);
        if let Ok(decoded) = Decoder::new(1 << 20).decode(&bytes) {
            let pixels = decoded.pixels;
            prop_assert!(u64::from(pixels.width()) * u64::from(pixels.height()) <= 1 << 20);
        }
    }
}

/// Real files with every oddity of the formats, where the folder is there.
#[test]
fn real_files_end_as_an_image_or_a_fault() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/open/image");
    let Ok(files) = std::fs::read_dir(&folder) else {
        // Past the capture of the test's output, which is shown for failures alone.
        writeln!(std::io::stderr(), "skipped: no folder {}", folder.display()).unwrap();
        return;
    };
    let (config, crashes) = (Config::default(), Crashes::default());
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap().into();
        let end = match crashes.guard(Id::from_bits(0), || crate::store(&bytes, &config)) {
            Ok(Ok(_)) => "kept",
            Ok(Err(fault)) => fault.reason(),
            Err(fatal) => panic!("{}: {}", file.display(), fatal.reason()),
        };
        *ends.entry(end).or_default() += 1;
    }
    eprintln!("{ends:?}");
    assert!(ends.get("kept").is_some_and(|kept| *kept > 0));
}
