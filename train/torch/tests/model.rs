//! The model through its public interface: training, resuming, generating.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, sync::Mutex, sync::MutexGuard};

use model::{
    Batch, Config, DecoderConfig, GenerateConfig, Learner, Loss, OptimizerConfig, Payload, Prompt,
    ResamplerConfig, ResamplerInitialisation, Settings, Tap, Tower, TowerConfig, TowerWeights, Trainable,
};
use torch::{Model, VisionTower};

/// `<s> <image> [slots] </image>`: what comes before a caption.
const LATENTS: usize = 2;
const HEAD: usize = LATENTS + 3;
const WORDS: usize = 3;
const COLUMNS: usize = HEAD + WORDS;
const END: u32 = 2;

/// Dropout's generator belongs to the process, so tests that train take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn config() -> Config {
    Config {
        decoder: DecoderConfig {
            vocabulary_size: 20,
            layer_count: 2,
            width: 32,
            ffn_width: 64,
            head_count: 4,
            sequence_tokens_max: 16,
            dropout: 0.0,
            attention_dropout: 0.0,
            ..Default::default()
        },
        resampler: ResamplerConfig {
            latent_count: LATENTS as u32,
            head_count: 4,
            dropout: 0.0,
            initialisation: ResamplerInitialisation::UnitNormal,
        },
        tower: TowerConfig {
            image_side_pixels: 8,
            patch_side_pixels: 4,
            width: 16,
            layer_count: 2,
            head_count: 2,
            mlp_width: 32,
            position_std: 0.2,
            ..Default::default()
        },
    }
}

fn model(config: &Config) -> Model {
    Model::new(config, &OptimizerConfig::default(), &Settings::default()).unwrap()
}

/// Images and captions, every image with its own.
struct Captions {
    input: Vec<u32>,
    target: Vec<u32>,
    loss_mask: Vec<bool>,
    image_slots: Vec<bool>,
    pixels: Vec<f32>,
}

impl Captions {
    fn new(count: usize) -> Self {
        let mut all =
            Self { input: vec![], target: vec![], loss_mask: vec![], image_slots: vec![], pixels: vec![] };
        for index in 0..count {
            let word = |place: usize| 6 + ((index * 5 + place * 3) % 13) as u32;
            let mut ids = vec![0, 4];
            ids.extend([4; LATENTS]);
            ids.push(5);
            ids.extend((0..WORDS).map(word));
            ids.push(END);
            all.input.extend(&ids[..COLUMNS]);
            all.target.extend(&ids[1..]);
            all.loss_mask.extend((0..COLUMNS).map(|column| column >= HEAD - 1));
            all.image_slots.extend((0..COLUMNS).map(|column| (2..2 + LATENTS).contains(&column)));
            let pixel = |place: usize| ((place * 7 + index * 31) as f32 * 0.37).sin();
            all.pixels.extend((0..3 * 8 * 8).map(pixel));
        }
        all
    }

    fn batch(&self) -> Batch<'_> {
        self.rows(0, self.input.len() / COLUMNS)
    }

    fn rows(&self, first: usize, count: usize) -> Batch<'_> {
        let tokens = first * COLUMNS..(first + count) * COLUMNS;
        let image = 3 * 8 * 8;
        Batch {
            row_count: count,
            column_count: COLUMNS,
            input: &self.input[tokens.clone()],
            target: &self.target[tokens.clone()],
            loss_mask: &self.loss_mask[tokens.clone()],
            image_slots: &self.image_slots[tokens],
            positions: &[],
            payload: Payload::Pixels(&self.pixels[first * image..(first + count) * image]),
        }
    }

    fn prompt(&self, row: usize) -> Prompt<'_> {
        let batch = self.rows(row, 1);
        Prompt {
            input: &batch.input[..HEAD],
            image_slots: &batch.image_slots[..HEAD],
            payload: batch.payload,
        }
    }

    fn caption(&self, row: usize) -> &[u32] {
        &self.input[row * COLUMNS + HEAD..(row + 1) * COLUMNS]
    }
}

fn train(model: &mut Model, captions: &Captions, seeds: std::ops::Range<u64>) -> f64 {
    let mut last = Loss::default();
    for seed in seeds {
        last = model.accumulate(&captions.batch(), seed).unwrap();
        assert!(model.step(3e-3, last.token_count).unwrap().applied);
    }
    last.nll_sum / last.token_count as f64
}

struct Files {
    _folder: tempfile::TempDir,
    weights: PathBuf,
    optimizer: PathBuf,
}

fn save(model: &Model) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (weights, optimizer) = (folder.path().join("weights"), folder.path().join("optimizer"));
    model.save(&weights, &optimizer).unwrap();
    Files { _folder: folder, weights, optimizer }
}

fn bytes(model: &Model) -> [Vec<u8>; 2] {
    let files = save(model);
    [files.weights, files.optimizer].map(|path| std::fs::read(path).unwrap())
}

#[test]
fn it_learns_four_captions_and_then_says_them() {
    let _alone = alone();
    let captions = Captions::new(4);
    let mut model = model(&config());
    let loss = train(&mut model, &captions, 0..200);
    // Even if all of it were one caption's, every token of that would be likelier than not.
    assert!(loss < 0.03, "{loss}");
    let mut prompts: Vec<Prompt<'_>> = (0..4).map(|row| captions.prompt(row)).collect();
    // One of another length, to be computed apart.
    let bare = Prompt { input: &[0], image_slots: &[false], payload: Payload::None };
    prompts.insert(1, bare);
    for beam_count in [1, 3] {
        let limits = GenerateConfig { beam_count, rows_max: 6, ..Default::default() };
        let mut said = model.generate(&prompts, &limits).unwrap();
        said.remove(1);
        let expected: Vec<&[u32]> = (0..4).map(|row| captions.caption(row)).collect();
        assert_eq!(said, expected, "{beam_count} beams");
    }
}

#[test]
fn greedy_generation_takes_the_token_that_evaluation_finds_likeliest() {
    let _alone = alone();
    let captions = Captions::new(3);
    let mut model = model(&config());
    train(&mut model, &captions, 0..5);
    let limits = GenerateConfig { tokens_max: 4, end_token: 19, ..Default::default() };
    for row in 0..3 {
        let prompt = captions.prompt(row);
        let said = model.generate(&[prompt], &limits).unwrap().remove(0);
        let mut input = prompt.input.to_vec();
        for token in said {
            let columns = input.len();
            let mut image_slots = prompt.image_slots.to_vec();
            image_slots.resize(columns, false);
            let mut loss_mask = vec![false; columns];
            loss_mask[columns - 1] = true;
            let mut nll = |candidate: u32| {
                let target = vec![candidate; columns];
                let batch = Batch {
                    row_count: 1,
                    column_count: columns,
                    input: &input,
                    target: &target,
                    loss_mask: &loss_mask,
                    image_slots: &image_slots,
                    positions: &[],
                    payload: prompt.payload,
                };
                model.evaluate(&batch).unwrap().nll_sum
            };
            let chosen = nll(token);
            assert!((0..20).all(|other| chosen <= nll(other) + 1e-5));
            input.push(token);
        }
    }
}

#[test]
fn generation_stops_where_the_sequence_is_full() {
    let _alone = alone();
    let mut model = model(&config());
    let limits = GenerateConfig { tokens_max: 100, end_token: 21, ..Default::default() };
    let prompt = Prompt { input: &[0; 10], image_slots: &[false; 10], payload: Payload::None };
    assert_eq!(model.generate(&[prompt], &limits).unwrap()[0].len(), 6);
}

#[test]
fn two_halves_accumulate_to_the_whole() {
    let _alone = alone();
    let captions = Captions::new(4);
    let mut whole = model(&config());
    let mut halves = model(&config());
    let loss = whole.accumulate(&captions.batch(), 0).unwrap();
    let mut sum = halves.accumulate(&captions.rows(0, 2), 0).unwrap();
    sum += halves.accumulate(&captions.rows(2, 2), 0).unwrap();
    assert_eq!(sum.token_count, loss.token_count);
    assert!((sum.nll_sum - loss.nll_sum).abs() < 1e-5 * loss.nll_sum);
    let (a, b) = (whole.step(1e-3, loss.token_count).unwrap(), halves.step(1e-3, loss.token_count).unwrap());
    assert!((a.gradient_norm - b.gradient_norm).abs() < 1e-5 * a.gradient_norm);
    let (a, b) = (whole.evaluate(&captions.batch()).unwrap(), halves.evaluate(&captions.batch()).unwrap());
    assert!((a.nll_sum - b.nll_sum).abs() < 1e-4 * a.nll_sum);
}

#[test]
fn a_batch_without_scored_targets_adds_nothing() {
    let _alone = alone();
    let captions = Captions::new(1);
    let mut model = model(&config());
    let none = [false; COLUMNS];
    let batch = Batch { loss_mask: &none, ..captions.batch() };
    assert_eq!(model.accumulate(&batch, 0).unwrap(), Loss::default());
    assert_eq!(model.step(1e-3, 1).unwrap().gradient_norm, 0.0);
    assert!(model.step(1e-3, 0).is_err());
    assert!(model.step(f64::NAN, 1).is_err());
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let _alone = alone();
    let captions = Captions::new(2);
    let mut model = model(&config());
    train(&mut model, &captions, 0..2);
    let before = bytes(&model);
    let mut broken = Captions::new(2);
    broken.pixels[5] = f32::INFINITY;
    model.accumulate(&broken.batch(), 2).unwrap();
    let step = model.step(1e-3, 8).unwrap();
    assert!(!step.applied && !step.gradient_norm.is_finite());
    assert_eq!(bytes(&model), before);
    train(&mut model, &captions, 2..3);
    assert_ne!(bytes(&model), before);
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let _alone = alone();
    let captions = Captions::new(4);
    let mut config = config();
    config.decoder.dropout = 0.1;
    config.decoder.attention_dropout = 0.1;
    config.resampler.dropout = 0.1;
    let mut uninterrupted = model(&config);
    train(&mut uninterrupted, &captions, 0..3);
    let files = save(&uninterrupted);
    train(&mut uninterrupted, &captions, 3..6);

    let settings = Settings { seed: 99, ..Default::default() };
    let mut resumed = Model::new(&config, &OptimizerConfig::default(), &settings).unwrap();
    resumed.load(&files.weights, Some(&files.optimizer)).unwrap();
    train(&mut resumed, &captions, 3..6);
    assert_eq!(bytes(&resumed), bytes(&uninterrupted));
}

#[test]
fn dropout_depends_on_its_seed_and_is_the_same_when_recomputed() {
    let _alone = alone();
    let captions = Captions::new(2);
    let mut config = config();
    config.decoder.dropout = 0.3;
    config.decoder.attention_dropout = 0.3;
    let mut kept = model(&config);
    config.decoder.activation_checkpointing = true;
    let mut recomputed = model(&config);
    let mut step = |seed| {
        let losses = [&mut kept, &mut recomputed].map(|model| {
            let loss = model.accumulate(&captions.batch(), seed).unwrap();
            (loss, model.step(0.0, loss.token_count).unwrap())
        });
        assert_eq!(losses[0], losses[1]);
        losses[0]
    };
    assert_eq!(step(7), step(7));
    assert_ne!(step(7), step(8));
}

#[test]
fn what_was_saved_is_loaded_and_saved_again_as_the_same_bytes() {
    let _alone = alone();
    let captions = Captions::new(2);
    let mut trained = model(&config());
    train(&mut trained, &captions, 0..2);
    let files = save(&trained);
    let mut loaded = model(&config());
    assert_ne!(bytes(&loaded), bytes(&trained));
    loaded.load(&files.weights, Some(&files.optimizer)).unwrap();
    assert_eq!(bytes(&loaded), bytes(&trained));
}

#[test]
fn weights_of_another_shape_are_refused_before_anything_changes() {
    let _alone = alone();
    let files = save(&model(&config()));
    let mut config = config();
    config.decoder.ffn_width = 48;
    let mut other = model(&config);
    let before = bytes(&other);
    let message = other.load(&files.weights, None).unwrap_err().to_string();
    assert!(message.contains("ffn.fc1.weight") && message.contains("[48, 32]"), "{message}");
    assert_eq!(bytes(&other), before);
}

#[test]
fn features_take_the_place_of_pixels() {
    let _alone = alone();
    let captions = Captions::new(3);
    for (tap, trainable) in [
        (Tap::BeforeLastBlock, Trainable::LastBlock),
        (Tap::BeforeLastBlock, Trainable::None),
        (Tap::AfterLayerNorm, Trainable::None),
    ] {
        let mut config = config();
        config.tower.trainable = trainable;
        let tower = VisionTower::random(&config.tower, 5, &Settings::default()).unwrap();
        let features = tower.features(&captions.pixels, 3, tap).unwrap();
        assert_eq!(features.len(), 3 * 5 * 16);
        let step = |payload| {
            let mut model = model(&config);
            model.load_tower(&tower.weights().unwrap()).unwrap();
            let batch = Batch { payload, ..captions.batch() };
            let loss = model.accumulate(&batch, 0).unwrap();
            (loss.nll_sum, model.step(1e-3, loss.token_count).unwrap().gradient_norm)
        };
        let of_pixels = step(Payload::Pixels(&captions.pixels));
        let of_features = step(Payload::Features { tap, values: &features });
        // Features are stored with 11 bits.
        assert!((of_pixels.0 - of_features.0).abs() < 1e-3 * of_pixels.0, "{tap:?}");
        assert!((of_pixels.1 - of_features.1).abs() < 1e-2 * of_pixels.1, "{tap:?}");
    }
}

#[test]
fn a_tower_is_the_same_in_a_file_and_in_a_model() {
    let _alone = alone();
    let settings = Settings::default();
    let config = config();
    let tower = VisionTower::random(&config.tower, settings.seed, &settings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tower.safetensors");
    tower.weights().unwrap().save(&path).unwrap();
    let opened = VisionTower::open(&path, &config.tower, &settings).unwrap();
    assert_eq!(opened.weights().unwrap(), tower.weights().unwrap());
    let files = save(&model(&config));
    assert_eq!(TowerWeights::open(&files.weights).unwrap(), tower.weights().unwrap());

    let mut incomplete = tower.weights().unwrap();
    incomplete.arrays.remove("post_layernorm.bias");
    let message = model(&config).load_tower(&incomplete).unwrap_err().to_string();
    assert_eq!(message, "weight post_layernorm.bias: is missing");
}

#[test]
fn only_what_is_trainable_moves() {
    let _alone = alone();
    let captions = Captions::new(2);
    for trainable in [Trainable::None, Trainable::LastBlock, Trainable::All] {
        let mut config = config();
        config.tower.trainable = trainable;
        let mut model = model(&config);
        let before = TowerWeights::open(&save(&model).weights).unwrap();
        train(&mut model, &captions, 0..2);
        let after = TowerWeights::open(&save(&model).weights).unwrap();
        for (name, array) in &before.arrays {
            let last = name.starts_with("encoder.layers.1.") || name.starts_with("post_");
            let trained = trainable == Trainable::All || (last && trainable == Trainable::LastBlock);
            assert_eq!(after.arrays[name] != *array, trained, "{name} {trainable:?}");
        }
        let names = model.parameter_names();
        let count = |trained_only: bool| -> u64 {
            let counted = names.iter().filter(|(.., trained)| *trained || !trained_only);
            counted.map(|(_, shape, _)| shape.iter().product::<i64>() as u64).sum()
        };
        let counts = config.parameter_counts();
        assert_eq!((count(false), count(true)), (counts.total, counts.trainable));
    }
}

#[test]
fn decay_of_matrices_leaves_biases_alone() {
    let _alone = alone();
    let text = Batch {
        row_count: 1,
        column_count: 3,
        input: &[0, 6, 7],
        target: &[6, 7, 2],
        loss_mask: &[true; 3],
        image_slots: &[false; 3],
        positions: &[],
        payload: Payload::None,
    };
    // No image: whatever moves in the tower was moved by decay.
    for decay_all_parameters in [true, false] {
        let optimizer = OptimizerConfig { decay_all_parameters, ..Default::default() };
        let mut model = Model::new(&config(), &optimizer, &Settings::default()).unwrap();
        let before = TowerWeights::open(&save(&model).weights).unwrap();
        model.accumulate(&text, 0).unwrap();
        model.step(0.1, 3).unwrap();
        let after = TowerWeights::open(&save(&model).weights).unwrap();
        let moved = |name: &str| before.arrays[name] != after.arrays[name];
        assert!(moved("encoder.layers.1.mlp.fc1.weight"));
        assert_eq!(moved("post_layernorm.weight"), decay_all_parameters);
    }
}

#[test]
fn bf16_comes_close_to_f32() {
    let _alone = alone();
    let captions = Captions::new(4);
    let mut config = config();
    config.decoder.activation_checkpointing = true;
    let mut exact = model(&config);
    let settings = Settings { precision: model::Precision::Bf16, ..Default::default() };
    let mut fast = Model::new(&config, &OptimizerConfig::default(), &settings).unwrap();
    let (a, b) = (train(&mut exact, &captions, 0..20), train(&mut fast, &captions, 0..20));
    assert!((a - b).abs() < 0.1 * a && a != b, "{a} {b}");
}

#[test]
fn a_cuda_device_that_is_not_there_is_an_error() {
    let settings = Settings { device: model::Device::Cuda(9_999), ..Default::default() };
    let error = Model::new(&config(), &OptimizerConfig::default(), &settings).unwrap_err();
    assert!(error.to_string().starts_with("cannot use device cuda 9999"), "{error}");
}
