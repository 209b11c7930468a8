//! What computes with tensors: filled in by the one executable that has libtorch.

use std::{fmt::Debug, path::Path, sync::OnceLock};

use half::f16;

use crate::{Config, Error, Learner, OptimizerConfig, Result, Settings, Tap, TowerConfig, TowerWeights};

static BACKEND: OnceLock<&'static dyn Backend> = OnceLock::new();

/// Says what this process computes with; the first one stays.
pub fn provide(backend: &'static dyn Backend) {
    let _ = BACKEND.set(backend);
}

/// Returns what this process computes with.
///
/// # Errors
/// [`Error::NoBackend`], if nothing was provided.
pub fn backend() -> Result<&'static dyn Backend> {
    BACKEND.get().copied().ok_or(Error::NoBackend)
}

/// Makes networks and vision towers.
pub trait Backend: Debug + Sync {
    /// Builds the network with random weights, the same from the same seed on every machine.
    ///
    /// Trainable parameters take 16 bytes each (weight, gradient and two moments), others 4.
    ///
    /// # Errors
    /// When the settings are out of bounds or the device cannot be used.
    fn learner(
        &self,
        config: &Config,
        optimizer: &OptimizerConfig,
        settings: &Settings,
    ) -> Result<Box<dyn Learner>>;

    /// Builds a vision tower with CLIP's random initialisation; the same seed gives the same weights as in
    /// [`Self::learner`].
    ///
    /// # Errors
    /// As [`Self::learner`].
    fn random_tower(&self, config: &TowerConfig, seed: u64, settings: &Settings) -> Result<Box<dyn Tower>>;

    /// Reads a vision tower from a safetensors file of Hugging Face's `CLIPVisionModel`, with or without the
    /// `vision_model.` prefix.
    ///
    /// # Errors
    /// As [`Self::learner`]; when the file cannot be read or does not fit the config.
    fn open_tower(&self, path: &Path, config: &TowerConfig, settings: &Settings) -> Result<Box<dyn Tower>>;
}

/// A vision tower on its own, without gradients.
pub trait Tower: Debug + Send {
    /// Computes features of normalised pixels `[image, channel, row, column]`; the result is
    /// `[image, token, width]`. The images are computed at once, so the caller bounds memory by their number.
    ///
    /// # Errors
    /// When the pixels are not those of so many images, or the device fails.
    fn features(&self, pixels: &[f32], image_count: usize, tap: Tap) -> Result<Vec<f16>>;

    /// Returns a copy of the weights.
    ///
    /// # Errors
    /// When the device fails.
    fn weights(&self) -> Result<TowerWeights>;
}
