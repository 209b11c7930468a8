//! The vision tower on its own, without gradients.

use std::path::Path;

use half::f16;
use model::{Error, Result, Settings, Tap, Tower, TowerConfig, TowerWeights, Trainable};

use super::{device, network::Pass, parameters::Parameters, torch, tower};

/// A vision tower on its own, without gradients.
#[derive(Debug)]
pub struct VisionTower {
    settings: Settings,
    config: TowerConfig,
    parameters: Parameters,
    tower: tower::Tower,
}

impl VisionTower {
    /// Builds a tower with CLIP's random initialisation; the same seed gives the same weights
    /// as in [`Model::new`](crate::Model::new).
    pub fn random(config: &TowerConfig, seed: u64, settings: &Settings) -> Result<Self> {
        Self::build(config, Some(seed), settings)
    }

    /// Reads a tower from a safetensors file of Hugging Face's `CLIPVisionModel`, with or
    /// without the `vision_model.` prefix.
    pub fn open(path: &Path, config: &TowerConfig, settings: &Settings) -> Result<Self> {
        let weights = TowerWeights::open(path)?;
        let tower = Self::build(config, None, settings)?;
        tower::load(&tower.parameters, tower::PREFIX, &weights)?;
        Ok(tower)
    }

    fn build(config: &TowerConfig, seed: Option<u64>, settings: &Settings) -> Result<Self> {
        config.validate()?;
        settings.validate()?;
        let device = device::open(settings)?;
        let mut parameters = match seed {
            Some(seed) => Parameters::seeded(seed, device),
            None => Parameters::blank(device),
        };
        // On its own a tower is not trained, whatever the model's config says.
        let config = TowerConfig { trainable: Trainable::None, ..config.clone() };
        let tower = tower::Tower::new(&mut parameters.scope(tower::PREFIX), &config)
            .map_err(torch("build the vision tower"))?;
        Ok(Self { settings: settings.clone(), config, parameters, tower })
    }
}

impl Tower for VisionTower {
    fn features(&self, pixels: &[f32], image_count: usize, tap: Tap) -> Result<Vec<f16>> {
        let expected = image_count.checked_mul(self.config.image_len());
        if expected != Some(pixels.len()) {
            let reason = format!("{} values for {image_count} images", pixels.len());
            return Err(Error::input("pixels", reason));
        }
        if image_count == 0 {
            return Ok(Vec::new());
        }
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| self.tower.encode(pixels, tap, &pass)).map_err(torch("encode images"))
    }

    fn weights(&self) -> Result<TowerWeights> {
        tower::weights(&self.parameters, tower::PREFIX).map_err(torch("copy weights"))
    }
}
