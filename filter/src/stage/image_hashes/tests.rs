//! The stages of duplicate images end to end.

use std::collections::BTreeMap;

use corpus::record::{EncodedImage, IMAGE_DUPLICATES, IMAGES, Image, ImageDuplicate};
use corpus::{Id, SourceCode};

use super::super::tests::{Bench, Source, rows};
use super::*;
use crate::config::ImageDuplicatesConfig;

fn id(row: u64) -> Id {
    Id::new(SourceCode(1), 0, row).unwrap()
}

fn image(id: Id, hash: u64, sha256: u8, side: u32) -> Image {
    Image {
        id,
        key: (u128::from(id.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)).to_be_bytes(),
        url: String::new(),
        image: EncodedImage { bytes: Default::default(), path: None },
        width: side,
        height: side,
        original_width: side,
        original_height: side,
        sha256: format!("{sha256:02x}").repeat(32),
        perceptual_hash: hash,
        sharpness: 1.0,
        colour_spread: if hash == 0 { 0 } else { 200 },
        uses: Vec::new(),
    }
}

/// Returns the duplicates with what stands for them and why, by row.
fn found(images: Vec<Image>, hamming_max: Option<u32>) -> BTreeMap<u64, (Id, String)> {
    let mut bench = Bench::new();
    let (first, second) = images.split_at(images.len() / 2);
    bench.run(&Source { name: "pass", stream: IMAGES, tasks: vec![first.to_vec(), second.to_vec()] });
    let config = ImageDuplicatesConfig { hamming_max, ..ImageDuplicatesConfig::default() };
    let (images, links) = (vec!["pass".to_owned()], "links".to_owned());
    bench.run(&ImageLinks { name: links.clone(), images: images.clone(), config: config.clone() });
    let dataset = bench.run(&ImageClusters { name: "duplicates".to_owned(), images, links, config });
    let duplicates: Vec<ImageDuplicate> = rows(&dataset, IMAGE_DUPLICATES);
    assert!(duplicates.is_sorted_by_key(|row| row.key_prefix));
    duplicates.into_iter().map(|row| (row.id.position(), (row.representative, row.reason))).collect()
}

const HASH: u64 = 0x0123_4567_89AB_CDEF;

#[test]
fn the_largest_copy_stays_and_the_reason_is_told() {
    let images = vec![
        image(id(0), HASH, 1, 100),
        image(id(1), HASH ^ 0b1011, 2, 300),
        image(id(2), HASH ^ (0b11 << 60), 3, 200),
        image(id(3), !HASH, 4, 100),
        image(id(4), !HASH, 4, 100),
        // Of one colour: a hash says nothing.
        image(id(5), 0, 5, 100),
        image(id(6), 0, 6, 100),
    ];
    let near = |representative| (representative, "near_duplicate".to_owned());
    let expected = BTreeMap::from([(0, near(id(1))), (2, near(id(1))), (4, (id(3), "duplicate".to_owned()))]);
    assert_eq!(found(images.clone(), Some(3)), expected);
    assert_eq!(found(images, None), BTreeMap::from([(4, (id(3), "duplicate".to_owned()))]));
}

#[test]
fn images_are_alike_up_to_the_distance_and_from_a_spread_of_colours_on() {
    let images = || vec![image(id(0), HASH, 1, 100), image(id(1), HASH ^ 0b111, 2, 90)];
    let count = |distance| found(images(), Some(distance)).len();
    assert_eq!([2, 3, 4].map(count), [0, 1, 1]);
    let spread = |colour_spread| {
        let images = images().into_iter().map(|image| Image { colour_spread, ..image });
        found(images.collect(), Some(3)).len()
    };
    assert_eq!([15, 16].map(spread), [0, 1]);
    let without_hash =
        images().into_iter().map(|image| Image { perceptual_hash: 0, colour_spread: 200, ..image });
    assert_eq!(found(without_hash.collect(), Some(3)).len(), 0);
}

#[test]
fn what_an_evaluation_set_shows_is_dropped_and_the_set_is_left_alone() {
    let of_set = |row| Id::new(EVALUATION_SOURCE, 0, row).unwrap();
    let images = vec![
        image(id(0), HASH, 1, 900),
        image(of_set(0), HASH ^ 1, 2, 10),
        image(of_set(1), HASH ^ 2, 3, 10),
        image(id(1), !HASH, 4, 10),
    ];
    let found = found(images, Some(2));
    assert_eq!(found, BTreeMap::from([(0, (of_set(0), "evaluation".to_owned()))]));
}
