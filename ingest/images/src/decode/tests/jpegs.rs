//! Every kind of JPEG against Pillow's pixels (`tests/golden/jpeg.py`), by the build's own decoder and by those
//! in Rust that each build has.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::super::jpeg::Jpeg;
use super::*;

/// Largest mean difference of a level: upsampling and transforms are not Pillow's to the last bit.
const MEAN_DIFFERENCE_MAX: f64 = 1.0;

#[derive(Deserialize)]
struct Case {
    name: String,
    offset: usize,
    bytes: usize,
    width: u32,
    height: u32,
}

/// Returns each file with its name and Pillow's pixels.
fn cases() -> Vec<(String, Vec<u8>, Pixels)> {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let read = |name: &str| std::fs::read(golden.join(name)).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&read("jpeg.json")).unwrap();
    let (files, all) = (read("jpeg.bin"), decode(&read("jpeg.png")).unwrap().pixels);
    let mut rows = all.rows();
    cases
        .into_iter()
        .map(|Case { name, offset, bytes, width, height }| {
            let rows = rows.by_ref().take(height as usize);
            let rgb = rows.flat_map(|row| row[..3 * width as usize].to_vec()).collect();
            (name, files[offset..offset + bytes].to_vec(), Pixels::new(width, height, rgb).unwrap())
        })
        .collect()
}

fn mean_difference(ours: &Pixels, theirs: &Pixels) -> f64 {
    assert_eq!((ours.width(), ours.height()), (theirs.width(), theirs.height()));
    let sum: u64 = ours.rgb().iter().zip(theirs.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / ours.rgb().len() as f64
}

/// Decodes all cases in one way, and returns the names of those that are refused.
fn refused(decode: impl Fn(&[u8]) -> Result<Pixels, Fault>) -> BTreeSet<String> {
    let mut refused = BTreeSet::new();
    for (name, file, expected) in cases() {
        match decode(&file) {
            Ok(pixels) => {
                let difference = mean_difference(&pixels, &expected);
                assert!(difference <= MEAN_DIFFERENCE_MAX, "{name}: {difference}");
            }
            Err(Fault::Unsupported { .. }) => drop(refused.insert(name)),
            Err(fault) => panic!("{name}: {fault}"),
        }
    }
    refused
}

/// What no decoder in Rust reads right: sampling by fractions, and colours that Adobe does not know.
const REFUSED: [&str; 4] =
    ["4:2, progressive", "4:2, scans of one", "Adobe 9, one scan", "Adobe 9, scans of one"];

#[test]
fn every_kind_has_the_pixels_of_pillow_or_is_refused_by_name() {
    let found = refused(|file| decode(file).map(|decoded| decoded.pixels));
    assert!(found.is_subset(&REFUSED.map(str::to_owned).into()), "{found:?}");
}

#[test]
fn decoders_in_rust_read_every_kind_but_a_few_that_they_name() {
    let found = refused(|file| Jpeg::open(file)?.decode());
    assert_eq!(found, REFUSED.map(str::to_owned).into());
}

/// A frame of another coding process, and no more of a file.
fn frame(marker: u8, bits: u8) -> Vec<u8> {
    let frame = [&[0xFF, 0xD8, 0xFF, marker, 0, 11, bits], &[0, 8, 0, 8, 1, 1, 0x11, 0][..]].concat();
    [&frame[..], b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x12\xFF\xD9"].concat()
}

#[test]
fn what_no_decoder_reads_is_refused_by_its_name() {
    for (marker, bits, name) in [
        (0xC1, 12, "image/jpeg (12 bits)"),
        (0xC2, 12, "image/jpeg (12 bits)"),
        (0xC3, 8, "image/jpeg (lossless)"),
        (0xC5, 8, "image/jpeg (hierarchical)"),
        (0xC9, 8, "image/jpeg (arithmetic coding)"),
        (0xCA, 8, "image/jpeg (arithmetic coding)"),
        (0xF7, 8, "image/jls"),
    ] {
        let fault = Jpeg::open(&frame(marker, bits)).and_then(Jpeg::decode).unwrap_err();
        assert_eq!(fault, Fault::Unsupported { format: name.to_owned() }, "{marker:x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn damaged_files_of_every_kind_end_as_an_image_or_a_fault(
        case in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let cases = cases();
        let (_, mut file, _) = cases[case.index(cases.len())].clone();
        for (place, value) in damage {
            let place = place.index(file.len());
            file[place] = value;
        }
        let _end = Decoder::new(1 << 20).decode(&file);
    }
}
