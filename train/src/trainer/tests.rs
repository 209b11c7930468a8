#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use corpus::{Fingerprint, Store};

use super::*;
use crate::loader::{MicroBatches, Shards};
use crate::sampler::Rank;
use crate::testing::{FakeLearner, config, held_out, layout, pair, shard, text};

#[derive(Default)]
struct Seen {
    rows: Vec<TrainStep>,
    lines: Vec<String>,
    notes: Vec<String>,
    stop_after: Option<(usize, Cancel)>,
}

impl Observer for Seen {
    fn step(&mut self, row: &TrainStep) -> corpus::Result<()> {
        self.rows.push(row.clone());
        match &self.stop_after {
            Some((steps, cancel)) if *steps == self.rows.len() => cancel.request(),
            _ => {}
        }
        Ok(())
    }

    fn log(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    fn note(&mut self, words: &str) {
        self.notes.push(words.to_owned());
    }
}

fn shards(store: &Store) -> Shards {
    let texts = (0..7).map(|id| text(id, 4 + id as usize)).collect();
    let pairs = (0..20).map(|id| match id % 5 {
        0 => held_out(pair(id, &[40])),
        _ => pair(id, &[40, 41]),
    });
    Shards::from([
        (Kind::Text, shard(store, "pack.text", vec![texts])),
        (Kind::Pairs, shard(store, "pack.pairs", vec![pairs.collect()])),
    ])
}

/// A learner that remembers the seeds of dropout.
#[derive(Debug, Default)]
struct Seeds {
    inner: FakeLearner,
    seeds: Vec<u64>,
}

impl Learner for Seeds {
    fn load_tower(&mut self, weights: &model::TowerWeights) -> model::Result<()> {
        self.inner.load_tower(weights)
    }

    fn accumulate(&mut self, batch: &model::Batch<'_>, seed: u64) -> model::Result<Loss> {
        self.seeds.push(seed);
        self.inner.accumulate(batch, seed)
    }

    fn step(&mut self, learning_rate: f64, token_count: u64) -> model::Result<model::Step> {
        self.inner.step(learning_rate, token_count)
    }

    fn evaluate(&mut self, batch: &model::Batch<'_>) -> model::Result<Loss> {
        self.inner.evaluate(batch)
    }

    fn generate(
        &mut self,
        prompts: &[model::Prompt<'_>],
        limits: &model::GenerateConfig,
    ) -> model::Result<Vec<Vec<u32>>> {
        self.inner.generate(prompts, limits)
    }

    fn save(&self, weights: &Path, optimizer: &Path) -> model::Result<()> {
        self.inner.save(weights, optimizer)
    }

    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> model::Result<()> {
        self.inner.load(weights, optimizer)
    }
}

/// Trains in a folder from its newest checkpoint; returns the state and what was seen.
fn train(
    folder: &Path,
    config: &Config,
    learner: &mut impl Learner,
    stop_after: Option<usize>,
) -> (Result<State>, Seen) {
    let store = Store::local(folder).unwrap();
    let fingerprint = Fingerprint::parse("0123456789abcdef").unwrap();
    let checkpoints = Checkpoints::of(&store, &fingerprint, &folder.join("scratch"), config.checkpoints_kept);
    let state = checkpoints.newest(|_| ()).unwrap().map_or_else(State::default, |checkpoint| {
        learner.load(checkpoint.weights(), Some(checkpoint.optimizer())).unwrap();
        checkpoint.state
    });
    let shards = shards(&store);
    let feed = MicroBatches::open(config, &shards, layout(), Rank::ONLY, &state.loader).unwrap();
    let validation = Validation::read(&shards, 3, config.pass(), &layout()).unwrap();
    let loader = Loader::start(feed, 3).unwrap();
    let cancel = Cancel::default();
    let stop_after = stop_after.map(|steps| (steps, cancel.clone()));
    let mut seen = Seen { stop_after, ..Seen::default() };
    let trainer =
        Trainer { config, learner, loader, validation: &validation, checkpoints: &checkpoints, state };
    (trainer.run(&cancel, &mut seen), seen)
}

#[test]
fn every_step_is_told_with_its_rate_and_the_mean_over_scored_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = FakeLearner::default();
    let config = config(6);
    let (state, seen) = train(folder.path(), &config, &mut learner, None);
    let state = state.unwrap();
    assert_eq!(seen.rows.len(), 6);
    for (row, step) in seen.rows.iter().zip(1..) {
        assert_eq!(row.step, step);
        assert_eq!(row.learning_rate, config.schedule().learning_rate(step));
        assert!((0.0..1.0).contains(&row.text_loss) && (0.0..1.0).contains(&row.pair_loss));
        assert!(row.interleaved_loss.is_nan(), "there are no interleaved documents");
    }
    // Three pairs score 3 tokens each; the rest is text, all of whose inputs are scored.
    let scored: u64 = seen.rows.iter().map(|row| row.loss_tokens).sum();
    assert_eq!(state.tokens_seen, scored + 6 * 3 * (7 - 3));
    let steps: Vec<u64> = state.validations.iter().map(|validation| validation.step).collect();
    assert_eq!(steps, [3, 6]);
    assert_eq!(state.validations[0].losses.keys().collect::<Vec<_>>(), [&Kind::Pairs]);
    assert_eq!(seen.notes.len(), 6, "every step is noted");
    assert!(seen.notes[3].starts_with("step 4/6 text 0.") && seen.notes[3].ends_with(" left"));
    let logged: Vec<&String> = seen.lines.iter().filter(|line| line.contains("tokens/s")).collect();
    assert_eq!(logged.len(), 3);
    assert!(logged[0].starts_with("step 2/6 text 0.") && !logged[0].contains("interleaved"));
}

#[test]
fn training_that_was_stopped_anywhere_ends_like_one_that_was_not() {
    let whole_folder = tempfile::tempdir().unwrap();
    let mut whole = FakeLearner::default();
    let (state, _) = train(whole_folder.path(), &config(9), &mut whole, None);
    let expected = format!("{:?}", state.unwrap());
    for stop in 1..9 {
        let folder = tempfile::tempdir().unwrap();
        let mut learner = FakeLearner::default();
        let (stopped, seen) = train(folder.path(), &config(9), &mut learner, Some(stop));
        assert!(matches!(stopped, Err(Error::Corpus(corpus::Error::Cancelled))));
        assert_eq!(seen.rows.len(), stop);
        let mut resumed = FakeLearner::default();
        let (state, seen) = train(folder.path(), &config(9), &mut resumed, None);
        assert_eq!(format!("{:?}", state.unwrap()), expected, "stopped after step {stop}");
        assert_eq!(seen.rows[0].step, stop as u64 + 1);
        assert_eq!(resumed, whole);
    }
}

#[test]
fn training_that_died_goes_on_from_the_last_checkpoint_to_the_same_end() {
    let whole_folder = tempfile::tempdir().unwrap();
    let mut whole = FakeLearner::default();
    let (state, _) = train(whole_folder.path(), &config(9), &mut whole, None);
    let expected = format!("{:?}", state.unwrap());
    // Dies at step 8, whose checkpoint finds the disk full; the one of step 4 is there.
    let folder = tempfile::tempdir().unwrap();
    assert!(train(folder.path(), &config(9), &mut FakeLearner::default(), Some(4)).0.is_err());
    let mut dying = FakeLearner { save_fails: true.into(), ..FakeLearner::default() };
    let (died, seen) = train(folder.path(), &config(9), &mut dying, None);
    assert!(matches!(died, Err(Error::Model(_))) && seen.rows.len() == 4);
    let mut resumed = FakeLearner::default();
    let (state, seen) = train(folder.path(), &config(9), &mut resumed, None);
    assert_eq!(format!("{:?}", state.unwrap()), expected);
    assert_eq!(seen.rows[0].step, 5);
    assert_eq!(resumed, whole);
}

#[test]
fn a_step_that_is_not_finite_is_logged_and_too_many_in_a_row_end_training() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = FakeLearner { nonfinite_steps: [2, 3, 5].into(), ..FakeLearner::default() };
    let (state, seen) = train(folder.path(), &config(6), &mut learner, None);
    assert_eq!(state.unwrap().nonfinite_steps, 0);
    assert!(seen.rows[1].gradient_norm.is_nan());
    assert_eq!(seen.lines.iter().filter(|line| line.contains("not applied")).count(), 3);

    let folder = tempfile::tempdir().unwrap();
    let mut learner = FakeLearner { nonfinite_steps: [2, 3, 4].into(), ..FakeLearner::default() };
    let (state, _) = train(folder.path(), &config(6), &mut learner, None);
    assert!(matches!(state, Err(Error::Diverged { step: 4, count: 3 })));
}

#[test]
fn dropout_has_another_seed_in_every_step_micro_batch_and_run_and_the_same_after_a_resume() {
    let seeds = |config: &Config, stop_after: Option<usize>| {
        let folder = tempfile::tempdir().unwrap();
        let mut learners = [Seeds::default(), Seeds::default()];
        let _ = train(folder.path(), config, &mut learners[0], stop_after);
        train(folder.path(), config, &mut learners[1], None).0.unwrap();
        learners.into_iter().flat_map(|learner| learner.seeds).collect::<Vec<u64>>()
    };
    let whole = seeds(&config(6), None);
    // One micro-batch of text and two of pairs a step.
    assert_eq!(whole.len(), 6 * 3);
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 6 * 3, "{whole:?}");
    for stop in 1..6 {
        assert_eq!(seeds(&config(6), Some(stop)), whole, "stopped after step {stop}");
    }
    let other = seeds(&Config { seed: 2, ..config(6) }, None);
    assert!(whole.iter().all(|seed| !other.contains(seed)));
}

#[test]
fn a_row_of_a_step_holds_the_losses_of_its_own_kinds_and_counts_every_scored_token() {
    // A learner whose loss per token is 1 for text and 2 for what has images.
    #[derive(Debug, Default)]
    struct Known(FakeLearner, Vec<u64>);
    impl Learner for Known {
        fn load_tower(&mut self, weights: &model::TowerWeights) -> model::Result<()> {
            self.0.load_tower(weights)
        }
        fn accumulate(&mut self, batch: &model::Batch<'_>, _: u64) -> model::Result<Loss> {
            let token_count = batch.loss_mask.iter().filter(|scored| **scored).count() as u64;
            let per_token = if batch.payload == model::Payload::None { 1.0 } else { 2.0 };
            Ok(Loss { nll_sum: per_token * token_count as f64, token_count })
        }
        fn step(&mut self, _: f64, token_count: u64) -> model::Result<model::Step> {
            self.1.push(token_count);
            Ok(model::Step { gradient_norm: 0.25, applied: true })
        }
        fn evaluate(&mut self, batch: &model::Batch<'_>) -> model::Result<Loss> {
            self.0.evaluate(batch)
        }
        fn generate(
            &mut self,
            prompts: &[model::Prompt<'_>],
            limits: &model::GenerateConfig,
        ) -> model::Result<Vec<Vec<u32>>> {
            self.0.generate(prompts, limits)
        }
        fn save(&self, weights: &Path, optimizer: &Path) -> model::Result<()> {
            self.0.save(weights, optimizer)
        }
        fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> model::Result<()> {
            self.0.load(weights, optimizer)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut learner, config) = (Known::default(), config(4));
    let (state, seen) = train(folder.path(), &config, &mut learner, None);
    state.unwrap();
    for (row, token_count) in seen.rows.iter().zip(&learner.1) {
        let TrainStep { step: _, learning_rate: _, text_loss, pair_loss, interleaved_loss, .. } = *row;
        assert_eq!((text_loss, pair_loss), (1.0, 2.0));
        assert!(interleaved_loss.is_nan());
        // Three pairs score three tokens each; the gradient is divided by all that were scored.
        assert_eq!((row.gradient_norm, row.loss_tokens), (0.25, *token_count));
        assert!(*token_count > 9, "text counts too");
    }
}
