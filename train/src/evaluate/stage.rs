//! The stage: loads the trained weights, captions held-out pairs, writes captions and scores.

use std::collections::BTreeMap;
use std::path::PathBuf;

use corpus::record::{CAPTIONS, Generated, Sequence};
use corpus::stage::Resources;
use corpus::{Dataset, Declared, FileStream, Inputs, Output, Stage, Task};
use model::{Loss, Model, OptimizerConfig, Prompt};
use serde_json::{Value, json};
use shard::tokenizer::Tokenizer;

use crate::evaluate::prompt::Asked;
use crate::evaluate::{EvaluateConfig, Scores};
use crate::images::{ImageLayout, PayloadFormat};
use crate::learner::Learner;
use crate::loader::Shards;
use crate::rows::Rows;
use crate::stage::{MODEL, WEIGHT_BYTES, check_vocabulary, computing, image_layout, open_shards};
use crate::validation::{batches, held_out};
use crate::{Kind, Result};

/// The file of [`Scores`].
pub const SCORES: FileStream =
    FileStream { name: "scores", extension: "json", media_type: "application/json" };
/// The unit in which pairs are counted.
const UNIT: &str = CAPTIONS.name();

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
    pub micro_batch: Rows,
    /// What the shards hold for each image.
    pub payload: PayloadFormat,
}

impl Stage for Evaluate {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn inputs(&self) -> Vec<String> {
        [&self.train, &self.tokenizer].into_iter().chain(self.packed.values()).cloned().collect()
    }

    fn settings(&self) -> corpus::Result<Value> {
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

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> corpus::Result<()> {
        self.run_with(task, out, || Ok(Model::new(&self.model, &OptimizerConfig::default(), &self.settings)?))
            .map_err(|error| error.of_stage(&self.name))
    }
}

impl Evaluate {
    /// Runs the task with the learner that `open` gives, into which the weights are loaded.
    ///
    /// # Errors
    /// When the inputs do not fit the options, or the network fails.
    pub fn run_with<L: Learner>(
        &self,
        task: &Task<'_>,
        out: &mut Output<'_>,
        open: impl FnOnce() -> Result<L>,
    ) -> Result<()> {
        // Scores are over all captions, so these are one range.
        out.set_range_records_max(u64::MAX);
        self.config.validate()?;
        let tokenizer = check_vocabulary(task, &self.tokenizer, &self.model)?;
        let shards = open_shards(task, &self.packed)?;
        let layout = image_layout(&self.model, self.payload);
        let mut learner = open()?;
        learner.load(&self.weights(task)?, None)?;
        let mut scores = Scores::new(&self.config.words);
        self.measure_losses(&mut learner, &shards, &layout, &mut scores)?;
        if let Some(pairs) = shards.get(&Kind::Pairs) {
            let mut captions = Captions { out: &mut *out, scores: &mut scores, index: 0 };
            self.caption(task, &mut learner, (pairs, &layout, &tokenizer), &mut captions)?;
        }
        let json =
            serde_json::to_vec_pretty(&scores).map_err(|error| corpus::Error::work(&self.name, error))?;
        Ok(out.write_file(SCORES, json.into())?)
    }

    fn measure_losses(
        &self,
        learner: &mut impl Learner,
        shards: &Shards,
        layout: &ImageLayout,
        scores: &mut Scores,
    ) -> Result<()> {
        for (&kind, dataset) in shards {
            let (mut loss, mut sequences) = (Loss::default(), 0);
            let rows_max = self.config.sequences_max;
            for batch in batches((kind, dataset), rows_max, self.micro_batch, layout) {
                let batch = batch?;
                loss += learner.evaluate(&batch.as_batch())?;
                sequences += batch.row_count as u64;
            }
            if sequences > 0 {
                scores.add_loss(kind, sequences, loss);
            }
        }
        Ok(())
    }

    fn caption(
        &self,
        task: &Task<'_>,
        learner: &mut impl Learner,
        (pairs, layout, tokenizer): (&Dataset, &ImageLayout, &Tokenizer),
        captions: &mut Captions<'_, '_>,
    ) -> Result<()> {
        let mut rows = held_out(pairs).take(self.config.pairs_max as usize);
        let at_once = self.config.generate.rows_max.max(1) as usize;
        loop {
            task.cancel.check()?;
            let rows: Vec<Sequence> = rows.by_ref().take(at_once).collect::<corpus::Result<_>>()?;
            if rows.is_empty() {
                return Ok(());
            }
            let asked: Vec<Asked> = rows.iter().map(|row| Asked::new(row, layout)).collect::<Result<_>>()?;
            let prompts: Vec<Prompt<'_>> = asked.iter().map(Asked::prompt).collect();
            let answers = learner.generate(&prompts, &self.config.generate)?;
            for (asked, answer) in asked.iter().zip(&answers) {
                let reference = tokenizer.text(&asked.reference);
                let row = Generated { id: asked.id, reference, caption: tokenizer.text(answer) };
                captions.add(row, &self.config)?;
            }
        }
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

/// Where captions are counted, scored and written.
struct Captions<'o, 'a> {
    out: &'o mut Output<'a>,
    scores: &'o mut Scores,
    index: u64,
}

impl Captions<'_, '_> {
    fn add(&mut self, row: Generated, config: &EvaluateConfig) -> Result<()> {
        self.scores.add_caption(&row, &config.words);
        self.index += 1;
        // A rerun generates all captions again, but those in the ledger stay as they are.
        if self.index <= self.out.position() {
            return Ok(());
        }
        self.out.read(UNIT);
        self.out.write(CAPTIONS, row)?;
        self.out.keep(UNIT);
        Ok(self.out.advance(1)?)
    }
}

#[cfg(test)]
mod tests;
