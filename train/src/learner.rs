//! A learner: what training and evaluation ask of the network, so that both can be tested
//! without one.

use std::path::Path;

use model::{Batch, GenerateConfig, Loss, Model, Prompt, Result, Step};

/// A network with its optimiser; [`Model`] is the real one.
pub trait Learner {
    /// Adds the gradient of the batch's summed loss, and returns that loss. The seed determines
    /// dropout.
    ///
    /// # Errors
    /// When the batch is refused or the device fails.
    fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> Result<Loss>;

    /// Updates the weights by the accumulated gradient divided by `token_count`.
    ///
    /// # Errors
    /// When the device fails.
    fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step>;

    /// Returns the batch's loss, without dropout and without a gradient.
    ///
    /// # Errors
    /// As [`Self::accumulate`].
    fn evaluate(&mut self, batch: &Batch<'_>) -> Result<Loss>;

    /// Continues each prompt, in the prompts' order.
    ///
    /// # Errors
    /// When a prompt is refused or the device fails.
    fn generate(&mut self, prompts: &[Prompt<'_>], limits: &GenerateConfig) -> Result<Vec<Vec<u32>>>;

    /// Writes weights and optimiser; equal learners give equal bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    fn save(&self, weights: &Path, optimizer: &Path) -> Result<()>;

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When a file is missing or does not fit.
    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> Result<()>;
}

impl Learner for Model {
    fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> Result<Loss> {
        self.accumulate(batch, seed)
    }

    fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step> {
        self.step(learning_rate, token_count)
    }

    fn evaluate(&mut self, batch: &Batch<'_>) -> Result<Loss> {
        self.evaluate(batch)
    }

    fn generate(&mut self, prompts: &[Prompt<'_>], limits: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        self.generate(prompts, limits)
    }

    fn save(&self, weights: &Path, optimizer: &Path) -> Result<()> {
        self.save(weights, optimizer)
    }

    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> Result<()> {
        self.load(weights, optimizer)
    }
}
