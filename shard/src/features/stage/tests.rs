use super::*;

fn tower() -> TowerConfig {
    TowerConfig { image_side_pixels: 32, patch_side_pixels: 8, ..TowerConfig::default() }
}

fn config(batch_images: u32) -> Config {
    Config { batch_images, ..Config::new(Weights::Random { seed: 1 }) }
}

#[test]
fn only_what_decides_the_features_is_in_the_fingerprint() {
    let settings = |config: Config, tower: TowerConfig| {
        let source = Source::Pairs(Vec::new());
        Compute::new("features.pairs", source, config, tower).settings().unwrap()
    };
    let plain = settings(config(64), tower());
    let trained = TowerConfig { trainable: Trainable::All, ..tower() };
    assert_eq!(plain, settings(Config { thread_count: 2, ..config(64) }, trained));
    let seeded = Config { weights: Weights::Random { seed: 2 }, ..config(64) };
    assert_ne!(plain, settings(seeded, tower()));
}

#[test]
fn a_missing_weights_file_is_named() {
    let missing = Config::new(Weights::Path("/nowhere/clip.safetensors".into()));
    let error =
        Compute::new("features.pairs", Source::Pairs(Vec::new()), missing, tower()).settings().unwrap_err();
    assert!(error.to_string().contains("/nowhere/clip.safetensors"), "{error}");
}
