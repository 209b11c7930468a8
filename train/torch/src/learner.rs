//! The network as a learner: checks what comes in, and computes.

use std::path::Path;

use model::{
    Batch, Config, Error, GenerateConfig, Learner, Loss, OptimizerConfig, Prompt, Result, Settings, Step,
    TowerWeights,
};

use super::{
    checkpoint, device, generate,
    network::{Network, Pass},
    optimizer::AdamW,
    parameters::Parameters,
    torch, tower,
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
        let action = torch("build the network");
        let network = Network::new(&mut parameters, config).map_err(&action)?;
        let optimizer = AdamW::new(&parameters, optimizer).map_err(&action)?;
        Ok(Self { config: config.clone(), settings: settings.clone(), parameters, network, optimizer })
    }

    /// Returns each parameter's name, shape, and whether it is trained.
    pub fn parameter_names(&self) -> Vec<(String, Vec<i64>, bool)> {
        self.parameters.iter().map(|p| (p.name.clone(), p.tensor.size(), p.trainable)).collect()
    }
}

impl Learner for Model {
    fn load_tower(&mut self, weights: &TowerWeights) -> Result<()> {
        tower::load(&self.parameters, tower::PREFIX, weights)
    }

    fn accumulate(&mut self, batch: &Batch<'_>, seed: u64) -> Result<Loss> {
        batch.validate(&self.config)?;
        let pass = Pass::training(&self.settings, self.parameters.device(), seed);
        self.network.accumulate(batch, &pass).map_err(torch("accumulate a gradient"))
    }

    fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step> {
        if token_count == 0 {
            return Err(Error::input("token count", "a step needs at least one scored target"));
        }
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            let reason = format!("must be finite and not negative, is {learning_rate}");
            return Err(Error::input("learning rate", reason));
        }
        self.optimizer.step(learning_rate, token_count).map_err(torch("step the optimiser"))
    }

    fn evaluate(&mut self, batch: &Batch<'_>) -> Result<Loss> {
        batch.validate(&self.config)?;
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| self.network.loss(batch, &pass))
            .map(|(_, loss)| loss)
            .map_err(torch("evaluate a batch"))
    }

    fn generate(&mut self, prompts: &[Prompt<'_>], limits: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        limits.validate()?;
        for prompt in prompts {
            prompt.validate(&self.config)?;
        }
        let pass = Pass::inference(&self.settings, self.parameters.device());
        tch::no_grad(|| generate::generate(&self.network, prompts, limits, &pass))
            .map_err(torch("continue prompts"))
    }

    fn save(&self, weights: &Path, optimizer: &Path) -> Result<()> {
        checkpoint::save_weights(&self.parameters, weights)?;
        checkpoint::save_optimizer(&self.optimizer, optimizer)
    }

    fn load(&mut self, weights: &Path, optimizer: Option<&Path>) -> Result<()> {
        checkpoint::load_weights(&self.parameters, weights)?;
        match optimizer {
            Some(path) => checkpoint::load_optimizer(&mut self.optimizer, path),
            None => Ok(()),
        }
    }
}
