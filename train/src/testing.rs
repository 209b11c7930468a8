//! What the tests of this crate share: small sequences, shards of them, and a learner that is
//! no network but remembers all it was given.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use corpus::record::Sequence;
use corpus::{Dataset, FileStream, Inputs, Stage, Store};
use corpus_testing::{GivenFile, GivenSequences, StopAfter, run_stage, run_stage_quietly};
use model::{Batch, GenerateConfig, Learner, Loss, Prompt, Step, Tap, TowerWeights};

use crate::layout::{Layout, PayloadFormat};
use crate::{Amounts, Config};

mod fixtures;

use fixtures::LATENT_COUNT;
pub(crate) use fixtures::{config, held_out, network, pair, text, tokenizer_file, tower};

pub(crate) fn layout() -> Layout {
    let format = PayloadFormat::Features(Tap::BeforeLastBlock);
    Layout { latent_count: LATENT_COUNT, format, tower: tower(), reset_attention: false }
}

/// Runs a stage in a store and seals it; asks for a stop after so many records.
pub(crate) fn run_until(
    store: &Store,
    stage: &dyn Stage,
    inputs: &Inputs,
    stop_after: u64,
) -> corpus::Result<Dataset> {
    let stop = StopAfter::new(stop_after);
    run_stage(store, 1, (&stop, &stop.cancel), stage, inputs)
}

/// Runs a stage in a store to its end, and seals it.
pub(crate) fn run(store: &Store, stage: &dyn Stage, inputs: &Inputs) -> corpus::Result<Dataset> {
    run_until(store, stage, inputs, u64::MAX)
}

/// Makes a sealed dataset of these parts.
pub(crate) fn shard(store: &Store, name: &str, parts: Vec<Vec<Sequence>>) -> Dataset {
    run_stage_quietly(store, &GivenSequences { name: name.to_owned(), parts })
}

/// Makes a sealed dataset of one file.
pub(crate) fn file(store: &Store, name: &str, stream: FileStream, bytes: Vec<u8>) -> Dataset {
    run_stage_quietly(store, &GivenFile { name: name.to_owned(), stream, bytes })
}

/// A learner of three numbers, which depend on every token, mask and seed, and on the order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FakeLearner {
    pub(crate) weight: f64,
    pub(crate) momentum: f64,
    pub(crate) gradient: f64,
    /// Steps (from 1) whose gradient is not finite.
    pub(crate) nonfinite_steps: BTreeSet<u64>,
    /// Completed steps.
    pub(crate) step: u64,
    /// Whether the disk is full.
    pub(crate) save_fails: Cell<bool>,
    /// What each prompt is answered, by its image's first value.
    pub(crate) answers: BTreeMap<u32, Vec<u32>>,
}

impl FakeLearner {
    fn hash(batch: &Batch<'_>, seed: u64) -> f64 {
        let bytes = format!("{batch:?}{seed}");
        corpus::random::uniform(seed, "fake", bytes.as_bytes())
    }
}

impl Learner for FakeLearner {
    fn load_tower(&mut self, _: &TowerWeights) -> model::Result<()> {
        Ok(())
    }

    fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> model::Result<Loss> {
        let gradient = Self::hash(batch, seed);
        self.gradient += gradient * (1.0 + self.weight);
        let token_count = batch.loss_mask.iter().filter(|scored| **scored).count() as u64;
        Ok(Loss { nll_sum: gradient * token_count as f64, token_count })
    }

    fn step(&mut self, learning_rate: f64, token_count: u64) -> model::Result<Step> {
        self.step += 1;
        let gradient = std::mem::take(&mut self.gradient) / token_count as f64;
        if self.nonfinite_steps.contains(&self.step) {
            return Ok(Step { gradient_norm: f64::NAN, applied: false });
        }
        self.momentum = 0.9 * self.momentum + gradient;
        self.weight -= learning_rate * self.momentum;
        Ok(Step { gradient_norm: gradient.abs(), applied: true })
    }

    fn evaluate(&mut self, batch: &Batch<'_>) -> model::Result<Loss> {
        let token_count = batch.loss_mask.iter().filter(|scored| **scored).count() as u64;
        let nll_sum = (Self::hash(batch, 0) + self.weight) * token_count as f64;
        Ok(Loss { nll_sum, token_count })
    }

    fn generate(&mut self, prompts: &[Prompt<'_>], _: &GenerateConfig) -> model::Result<Vec<Vec<u32>>> {
        let answer = |prompt: &Prompt<'_>| match prompt.payload {
            model::Payload::Features { values, .. } => {
                self.answers.get(&(values[0].to_f32() as u32)).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(prompts.iter().map(answer).collect())
    }

    fn save(&self, weights: &Path, optimizer: &Path) -> model::Result<()> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| model::Error::Io { path, source }
        };
        std::fs::write(weights, self.weight.to_bits().to_le_bytes()).map_err(io(weights))?;
        if self.save_fails.get() {
            return Err(io(optimizer)(std::io::ErrorKind::StorageFull.into()));
        }
        let state = [self.momentum.to_bits().to_le_bytes(), self.step.to_le_bytes()].concat();
        std::fs::write(optimizer, state).map_err(io(optimizer))
    }

    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> model::Result<()> {
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        self.weight = f64::from_bits(number(&std::fs::read(weights).unwrap()));
        if let Some(optimizer) = optimizer {
            let state = std::fs::read(optimizer).unwrap();
            self.momentum = f64::from_bits(number(&state[..8]));
            self.step = number(&state[8..]);
        }
        Ok(())
    }
}
