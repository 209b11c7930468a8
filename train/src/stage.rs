//! The stage `train`: shards in, weights out. It has one task, which resumes from checkpoints.

use std::collections::BTreeMap;

use bytes::Bytes;
use corpus::record::{STEPS, TrainStep};
use corpus::stage::Resources;
use corpus::{Declared, FileStream, Inputs, Output, Stage, Task};
use model::{Learner, TowerWeights};
use serde_json::{Value, json};
use shard::TowerStart;
use shard::tokenizer::{TOKENIZER_MODEL, Tokenizer};

use crate::checkpoint::{Checkpoints, State};
use crate::drawn::{shares, step_parts};
use crate::layout::{Layout, PayloadFormat};
use crate::loader::{Loader, MicroBatches, Shards};
use crate::sampler::Rank;
use crate::trainer::{Observer, Trainer};
use crate::validation::Validation;
use crate::{Config, Error, Kind, Result};

/// The trained weights.
pub const MODEL: FileStream =
    FileStream { name: "model", extension: "safetensors", media_type: "application/safetensors" };
/// The validation losses.
pub const VALIDATION: FileStream =
    FileStream { name: "validation", extension: "json", media_type: "application/json" };
/// What was really drawn: tokens by kind, of text by set.
pub const MIXTURE: FileStream =
    FileStream { name: "mixture", extension: "json", media_type: "application/json" };
/// What a step had of each kind, beside what was asked for.
pub const BATCH: FileStream = FileStream { name: "batch", extension: "json", media_type: "application/json" };
/// What is counted: steps.
const UNIT: &str = STEPS.name();

/// Bytes of a parameter, and of one that is trained.
pub(crate) const WEIGHT_BYTES: u64 = 4;
const TRAINED_BYTES: u64 = 16;

/// Returns what a task needs that computes with a network of so many bytes.
pub(crate) fn computing(bytes: u64, settings: &model::Settings) -> Resources {
    let memory_mb = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
    let (cpus, gpus) = (settings.thread_count, settings.device.gpus());
    Resources { cpus, gpus, ..Resources::with_memory_mb(memory_mb) }
}

/// Trains the network.
#[derive(Debug, Clone)]
pub struct Train {
    /// The stage's name.
    pub name: String,
    /// The stage that made the tokenizer.
    pub tokenizer: String,
    /// The packing stages, by kind; at least those of the kinds in the batch.
    pub packed: BTreeMap<Kind, String>,
    /// The options.
    pub config: Config,
    /// The network.
    pub model: model::Config,
    /// What the shards hold for each image.
    pub payload: PayloadFormat,
    /// The vision tower at the start.
    pub tower: TowerStart,
}

impl Stage for Train {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        let tower = self.tower.input().map(str::to_owned);
        std::iter::once(&self.tokenizer).chain(self.packed.values()).cloned().chain(tower).collect()
    }

    fn settings(&self) -> corpus::Result<Value> {
        let tower = match &self.tower {
            TowerStart::Random { seed } => json!({"random": {"seed": seed}}),
            TowerStart::File(_) => json!({"file": self.tower.digest(&self.name)?}),
            TowerStart::Downloaded { stage } => json!({"stage": stage}),
        };
        Ok(json!({
            "train": self.config.identity(),
            "model": self.model,
            "payload": self.payload,
            "tower": tower,
        }))
    }

    fn plan(&self, _: &Inputs) -> corpus::Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![MODEL.into(), STEPS.into(), VALIDATION.into(), MIXTURE.into(), BATCH.into()]
    }

    fn resources(&self) -> Resources {
        let counts = self.model.parameter_counts();
        // Weights, gradients and two moments of the optimiser.
        let bytes = TRAINED_BYTES * counts.trainable + WEIGHT_BYTES * (counts.total - counts.trainable);
        computing(bytes, &self.config.model_settings())
    }

    fn computes_tensors(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> corpus::Result<()> {
        self.run_with(task, out, || self.open_network(task)).map_err(|error| error.of_stage(&self.name))
    }
}

impl Train {
    /// Runs the task with the learner that `open` gives.
    ///
    /// # Errors
    /// As [`Trainer::run`]; when the inputs do not fit the options.
    pub fn run_with(
        &self,
        task: &Task<'_>,
        out: &mut Output<'_>,
        open: impl FnOnce() -> Result<Box<dyn Learner>>,
    ) -> Result<()> {
        // Checkpoints are where a rerun goes on, so all steps are one range.
        out.set_range_records_max(u64::MAX);
        self.config.validate()?;
        check_vocabulary(task, &self.tokenizer, &self.model)?;
        let shards = open_shards(task, &self.packed)?;
        let layout = Layout::new(&self.model, self.payload, self.config.reset_attention);
        let kept = self.config.checkpoints_kept;
        let checkpoints = Checkpoints::of(task.store, task.fingerprint, &task.scratch, kept);
        task.progress.expect(self.config.steps);
        let mut learner = open()?;
        let mut observer = Rows { out: &mut *out, task };
        let state = resume(&checkpoints, &mut *learner, &mut observer)?;
        let feed = MicroBatches::open(&self.config, &shards, layout.clone(), Rank::ONLY, &state.loader)?;
        let (rows_max, pass) = (self.config.validation_rows, self.config.pass());
        let validation = match self.config.evaluate_steps {
            0 => Validation::default(),
            _ => Validation::read(&shards, rows_max, pass, &layout)?,
        };
        let trainer = Trainer {
            config: &self.config,
            learner: &mut *learner,
            loader: Loader::start(feed, self.config.micro_batches_ahead)?,
            validation: &validation,
            checkpoints: &checkpoints,
            state,
        };
        let state = trainer.run(task.cancel, &mut observer)?;
        let parts = step_parts(&self.config, &state);
        parts.iter().for_each(|(kind, part)| observer.log(&format!("a step had {kind}: {part}")));
        publish(out, &self.config, &checkpoints, &state)
    }

    fn open_network(&self, task: &Task<'_>) -> Result<Box<dyn Learner>> {
        let settings = self.config.model_settings();
        let weights = match self.tower.file(task)? {
            Some(file) => TowerWeights::open(&file)?,
            None => self.tower.open(task, model::backend()?, &self.model.tower, &settings)?.weights()?,
        };
        let mut network = model::backend()?.learner(&self.model, &self.config.optimizer, &settings)?;
        network.load_tower(&weights)?;
        Ok(network)
    }
}

/// Returns the datasets of the packing stages.
pub(crate) fn open_shards(task: &Task<'_>, packed: &BTreeMap<Kind, String>) -> Result<Shards> {
    let open = |(kind, stage): (&Kind, &String)| Ok((*kind, task.inputs.get(stage)?.clone()));
    packed.iter().map(open).collect()
}

/// Reads the tokenizer and checks that the network has a row for every token.
pub(crate) fn check_vocabulary(task: &Task<'_>, stage: &str, model: &model::Config) -> Result<Tokenizer> {
    let refused = |reason| Error::Tokenizer { reason };
    let bytes = task.inputs.get(stage)?.file(TOKENIZER_MODEL)?;
    let bytes = bytes.ok_or_else(|| refused(format!("stage {stage} has no file model")))?;
    let tokenizer = Tokenizer::parse(&bytes).map_err(|error| refused(error.to_string()))?;
    let (tokens, rows) = (tokenizer.vocabulary().size(), model.decoder.vocabulary_size);
    if tokens > rows {
        return Err(refused(format!(
            "{tokens} tokens, but the network has {rows}: set decoder.vocabulary_size to {tokens}"
        )));
    }
    Ok(tokenizer)
}

/// Takes up the newest checkpoint, if there is one, and tells its steps again.
fn resume(
    checkpoints: &Checkpoints,
    learner: &mut dyn Learner,
    observer: &mut impl Observer,
) -> Result<State> {
    let Some(checkpoint) = checkpoints.newest(|line| observer.log(line))? else {
        return Ok(State::default());
    };
    learner.load(checkpoint.weights(), Some(checkpoint.optimizer()))?;
    let resumed = format!("resumed after step {}", checkpoint.state.step);
    observer.log(&resumed);
    checkpoint.state.steps.iter().try_for_each(|row| observer.step(row))?;
    observer.note(&resumed);
    Ok(checkpoint.state)
}

/// Writes the trained weights, as the last checkpoint holds them, the validation losses, and what was drawn.
fn publish(out: &mut Output<'_>, config: &Config, checkpoints: &Checkpoints, state: &State) -> Result<()> {
    let weights = checkpoints.weights(state.step)?;
    out.copy_file(MODEL, &weights)?;
    let json = |value: serde_json::Result<Vec<u8>>| {
        let path = weights.clone();
        value.map(Bytes::from).map_err(|error| Error::Checkpoint { path, reason: error.to_string() })
    };
    out.write_file(VALIDATION, json(serde_json::to_vec_pretty(&state.validations))?)?;
    out.write_file(MIXTURE, json(serde_json::to_vec_pretty(&shares(&state.loader)))?)?;
    Ok(out.write_file(BATCH, json(serde_json::to_vec_pretty(&step_parts(config, state)))?)?)
}

/// Writes steps as rows, and logs to the task's progress.
struct Rows<'o, 'a, 't> {
    out: &'o mut Output<'a>,
    task: &'o Task<'t>,
}

impl Observer for Rows<'_, '_, '_> {
    fn step(&mut self, row: &TrainStep) -> corpus::Result<()> {
        self.out.read(UNIT);
        self.out.write(STEPS, row.clone())?;
        self.out.keep(UNIT);
        self.out.advance(1)
    }

    fn log(&mut self, line: &str) {
        self.task.progress.log(line);
    }

    fn note(&mut self, words: &str) {
        self.task.progress.note(words);
    }
}

#[cfg(test)]
mod tests;
