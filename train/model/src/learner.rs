//! A learner: what training and evaluation ask of the network, so that both can be tested
//! without one.

use std::{fmt::Debug, path::Path};

use crate::{Batch, GenerateConfig, Loss, Prompt, Result, Step, TowerWeights};

/// A network with its optimiser.
pub trait Learner: Debug {
    /// Replaces the weights of the vision tower.
    ///
    /// # Errors
    /// When one is missing or has another shape.
    fn load_tower(&mut self, weights: &TowerWeights) -> Result<()>;

    /// Adds the gradient of the batch's summed loss, and returns that loss.
    ///
    /// `seed` determines dropout, whatever was computed before. A batch without scored targets adds nothing.
    ///
    /// # Errors
    /// When the batch is refused or the device fails.
    fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> Result<Loss>;

    /// Updates the weights by the accumulated gradient divided by `token_count`, the scored targets of the whole
    /// global batch; then the gradient is zero. A gradient that is not finite is dropped and changes nothing else.
    ///
    /// # Errors
    /// When the device fails.
    fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step>;

    /// Returns the batch's loss, without dropout and without a gradient.
    ///
    /// # Errors
    /// As [`Self::accumulate`].
    fn evaluate(&mut self, batch: &Batch<'_>) -> Result<Loss>;

    /// Continues each prompt until the end token, which is left out, or a length limit: the config's own, or what
    /// fits the longest sequence. Results are in the prompts' order.
    ///
    /// # Errors
    /// When a prompt is refused or the device fails.
    fn generate(&mut self, prompts: &[Prompt<'_>], limits: &GenerateConfig) -> Result<Vec<Vec<u32>>>;

    /// Writes the weights, named as in Hugging Face's Kosmos-2, and the optimiser's state; equal learners give equal
    /// bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    fn save(&self, weights: &Path, optimizer: &Path) -> Result<()>;

    /// Reads what [`Self::save`] wrote; other arrays in the files are ignored. Without an optimiser file the optimiser
    /// is left as it is. Names and shapes are checked before anything changes; after a read error the learner must not
    /// be used.
    ///
    /// # Errors
    /// When a file is missing or does not fit.
    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> Result<()>;
}
