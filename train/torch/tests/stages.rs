//! The stages `train` and `evaluate` with a real network: stopped and continued bit by bit, learning, captioning.
#![allow(clippy::unwrap_used)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use corpus::Dataset;
use corpus::record::{STEPS, TrainStep};
use corpus_testing::{GivenSequences, Run, rows};
use model::{Learner, OptimizerConfig, Settings, Tap};
use shard::TowerStart;
use shard::tokenizer::{TOKENIZER_MODEL, Tokenizer};
use train::evaluate::Scores;
use train::stage::MODEL;
use train::{Amounts, Config, Evaluate, EvaluateConfig, Kind, PayloadFormat, SCORES, Train};

#[path = "../../src/testing/fixtures.rs"]
mod fixtures;

use fixtures::{config, held_out, network, pair, text, tokenizer_file};

const PAYLOAD: PayloadFormat = PayloadFormat::Features(Tap::BeforeLastBlock);

/// Keeps tests apart, which share libtorch's dropout generator.
fn only_network() -> MutexGuard<'static, ()> {
    static NETWORK: Mutex<()> = Mutex::new(());
    torch::provide();
    NETWORK.lock().unwrap_or_else(PoisonError::into_inner)
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
        run.run(&GivenSequences { name: "pack.text".to_owned(), parts: vec![texts] }, &[]),
        run.run(&GivenSequences { name: "pack.pairs".to_owned(), parts: vec![pairs.collect()] }, &[]),
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
        micro_batch: Amounts::of_sequences(&[(Kind::Text, 1), (Kind::Pairs, 2), (Kind::Interleaved, 1)]),
        payload: PAYLOAD,
        reset_attention: false,
    };
    let tokenizer = Tokenizer::parse(&tokenizer_file()).unwrap();
    let tokens = |caption: &str| {
        let mut tokens = Vec::new();
        tokenizer.encoder().tokens(caption, &mut tokens).unwrap();
        tokens
    };
    let captioned = [(1, "a red circle"), (2, "two blue squares"), (3, "a blue circle")];
    let mut pairs = vec![pair(0, &tokens("a red square"))];
    pairs.extend(captioned.map(|(id, caption)| held_out(pair(id, &tokens(caption)))));
    let inputs = [
        run.given_file("train", MODEL, std::fs::read(weights).unwrap()),
        run.given_file("tokenizer", TOKENIZER_MODEL, tokenizer_file()),
        run.run(&GivenSequences { name: "pack.pairs".to_owned(), parts: vec![pairs] }, &[]),
    ];
    let evaluated = run.run(&stage, &inputs.each_ref());
    let scores: Scores = serde_json::from_slice(&evaluated.file(SCORES).unwrap().unwrap()).unwrap();
    assert_eq!((scores.captions.captions, scores.losses[&Kind::Pairs].sequences), (3, 3));
    // An untrained network is about as good as guessing among its 64 tokens.
    let nll = scores.losses[&Kind::Pairs].nll_per_token.unwrap();
    assert!((2.0..8.0).contains(&nll), "{nll}");
}
