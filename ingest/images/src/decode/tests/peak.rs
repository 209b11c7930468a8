//! For tests: what images really hold in memory, measured in processes of their own, against what their
//! headers made of it.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use image::codecs::gif::GifEncoder;
use image::codecs::tiff::TiffEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::*;
use crate::{Format, Mode, Preprocess, store};

/// What a child is to store, and how; the variable of its environment.
const TASK: &str = "IMAGE_TASK_OF_TEST";
/// Bytes a process takes beside images: its code, stacks, and what the allocator keeps.
const PROCESS_BYTES: u64 = 24 << 20;
const SIDE: u32 = 3_000;

/// A picture whose bytes are few: rows of one colour.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |_, y| image::Rgb([(y / 64) as u8, 100, 200]))
}

/// A picture that hardly anything compresses.
fn noise(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let hash = (x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761);
        image::Rgb([(hash >> 8) as u8, (hash >> 16) as u8, (hash >> 24) as u8])
    })
}

fn is_child(name: &str) -> bool {
    std::env::var(TASK).is_ok_and(|task| task == name)
}

/// Returns the most memory that a child held which ran a test of this module, in bytes, and what it said.
fn child(test: &str, file: &Path, config: &Config, copies: u32) -> (u64, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("decode::tests::peak::{test}"), "--nocapture"])
        .env(TASK, test)
        .env("IMAGE_FILE_OF_TEST", file)
        .env("IMAGE_CONFIG_OF_TEST", serde_json::to_string(config).unwrap())
        .env("IMAGE_COPIES_OF_TEST", copies.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said}", file.display());
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap_or_else(|| panic!("{said}"));
    (peak.parse().unwrap(), said)
}

/// Does nothing unless it is run as a child: stores a file in as many threads as are asked for, and says the
/// peak of its memory and how each ended.
#[test]
fn stores_copies() {
    if !is_child("stores_copies") {
        return;
    }
    let of = |name: &str| std::env::var(name).unwrap();
    let file = Bytes::from(std::fs::read(of("IMAGE_FILE_OF_TEST")).unwrap());
    let config: Config = serde_json::from_str(&of("IMAGE_CONFIG_OF_TEST")).unwrap();
    let copies: u32 = of("IMAGE_COPIES_OF_TEST").parse().unwrap();
    let before = status("VmRSS");
    std::thread::scope(|scope| {
        for _ in 0..copies {
            scope.spawn(|| match store(&file, &config) {
                Ok(stored) => eprintln!("stored {}", corpus::digest::Digest::of(&stored.bytes).as_str()),
                Err(fault) => eprintln!("fault {fault}"),
            });
        }
    });
    eprintln!("peak {}", status("VmHWM") - before);
}

/// Returns a number of this process's status in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().unwrap() << 10
}

/// Returns what the headers of a file make of its memory: the bound at which it is refused no more.
fn estimated(file: &[u8], config: &Config) -> u64 {
    let refused = Config { decoded_bytes_max: 0, ..config.clone() };
    match store(&Bytes::copy_from_slice(file), &refused).unwrap_err() {
        Fault::TooManyBytes { detail } => detail.rsplit(' ').next().unwrap().parse().unwrap(),
        fault => panic!("{fault}"),
    }
}

/// Returns a progressive JPEG with colour at the full resolution.
fn progressive(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    encoder.set_progressive(true);
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder.encode(image.as_bytes(), width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Returns a JPEG of one scan per component with colour at half the resolution.
fn scans_of_one(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder.set_optimized_huffman_tables(true);
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder.encode(image.as_bytes(), width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Puts a segment of Adobe's that is too short behind the start of a JPEG, which makes it odd.
fn with_cut_segment(jpeg: &[u8]) -> Vec<u8> {
    [&jpeg[..2], b"\xFF\xEE\0\x07Adobe", &jpeg[2..]].concat()
}

/// Files of every format whose pixels take the most.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let rgb = DynamicImage::from(picture(SIDE, SIDE));
    let gif = |left: bool| {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder.encode_frame(image::Frame::new(rgb.to_rgba8())).unwrap();
        drop(encoder);
        if left {
            // The frame begins right of the canvas's edge.
            let frame = bytes.windows(5).position(|window| window == [0x2C, 0, 0, 0, 0]).unwrap();
            bytes[frame + 1] = 1;
        }
        bytes
    };
    let tiff = |image: &DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_with_encoder(TiffEncoder::new(&mut bytes)).unwrap();
        bytes.into_inner()
    };
    let lossy =
        Format::Webp { quality: 80 }.encode(&Pixels::new(SIDE, SIDE, rgb.to_rgb8().into_raw()).unwrap());
    let lossless = |image: &DynamicImage, colour: ExtendedColorType| {
        let mut bytes = Vec::new();
        let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
        encoder.write_image(image.as_bytes(), SIDE, SIDE, colour).unwrap();
        bytes
    };
    let rgba = DynamicImage::from(rgb.to_rgba8());
    vec![
        ("png 8-bit RGB", encode(rgb.clone(), ImageFormat::Png)),
        ("png 16-bit RGBA", encode(rgb.to_rgba16(), ImageFormat::Png)),
        ("png 8-bit grey", encode(rgb.to_luma8(), ImageFormat::Png)),
        ("gif", gif(false)),
        ("gif with a frame aside", gif(true)),
        ("bmp", encode(rgb.clone(), ImageFormat::Bmp)),
        ("pnm", encode(rgb.clone(), ImageFormat::Pnm)),
        ("jpeg", encode(rgb.clone(), ImageFormat::Jpeg)),
        ("jpeg progressive", progressive(&rgb)),
        ("jpeg of scans of one", scans_of_one(&rgb)),
        ("jpeg odd and progressive", with_cut_segment(&progressive(&rgb))),
        ("tiff 8-bit RGB", tiff(&rgb)),
        ("tiff 16-bit RGBA", tiff(&DynamicImage::from(rgb.to_rgba16()))),
        ("tiff float RGBA", tiff(&DynamicImage::from(rgb.to_rgba32f()))),
        ("webp lossy", lossy.unwrap()),
        ("webp lossless", lossless(&rgb, ExtendedColorType::Rgb8)),
        ("webp lossless with alpha", lossless(&rgba, ExtendedColorType::Rgba8)),
    ]
}

/// Stores a file in a child, and holds its memory against what the headers made of it.
fn check(folder: &Path, name: &str, bytes: &[u8], config: &Config) {
    let file = folder.join("file");
    std::fs::write(&file, bytes).unwrap();
    let (peak, said) = child("stores_copies", &file, config, 1);
    let estimate = estimated(bytes, config);
    let ratio = estimate as f64 / peak as f64;
    writeln!(std::io::stderr(), "{name}: {peak} of {estimate}, {ratio:.2}").unwrap();
    assert!(said.contains("stored "), "{name}: {said}");
    assert!(peak <= estimate + PROCESS_BYTES, "{name}: {peak}, estimated {estimate}");
}

#[test]
fn no_format_holds_more_than_its_headers_say() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files() {
        for mode in [Mode::KeepRatio, Mode::Original] {
            check(folder.path(), &format!("{name} {mode:?}"), &bytes, &Config { mode, ..Config::default() });
        }
    }
}

/// Writes bits, the lowest of a byte first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u64, count: u32) -> &mut Self {
        self.0.extend((0..count).map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A code of one symbol.
    fn single(&mut self, symbol: u64) -> &mut Self {
        self.put(1, 1).put(0, 1).put(1, 1).put(symbol, 8)
    }

    /// A code of 256 symbols of eight bits each, of which `symbol_count` could be there.
    fn whole(&mut self, symbol_count: u32) -> &mut Self {
        // Twelve lengths of codes for lengths, of which the last one is that of eight bits.
        self.put(0, 1).put(12 - 4, 4).put(0, 3 * 11).put(1, 3);
        if symbol_count == 256 { self.put(0, 1) } else { self.put(1, 1).put(3, 3).put(254, 8) }
    }
}

/// A WebP of one pixel and 65,536 groups of codes.
fn tables() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2F, 8).put(0, 14).put(0, 14).put(0, 4);
    // No transforms, no recent colours, groups of codes by blocks; the one block's group is the last.
    bits.put(0, 1).put(0, 1).put(1, 1).put(0, 3);
    bits.put(0, 1).single(255).single(255).single(0).single(255).single(0);
    for _ in 0..1 << 16 {
        bits.whole(280).whole(256).whole(256).whole(256).single(0);
    }
    bits.put(0, 64);
    let stream: Vec<u8> = bits
        .0
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let stream = if stream.len().is_multiple_of(2) { stream } else { [&stream[..], &[0]].concat() };
    let (length, whole) = ((stream.len() as u32).to_le_bytes(), (stream.len() as u32 + 12).to_le_bytes());
    [b"RIFF", &whole[..], b"WEBPVP8L", &length, &stream].concat()
}

#[test]
fn tables_that_no_header_states_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = tables();
    assert!(bytes.len() < 2_000_000, "{}", bytes.len());
    check(folder.path(), "webp of tables", &bytes, &Config::default());
}

#[test]
fn no_way_of_resizing_or_encoding_holds_more_than_the_size_says() {
    let folder = tempfile::tempdir().unwrap();
    let thin = encode(noise(256, 30_000), ImageFormat::Png);
    let thin_webp = encode(noise(500, 16_000), ImageFormat::Png);
    for format in
        [Format::Jpeg { quality: 100 }, Format::Webp { quality: 100 }, Format::WebpLossless, Format::Png]
    {
        let (file, side_pixels) = match format {
            Format::Webp { .. } | Format::WebpLossless => (&thin_webp, 500),
            _ => (&thin, 256),
        };
        check(
            folder.path(),
            &format!("{format:?}"),
            file,
            &Config { format, side_pixels, ..Config::default() },
        );
    }
    let large = encode(picture(SIDE, SIDE), ImageFormat::Png);
    for preprocess in [Preprocess::Fast, Preprocess::PilExact] {
        for (mode, side_pixels) in [(Mode::Border, 2_000), (Mode::CenterCrop, 4_000), (Mode::KeepRatio, 256)]
        {
            let config = Config { preprocess, mode, side_pixels, only_shrink: false, ..Config::default() };
            check(folder.path(), &format!("{preprocess:?} {mode:?} {side_pixels}"), &large, &config);
        }
        // Every column has weights.
        let line = encode(picture(3_000_000, 1), ImageFormat::Png);
        let config = Config { preprocess, mode: Mode::Border, ..Config::default() };
        check(folder.path(), &format!("{preprocess:?} line"), &line, &config);
    }
}

#[test]
fn any_number_of_workers_stays_within_the_budget_and_stores_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.png");
    std::fs::write(&file, encode(DynamicImage::from(picture(SIDE, SIDE)).to_rgba16(), ImageFormat::Png))
        .unwrap();
    // Two of them fit.
    let config = Config { decoded_bytes_max: 1 << 26, decode_memory_mb: 64, ..Config::default() };
    let ends =
        |said: &str| said.lines().filter(|line| line.starts_with("stored ")).map(str::to_owned).collect();
    let (one_peak, said) = child("stores_copies", &file, &config, 1);
    let one: Vec<String> = ends(&said);
    let (peak, said) = child("stores_copies", &file, &config, 8);
    let eight: Vec<String> = ends(&said);
    assert_eq!((one.len(), eight.len()), (1, 8));
    assert!(eight.iter().all(|end| *end == one[0]), "{said}");
    writeln!(std::io::stderr(), "eight workers in 64 MB: {peak}, one: {one_peak}").unwrap();
    assert!(peak > one_peak, "two at a time");
    assert!(peak <= (64 << 20) + PROCESS_BYTES, "{peak}");
}

#[test]
fn an_image_above_the_bound_on_bytes_fails_by_name_before_it_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let (_, bytes) = files().into_iter().find(|(name, _)| *name == "tiff float RGBA").unwrap();
    let file = folder.path().join("file.tiff");
    std::fs::write(&file, &bytes).unwrap();
    let config = Config { decoded_bytes_max: 1 << 26, decode_memory_mb: 64, ..Config::default() };
    let fault = store(&Bytes::from(bytes), &config).unwrap_err();
    assert_eq!(fault.reason(), "decoded_bytes_too_many");
    assert!(fault.to_string().contains("3000x3000 as tiff takes "), "{fault}");
    let (peak, _) = child("stores_copies", &file, &config, 8);
    // The file itself, of 16 bytes a pixel, was read.
    assert!(peak <= 16 * pixels((SIDE, SIDE)) + PROCESS_BYTES, "{peak}");
}

#[test]
fn a_header_that_lies_costs_nothing_of_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let large = DynamicImage::from(picture(10_000, 10_000));
    for (format, reason) in [(ImageFormat::Png, "broken png"), (ImageFormat::Bmp, "broken bmp")] {
        let whole = encode(large.clone(), format);
        let file = folder.path().join("file");
        std::fs::write(&file, &whole[..2_000.min(whole.len())]).unwrap();
        let (peak, said) = child("stores_copies", &file, &Config::default(), 4);
        assert_eq!(said.matches(&format!("fault {reason}")).count(), 4, "{said}");
        assert!(peak <= PROCESS_BYTES, "{format:?}: {peak}");
    }
}
