//! Small parts for tests, written as stages write them.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bytes::Bytes;
use corpus::Id;
use corpus::record::{Document, EncodedImage, Image, Use};
use corpus::table::{Record, Writer};

pub(crate) fn write<R: Record>(path: &Path, rows: Vec<R>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = Writer::create(path).unwrap();
    rows.into_iter().for_each(|row| writer.push(row).unwrap());
    writer.finish().unwrap();
}

/// Writes documents with ids 0 to `count`, texts of as many bytes, two sources, and a URL each
/// third time.
pub(crate) fn documents(path: &Path, count: u64) {
    let document = |n: u64| Document {
        key: None,
        id: Id::from_bits(n),
        source: if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        url: n.is_multiple_of(3).then(|| format!("https://a.example/{n}")),
        date: None,
        language: Some("eng".to_owned()),
        text: "x".repeat(n as usize),
        split: None,
    };
    write(path, (0..count).map(document).collect());
}

/// The smallest PNG head: a signature and the size 64 x 48.
pub(crate) const PNG_HEAD: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x30\x08\x02\0\0\0\x2e\x29\xeb\x48\0\0\0\0IDAT";

/// Writes two images: a PNG with one use, and bytes that are no image.
pub(crate) fn images(path: &Path) {
    let image = |n: u64, bytes: &'static [u8]| Image {
        id: Id::from_bits(n),
        key: [n as u8; 16],
        url: format!("https://a.example/{n}.png"),
        image: EncodedImage { bytes: Bytes::from_static(bytes), path: Some(format!("{n}.png")) },
        width: 64,
        height: 48,
        original_width: 640,
        original_height: 480,
        sha256: "0".repeat(64),
        perceptual_hash: 0,
        sharpness: 0.0,
        colour_spread: 200,
        uses: (0..n).map(|slot| Use::of_slot(Id::from_bits(n), slot as u16)).collect(),
    };
    write(path, vec![image(1, PNG_HEAD), image(2, b"no image, just some bytes that say so")]);
}
