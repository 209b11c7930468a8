//! The backend of a build without libtorch: nothing can be constructed.

use std::{convert::Infallible, path::Path};

use half::f16;

use crate::{
    Batch, Config, Error, GenerateConfig, Loss, OptimizerConfig, Prompt, Result, Settings, Step, Tap,
    TowerConfig, TowerWeights,
};

/// The network with its gradients and optimiser; needs the feature `torch`.
#[derive(Debug)]
pub struct Model(Infallible);

impl Model {
    /// Returns [`Error::BuiltWithoutTorch`].
    pub fn new(_: &Config, _: &OptimizerConfig, _: &Settings) -> Result<Self> {
        Err(Error::BuiltWithoutTorch)
    }

    /// Cannot be called: there is no model.
    pub fn load_tower(&mut self, _: &TowerWeights) -> Result<()> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn accumulate(&mut self, _: &Batch<'_>, _: u64) -> Result<Loss> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn step(&mut self, _: f64, _: u64) -> Result<Step> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn evaluate(&mut self, _: &Batch<'_>) -> Result<Loss> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn generate(&mut self, _: &[Prompt<'_>], _: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn save(&self, _: &Path, _: &Path) -> Result<()> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn load(&mut self, _: &Path, _: Option<&Path>) -> Result<()> {
        match self.0 {}
    }

    /// Cannot be called: there is no model.
    pub fn parameter_names(&self) -> Vec<(String, Vec<i64>, bool)> {
        match self.0 {}
    }
}

/// A vision tower on its own; needs the feature `torch`.
#[derive(Debug)]
pub struct Tower(Infallible);

impl Tower {
    /// Returns [`Error::BuiltWithoutTorch`].
    pub fn random(_: &TowerConfig, _: u64, _: &Settings) -> Result<Self> {
        Err(Error::BuiltWithoutTorch)
    }

    /// Returns [`Error::BuiltWithoutTorch`].
    pub fn open(_: &Path, _: &TowerConfig, _: &Settings) -> Result<Self> {
        Err(Error::BuiltWithoutTorch)
    }

    /// Cannot be called: there is no tower.
    pub fn features(&self, _: &[f32], _: usize, _: Tap) -> Result<Vec<f16>> {
        match self.0 {}
    }

    /// Cannot be called: there is no tower.
    pub fn weights(&self) -> Result<TowerWeights> {
        match self.0 {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_torch_says_how_to_build_one_with_it() {
        let model = Model::new(&Config::default(), &OptimizerConfig::default(), &Settings::default());
        assert!(model.unwrap_err().to_string().contains("default features"));
    }
}
