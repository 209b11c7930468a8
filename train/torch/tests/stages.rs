//! The stages `train` and `evaluate` with a real network: stopped and continued bit by bit, learning, captioning.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use corpus::record::{SEQUENCES, STEPS, Sequence, Span, TrainStep};
use corpus::{Dataset, Id, Split};
use corpus_testing::{Run, rows};
use half::f16;
use model::{Learner, OptimizerConfig, Settings, Tap, TowerConfig};
use shard::tokenizer::{TOKENIZER_MODEL, Tokenizer, TrainingConfig, Words};
use train::evaluate::Scores;
use train::stage::MODEL;
use train::{Config, Evaluate, EvaluateConfig, Kind, PayloadFormat, Rows, SCORES, TowerStart, Train};

/// `<image>` of the vocabulary, and `</image>` after it.
const IMAGE: u32 = 9;
const LATENT_COUNT: u32 = 2;
const PAYLOAD: PayloadFormat = PayloadFormat::Features(Tap::BeforeLastBlock);

/// Keeps tests apart, which share libtorch's dropout generator.
fn only_network() -> MutexGuard<'static, ()> {
    static NETWORK: Mutex<()> = Mutex::new(());
    torch::provide();
    NETWORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A tower of 5 tokens of width 4, for images of 8 x 8 pixels.
fn tower() -> TowerConfig {
    TowerConfig {
        image_side_pixels: 8,
        patch_side_pixels: 4,
        width: 4,
        layer_count: 2,
        head_count: 2,
        mlp_width: 8,
        ..TowerConfig::default()
    }
}

/// A network of a few thousand parameters.
fn network() -> model::Config {
    model::Config {
        decoder: model::DecoderConfig {
            vocabulary_size: 64,
            layer_count: 1,
            width: 8,
            ffn_width: 16,
            head_count: 2,
            sequence_tokens_max: 32,
            ..model::DecoderConfig::default()
        },
        resampler: model::ResamplerConfig {
            latent_count: LATENT_COUNT,
            head_count: 2,
            ..model::ResamplerConfig::default()
        },
        tower: tower(),
    }
}

fn sequence(id: u64, tokens: Vec<u32>, loss_mask: Vec<bool>) -> Sequence {
    let span = Span { id: Id::from_bits(id), start: 0, end: tokens.len() as u32 };
    Sequence {
        tokens,
        loss_mask,
        image_starts: Vec::new(),
        payloads: Vec::new(),
        spans: vec![span],
        split: Split::Train,
    }
}

fn text(id: u64, length: usize) -> Sequence {
    let mut tokens = vec![20 + (id % 10) as u32; length];
    (tokens[0], tokens[length - 1]) = (0, 2);
    let mut loss_mask = vec![true; length];
    loss_mask[length - 1] = false;
    sequence(id, tokens, loss_mask)
}

/// A pair whose features are all the id.
fn pair(id: u64, caption: &[u32]) -> Sequence {
    let tokens = [&[0, IMAGE, IMAGE, IMAGE, IMAGE + 1], caption, &[2]].concat();
    let mut loss_mask = vec![false; tokens.len()];
    loss_mask[4..=4 + caption.len()].fill(true);
    let value = f16::from_f32(id as f32).to_le_bytes();
    let count = tower().tokens() as usize * tower().width as usize;
    Sequence {
        image_starts: vec![2],
        payloads: vec![Bytes::from(value.repeat(count))],
        ..sequence(id, tokens, loss_mask)
    }
}

fn held_out(sequence: Sequence) -> Sequence {
    Sequence { split: Split::Validation, ..sequence }
}

/// A tokenizer of a few words.
fn tokenizer_file() -> Vec<u8> {
    let mut words = Words::default();
    words.add("a red circle a blue circle two red squares two blue squares");
    let config = TrainingConfig { vocabulary_size: 40, input_bytes_max: 1_000 };
    shard::tokenizer::train(&words, &config).unwrap()
}

fn training(config: Config) -> Train {
    Train {
        name: "train".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        packed: [(Kind::Text, "pack.text".to_owned()), (Kind::Pairs, "pack.pairs".to_owned())].into(),
        config,
        model: network(),
        payload: PAYLOAD,
        tower: TowerStart::Random { seed: 5 },
        source_codes: BTreeMap::new(),
    }
}

/// A config of small steps: one text row and three pairs (two micro-batches) each.
fn config(steps: u64) -> Config {
    Config {
        steps,
        warmup_steps: 2,
        batch: Rows::new(&[(Kind::Text, 1), (Kind::Pairs, 3)]),
        micro_batch: Some(Rows::new(&[(Kind::Text, 1), (Kind::Pairs, 2)])),
        checkpoint_steps: 4,
        evaluate_steps: 3,
        validation_rows: 2,
        block_bytes_max: 2_000,
        window_blocks: 2,
        ..Config::default()
    }
}

fn inputs(run: &Run) -> Vec<Dataset> {
    let texts = (0..7).map(|id| text(id, 4 + id as usize)).collect();
    let pairs = (0..20).map(|id| match id % 5 {
        0 => held_out(pair(id, &[40])),
        _ => pair(id, &[40, 41]),
    });
    vec![
        run.given_file("tokenizer", TOKENIZER_MODEL, tokenizer_file()),
        run.given("pack.text", SEQUENCES, vec![texts]),
        run.given("pack.pairs", SEQUENCES, vec![pairs.collect()]),
    ]
}

#[test]
fn a_network_that_was_stopped_and_resumed_is_the_same_bit_by_bit() {
    let _alone = only_network();
    let stage = training(Config { learning_rate: 0.01, ..config(7) });
    let [whole, stopped] = [Run::new(), Run::new()];
    let expected = whole.run(&stage, &inputs(&whole).iter().collect::<Vec<_>>());
    let found = stopped.run_interrupted(3, &stage, &inputs(&stopped).iter().collect::<Vec<_>>());
    assert_eq!(found.manifest(), expected.manifest());
}

#[test]
fn a_network_learns_what_it_is_shown() {
    let _alone = only_network();
    let run = Run::new();
    let stage = training(Config { learning_rate: 0.02, evaluate_steps: 0, ..config(60) });
    let trained = run.run(&stage, &inputs(&run).iter().collect::<Vec<_>>());
    let steps: Vec<TrainStep> = rows(&trained, STEPS);
    let mean = |rows: &[TrainStep]| rows.iter().map(|row| row.pair_loss).sum::<f64>() / rows.len() as f64;
    let (first, last) = (mean(&steps[..5]), mean(&steps[55..]));
    assert!(last < first / 2.0, "pair loss from {first} to {last}");
}

#[test]
fn a_network_captions_every_held_out_pair() {
    let _alone = only_network();
    let (run, folder) = (Run::new(), tempfile::tempdir().unwrap());
    let (weights, optimizer) = (folder.path().join("w"), folder.path().join("o"));
    let model = torch::Model::new(&network(), &OptimizerConfig::default(), &Settings::default()).unwrap();
    model.save(&weights, &optimizer).unwrap();
    let stage = Evaluate {
        name: "evaluate".to_owned(),
        train: "train".to_owned(),
        tokenizer: "tokenizer".to_owned(),
        packed: [(Kind::Pairs, "pack.pairs".to_owned())].into(),
        config: EvaluateConfig {
            pairs_max: 5,
            generate: model::GenerateConfig { rows_max: 2, ..Default::default() },
            ..EvaluateConfig::default()
        },
        model: network(),
        settings: Settings::default(),
        micro_batch: Rows::new(&[(Kind::Text, 1), (Kind::Pairs, 2), (Kind::Interleaved, 1)]),
        payload: PAYLOAD,
    };
    let tokenizer = Tokenizer::parse(&tokenizer_file()).unwrap();
    let tokens = |caption: &str| {
        let mut tokens = Vec::new();
        tokenizer.encoder().tokens(caption, &mut tokens);
        tokens
    };
    let captioned = [(1, "a red circle"), (2, "two blue squares"), (3, "a blue circle")];
    let mut pairs = vec![pair(0, &tokens("a red square"))];
    pairs.extend(captioned.map(|(id, caption)| held_out(pair(id, &tokens(caption)))));
    let inputs = [
        run.given_file("train", MODEL, std::fs::read(weights).unwrap()),
        run.given_file("tokenizer", TOKENIZER_MODEL, tokenizer_file()),
        run.given("pack.pairs", SEQUENCES, vec![pairs]),
    ];
    let evaluated = run.run(&stage, &inputs.each_ref());
    let scores: Scores = serde_json::from_slice(&evaluated.file(SCORES).unwrap().unwrap()).unwrap();
    assert_eq!((scores.captions.captions, scores.losses[&Kind::Pairs].sequences), (3, 3));
    // An untrained network is about as good as guessing among its 64 tokens.
    let nll = scores.losses[&Kind::Pairs].nll_per_token.unwrap();
    assert!((2.0..8.0).contains(&nll), "{nll}");
}
