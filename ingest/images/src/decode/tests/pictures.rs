//! TIFF and ICO of kinds that the libraries do not read as they are, with the pixels that Pillow makes of them.

use serde::Deserialize;

use super::*;

/// Levels by which an opacity may be rounded otherwise.
const ROUNDED_MAX: u8 = 1;

/// A file and its pixels in `tests/golden/pictures.bin`.
#[derive(Deserialize)]
struct Case {
    name: String,
    bytes: usize,
    width: u32,
    height: u32,
}

/// Returns each file with its name and Pillow's pixels.
pub(super) fn cases() -> Vec<(String, Vec<u8>, Pixels)> {
    let golden =
        |name: &str| std::fs::read(format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR")));
    let cases: Vec<Case> = serde_json::from_slice(&golden("pictures.json").unwrap()).unwrap();
    let all = golden("pictures.bin").unwrap();
    let mut rest = &all[..];
    let case = |Case { name, bytes, width, height }: Case| {
        let (file, behind) = rest.split_at(bytes);
        let (rgb, behind) = behind.split_at((width * height * 3) as usize);
        rest = behind;
        (name, file.to_vec(), Pixels::new(width, height, rgb.to_vec()).unwrap())
    };
    cases.into_iter().map(case).collect()
}

#[test]
fn tiles_planes_and_masks_are_those_of_pillow() {
    for (name, file, expected) in cases() {
        let pixels = decode(&file).unwrap_or_else(|fault| panic!("{name}: {fault}")).pixels;
        assert_eq!((pixels.width(), pixels.height()), (expected.width(), expected.height()), "{name}");
        let difference = pixels.rgb().iter().zip(expected.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(ROUNDED_MAX), "{name}: {difference:?}");
    }
}
