//! The stage: loads the trained weights, measures, writes captions and scores.

use std::collections::BTreeMap;
use std::path::PathBuf;

use corpus::record::CAPTIONS;
use corpus::stage::Resources;
use corpus::{Declared, FileStream, Inputs, Output, Stage, Task};
use model::{Learner, OptimizerConfig};
use serde_json::{Value, json};

use crate::amounts::Amounts;
use crate::evaluate::held_out::HeldOut;
use crate::evaluate::{EvaluateConfig, Scores};
use crate::layout::{Layout, PayloadFormat};
use crate::stage::{MODEL, WEIGHT_BYTES, check_vocabulary, computing, open_shards};
use crate::{Kind, Result};

/// The file of [`Scores`].
pub const SCORES: FileStream =
    FileStream { name: "scores", extension: "json", media_type: "application/json" };

/// Evaluates the trained network.
#[derive(Debug, Clone)]
pub struct Evaluate {
    /// The stage's name.
    pub name: String,
    /// The stage that trained the network.
    pub train: String,
    /// The stage that made the tokenizer.
    pub tokenizer: String,
    /// The packing stages, by kind: their held-out sequences are what is measured. Without
    /// pairs no captions are generated.
    pub packed: BTreeMap<Kind, String>,
    /// The options.
    pub config: EvaluateConfig,
    /// The network, as it was trained.
    pub model: model::Config,
    /// Where and how the network computes.
    pub settings: model::Settings,
    /// Sequences of one forward pass.
    pub micro_batch: Amounts,
    /// What the shards hold for each image.
    pub payload: PayloadFormat,
    /// Whether documents of text attend to themselves alone, as they did in training.
    pub reset_attention: bool,
}

impl Stage for Evaluate {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        [&self.train, &self.tokenizer].into_iter().chain(self.packed.values()).cloned().collect()
    }

    fn settings(&self) -> corpus::Result<Value> {
        // Whether attention is reset the fingerprint of training says.
        Ok(json!({
            "evaluate": self.config,
            "model": self.model,
            "precision": self.settings.precision,
            "payload": self.payload,
        }))
    }

    fn plan(&self, _: &Inputs) -> corpus::Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![CAPTIONS.into(), SCORES.into()]
    }

    fn resources(&self) -> Resources {
        computing(WEIGHT_BYTES * self.model.parameter_counts().total, &self.settings)
    }

    fn computes_tensors(&self) -> bool {
        true
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> corpus::Result<()> {
        let open =
            || Ok(model::backend()?.learner(&self.model, &OptimizerConfig::default(), &self.settings)?);
        self.run_with(task, out, open).map_err(|error| error.of_stage(&self.name))
    }
}

impl Evaluate {
    /// Runs the task with the learner that `open` gives, into which the weights are loaded.
    ///
    /// # Errors
    /// When the inputs do not fit the options, or the network fails.
    pub fn run_with(
        &self,
        task: &Task<'_>,
        out: &mut Output<'_>,
        open: impl FnOnce() -> Result<Box<dyn Learner>>,
    ) -> Result<()> {
        // Scores are over all captions, so these are one range.
        out.set_range_records_max(u64::MAX);
        self.config.validate()?;
        let tokenizer = check_vocabulary(task, &self.tokenizer, &self.model)?;
        let shards = open_shards(task, &self.packed)?;
        let mut learner = open()?;
        learner.load(&self.weights(task)?, None)?;
        let data = HeldOut {
            config: &self.config,
            shards: &shards,
            layout: Layout::new(&self.model, self.payload, self.reset_attention),
            micro_batch: self.micro_batch,
            tokenizer: &tokenizer,
            cancel: task.cancel,
        };
        let scores = Scores::measure(&data, &mut *learner, out)?;
        let json =
            serde_json::to_vec_pretty(&scores).map_err(|error| corpus::Error::work(&self.name, error))?;
        Ok(out.write_file(SCORES, json.into())?)
    }

    /// Returns a file of this machine with the weights.
    fn weights(&self, task: &Task<'_>) -> Result<PathBuf> {
        let dataset = task.inputs.get(&self.train)?;
        let part = dataset.file_part(MODEL)?.ok_or_else(|| corpus::Error::Settings {
            stage: self.name.clone(),
            detail: format!("stage {} has no weights", self.train),
        })?;
        Ok(dataset.local_file(&part, &task.scratch)?)
    }
}

#[cfg(test)]
mod tests;
