use model::WeightsSource;

use super::*;

fn tower() -> TowerConfig {
    TowerConfig { image_side_pixels: 32, patch_side_pixels: 8, ..TowerConfig::default() }
}

fn config(batch_images: u32) -> Config {
    Config { batch_images, ..Config::default() }
}

#[test]
fn only_what_decides_the_features_is_in_the_fingerprint() {
    let settings_of = |config: Config, tower: TowerConfig, seed: u64| {
        let (source, start) = (Source::Pairs(Vec::new()), TowerStart::Random { seed });
        Compute::new("features.pairs", source, config, tower, start).settings().unwrap()
    };
    let settings = |config, tower| settings_of(config, tower, 1);
    let plain = settings(config(64), tower());
    let trained = TowerConfig { trainable: Trainable::All, ..tower() };
    assert_eq!(plain, settings(Config { thread_count: 2, ..config(64) }, trained));
    assert_ne!(plain, settings_of(config(64), tower(), 2));
    let named = TowerConfig { weights: Some(WeightsSource::Random { seed: 3 }), ..tower() };
    assert_eq!(plain, settings(config(64), named), "the weights are told by themselves");
}

#[test]
fn a_missing_weights_file_is_named() {
    let source = WeightsSource::File { path: "/nowhere/clip.safetensors".into(), sha256: None };
    let (images, start) = (Source::Pairs(Vec::new()), TowerStart::of(&source));
    let error = Compute::new("features.pairs", images, config(64), tower(), start).settings().unwrap_err();
    let error = error.to_string();
    assert!(error.contains("/nowhere/clip.safetensors") && error.contains("model.tower.weights"), "{error}");
}
