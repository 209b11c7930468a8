//! The backend on libtorch: checks what comes in, and calls `torch`.

use std::path::Path;

use half::f16;

use crate::{
    Batch, Config, Error, GenerateConfig, Loss, OptimizerConfig, Prompt, Result, Settings, Step, Tap,
    TowerConfig, TowerWeights,
    torch::{
        checkpoint, device, generate,
        network::{Network, Pass},
        optimizer::AdamW,
        parameters::Parameters,
        tower,
    },
};

/// The network with its gradients and optimiser.
///
/// One model per process at a time: threads, determinism and the dropout generator are
/// libtorch's own and shared.
#[derive(Debug)]
pub struct Model {
    config: Config,
    settings: Settings,
    parameters: Parameters,
    network: Network,
    optimizer: AdamW,
}

impl Model {
    /// Builds the network with random weights, the same from the same seed on every machine.
    ///
    /// Trainable parameters take 16 bytes each (weight, gradient and two moments), others 4.
    pub fn new(config: &Config, optimizer: &OptimizerConfig, settings: &Settings) -> Result<Self> {
        config.validate()?;
        optimizer.validate()?;
        settings.validate()?;
        let device = device::open(settings)?;
        let mut parameters = Parameters::seeded(settings.seed, device);
        let action = Error::torch("build the network");
        let network = Network::new(&mut parameters, config).map_err(&action)?;
        let optimizer = AdamW::new(&parameters, optimizer).map_err(&action)?;
        Ok(Self { config: config.clone(), settings: settings.clone(), parameters, network, optimizer })
    }

    /// Replaces the weights of the vision tower; every one must be there with its shape.
    pub fn load_tower(&mut self, weights: &TowerWeights) -> Result<()> {
        tower::load(&self.parameters, tower::PREFIX, weights)
    }

    /// Adds the gradient of the batch's summed loss, and returns that loss.
    ///
    /// `seed` determines dropout, whatever was computed before. A batch without scored
    /// targets adds nothing.
    pub fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> Result<Loss> {
        batch.validate(&self.config)?;
        let pass = Pass::training(&self.settings, self.parameters.device(), seed);
        self.network.accumulate(batch, &pass).map_err(Error::torch("accumulate a gradient"))
    }

    /// Updates the weights by the accumulated gradient divided by `token_count`, the scored
    /// targets of the whole global batch; then the gradient is zero.
    ///
    /// A gradient that is not finite is dropped and changes nothing else.
    pub fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step> {
        if token_count == 0 {
            return Err(Error::input("token count", "a step needs at least one scored target"));
        }
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            let reason = format!("must be finite and not negative, is {learning_rate}");
            return Err(Error::input("learning rate", reason));
        }
        self.optimizer.step(learning_rate, token_count).map_err(Error::torch("step the optimiser"))
    }

    /// Returns the batch's loss, without dropout and without a gradient.
    pub fn evaluate(&mut self, batch: &Batch<'_>) -> Result<Loss> {
        batch.validate(&self.config)?;
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| self.network.loss(batch, &pass))
            .map(|(_, loss)| loss)
            .map_err(Error::torch("evaluate a batch"))
    }

    /// Continues each prompt until the end token, which is left out, or a length limit: the
    /// config's own, or what fits the longest sequence. Results are in the prompts' order.
    pub fn generate(&mut self, prompts: &[Prompt<'_>], limits: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        limits.validate()?;
        for prompt in prompts {
            prompt.validate(&self.config)?;
        }
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| generate::generate(&self.network, prompts, limits, &pass))
            .map_err(Error::torch("continue prompts"))
    }

    /// Writes the weights, named as in Hugging Face's Kosmos-2, and the optimiser's state;
    /// equal models give equal bytes. Weights on another device are copied to memory first.
    pub fn save(&self, weights: &Path, optimizer: &Path) -> Result<()> {
        checkpoint::save_weights(&self.parameters, weights)?;
        checkpoint::save_optimizer(&self.optimizer, optimizer)
    }

    /// Reads what [`Model::save`] wrote; other arrays in the files are ignored.
    ///
    /// Without an optimiser file the optimiser is left as it is. Names and shapes are checked
    /// before anything changes; after a read error the model must not be used.
    pub fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> Result<()> {
        checkpoint::load_weights(&self.parameters, weights)?;
        match optimizer {
            Some(path) => checkpoint::load_optimizer(&mut self.optimizer, path),
            None => Ok(()),
        }
    }

    /// Returns each parameter's name, shape, and whether it is trained.
    pub fn parameter_names(&self) -> Vec<(String, Vec<i64>, bool)> {
        self.parameters.iter().map(|p| (p.name.clone(), p.tensor.size(), p.trainable)).collect()
    }
}

/// A vision tower on its own, without gradients.
#[derive(Debug)]
pub struct Tower {
    settings: Settings,
    config: TowerConfig,
    parameters: Parameters,
    tower: tower::Tower,
}

impl Tower {
    /// Builds a tower with CLIP's random initialisation; the same seed gives the same weights
    /// as in [`Model::new`].
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

    /// Computes features of normalised pixels `[image, channel, row, column]`; the result is
    /// `[image, token, width]`. The images are computed at once, so the caller bounds memory
    /// by their number.
    pub fn features(&self, pixels: &[f32], image_count: usize, tap: Tap) -> Result<Vec<f16>> {
        let expected = image_count.checked_mul(self.config.image_len());
        if expected != Some(pixels.len()) {
            let reason = format!("{} values for {image_count} images", pixels.len());
            return Err(Error::input("pixels", reason));
        }
        if image_count == 0 {
            return Ok(Vec::new());
        }
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| self.tower.encode(pixels, tap, &pass)).map_err(Error::torch("encode images"))
    }

    /// Returns a copy of the weights.
    pub fn weights(&self) -> Result<TowerWeights> {
        tower::weights(&self.parameters, tower::PREFIX).map_err(Error::torch("copy weights"))
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
        let config = TowerConfig { trainable: crate::Trainable::None, ..config.clone() };
        let tower = tower::Tower::new(&mut parameters.scope(tower::PREFIX), &config)
            .map_err(Error::torch("build the vision tower"))?;
        Ok(Self { settings: settings.clone(), config, parameters, tower })
    }
}
