//! The backend that the crate `model` is given.

use std::path::Path;

use model::{Backend, Config, Learner, OptimizerConfig, Result, Settings, Tower, TowerConfig};

use super::{learner::Model, vision::VisionTower};

/// libtorch.
#[derive(Debug)]
pub struct Torch;

impl Backend for Torch {
    fn learner(
        &self,
        config: &Config,
        optimizer: &OptimizerConfig,
        settings: &Settings,
    ) -> Result<Box<dyn Learner>> {
        Ok(Box::new(Model::new(config, optimizer, settings)?))
    }

    fn random_tower(&self, config: &TowerConfig, seed: u64, settings: &Settings) -> Result<Box<dyn Tower>> {
        Ok(Box::new(VisionTower::random(config, seed, settings)?))
    }

    fn open_tower(&self, path: &Path, config: &TowerConfig, settings: &Settings) -> Result<Box<dyn Tower>> {
        Ok(Box::new(VisionTower::open(path, config, settings)?))
    }
}

/// Makes libtorch what this process computes with.
pub fn provide() {
    model::provide(&Torch);
}
