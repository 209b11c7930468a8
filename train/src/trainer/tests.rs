#![allow(clippy::unwrap_used)]

use std::path::Path;

use corpus::{Fingerprint, Store};

use super::*;
use crate::loader::{Feed, Shards};
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

/// Trains in a folder from its newest checkpoint; returns the state and what was seen.
fn train(
    folder: &Path,
    config: &Config,
    learner: &mut FakeLearner,
    stop_after: Option<usize>,
) -> (Result<State>, Seen) {
    let store = Store::local(folder).unwrap();
    let fingerprint = Fingerprint::parse("0123456789abcdef").unwrap();
    let checkpoints = Checkpoints::of(&store, &fingerprint, config.checkpoints_kept);
    let state = checkpoints.newest(|_| ()).unwrap().map_or_else(State::default, |checkpoint| {
        learner.load(&checkpoint.weights(), Some(&checkpoint.optimizer())).unwrap();
        checkpoint.state
    });
    let shards = shards(&store);
    let none = BTreeMap::new();
    let feed = Feed::open(config, &shards, &none, layout(), Rank::ONLY, &state.loader).unwrap();
    let validation = Validation::read(&shards, 3, config.micro_batch_rows(), &layout()).unwrap();
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
fn dropout_seeds_differ_by_step_and_micro_batch() {
    let seeds: std::collections::BTreeSet<u64> =
        (0..20).flat_map(|step| (0..20).map(move |micro_batch| dropout_seed(1, step, micro_batch))).collect();
    assert_eq!(seeds.len(), 400);
}
