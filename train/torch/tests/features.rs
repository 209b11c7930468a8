//! Features by a real tower: those of the tower itself, one row an image, in the images' order.
#![allow(clippy::unwrap_used)]

use corpus::record::{EncodedImage, FEATURES, Features, IMAGES, INTERLEAVED, Image, Interleaved, Use};
use corpus::{Id, SourceCode, Split};
use corpus_testing::{Run, counts, rows};
use half::f16;
use images::{Format, Pixels, Preprocess};
use model::{Tap, Tower, TowerConfig};
use shard::TowerStart;
use shard::features::{Compute, Config, Source, preprocess};

const SIDE: u32 = 32;

fn tower() -> TowerConfig {
    TowerConfig {
        image_side_pixels: SIDE,
        patch_side_pixels: 8,
        width: 16,
        layer_count: 2,
        head_count: 2,
        mlp_width: 32,
        ..TowerConfig::default()
    }
}

fn encoded(shade: u8) -> EncodedImage {
    let rgb = (0..40 * 48).flat_map(|i| [shade, (i % 251) as u8, (i / 40) as u8]).collect();
    let bytes = Format::Png.encode(&Pixels::new(40, 48, rgb).unwrap()).unwrap();
    EncodedImage { bytes: bytes.into(), path: None }
}

fn id(row: u64) -> Id {
    Id::new(SourceCode(5), 0, row).unwrap()
}

fn image(row: u64) -> Image {
    Image {
        id: id(row),
        key: [0; 16],
        url: String::new(),
        image: encoded(row as u8),
        width: 40,
        height: 48,
        original_width: 40,
        original_height: 48,
        sha256: String::new(),
        perceptual_hash: 0,
        sharpness: 0.0,
        colour_spread: 255,
        uses: vec![Use::of_pair(id(row), "caption".to_owned())],
    }
}

fn config(batch_images: u32) -> Config {
    Config { batch_images, ..Config::default() }
}

fn pairs_stage(batch_images: u32) -> Compute {
    torch::provide();
    let source = Source::Pairs(vec!["images.pass0".to_owned(), "images.pass1".to_owned()]);
    Compute::new("features.pairs", source, config(batch_images), tower(), TowerStart::Random { seed: 1 })
}

/// Features of one image alone, straight from the tower.
fn expected(image: &EncodedImage, tap: Tap) -> Vec<f32> {
    let tower = torch::VisionTower::random(&tower(), 1, &model::Settings::default()).unwrap();
    let mut pixels = Vec::new();
    preprocess(&image.bytes, SIDE, Preprocess::PilExact, &mut pixels).unwrap();
    tower.features(&pixels, 1, tap).unwrap().into_iter().map(f32::from).collect()
}

fn values(features: &Features) -> Vec<f32> {
    features.values.chunks(2).map(|two| f16::from_le_bytes([two[0], two[1]]).to_f32()).collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.01, "{worst}");
}

#[test]
fn features_are_aligned_with_the_images_over_all_passes() {
    let run = Run::new();
    let first = run.given("images.pass0", IMAGES, vec![(0..7).map(image).collect(), vec![image(9)]]);
    let second = run.given("images.pass1", IMAGES, vec![vec![image(8)]]);
    let dataset = run.run(&pairs_stage(3), &[&first, &second]);
    let features: Vec<Features> = rows(&dataset, FEATURES);
    let ids: Vec<Id> = features.iter().map(|row| row.id).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6, 9, 8].map(id));
    assert_eq!(dataset.parts(FEATURES).map(|part| part.unwrap().rows).collect::<Vec<_>>(), [7, 1, 1]);
    assert_eq!(counts(&dataset, "images"), (9, 9, vec![]));
    for row in [0, 4, 8] {
        let image = encoded(features[row].id.position() as u8);
        assert_close(&values(&features[row]), &expected(&image, Tap::BeforeLastBlock));
    }
    assert_eq!(features[0].values.len(), 17 * 16 * 2);
}

#[test]
fn images_of_a_document_have_one_row_each_in_order() {
    let run = Run::new();
    let document = |row: u64, shades: &[Option<u8>]| Interleaved {
        id: id(row),
        url: None,
        texts: shades.iter().map(|shade| shade.is_none().then(|| "text".to_owned())).collect(),
        images: shades.iter().map(|shade| shade.map(encoded)).collect(),
        split: Split::Train,
    };
    let documents = vec![document(3, &[None, Some(10), Some(20)]), document(4, &[Some(30), None])];
    let documents = run.given("interleaved", INTERLEAVED, vec![documents]);
    torch::provide();
    let pooled = Config { tap: Tap::Pooled, ..config(2) };
    let source = Source::Interleaved("interleaved".to_owned());
    let stage = Compute::new("features.interleaved", source, pooled, tower(), TowerStart::Random { seed: 1 });
    let features: Vec<Features> = rows(&run.run(&stage, &[&documents]), FEATURES);
    let places: Vec<_> = features.iter().map(|row| (row.id, row.slot)).collect();
    assert_eq!(places, [(id(3), 0), (id(3), 1), (id(4), 0)]);
    for (row, shade) in features.iter().zip([10, 20, 30]) {
        assert_close(&values(row), &expected(&encoded(shade), Tap::Pooled));
    }
}
