//! AdamW over the trainable parameters, with the gradient averaged and clipped.

use tch::{Device, Kind, Tensor};

use super::{Result, parameters::Parameters, shim};
use model::{OptimizerConfig, Step};

/// AdamW's state.
#[derive(Debug)]
pub(crate) struct AdamW {
    config: OptimizerConfig,
    groups: Vec<Group>,
    /// Gradients of all groups together.
    gradients: Vec<Tensor>,
    /// Steps applied so far.
    pub(crate) step_count: u64,
    device: Device,
}

/// Parameters that share a weight decay, and one of each list per parameter.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) names: Vec<String>,
    parameters: Vec<Tensor>,
    gradients: Vec<Tensor>,
    /// Running means of the gradient.
    pub(crate) means: Vec<Tensor>,
    /// Running means of its square.
    pub(crate) squares: Vec<Tensor>,
    weight_decay: f64,
}

impl AdamW {
    /// Gives every trainable parameter a gradient and two moments of zeros.
    ///
    /// A parameter that a batch does not touch (the resampler's, in a batch of text) has a
    /// gradient of zero and is stepped like any other, as in fairseq and under data
    /// parallelism; so a step does not depend on which batches came before.
    pub(crate) fn new(parameters: &Parameters, config: &OptimizerConfig) -> Result<Self> {
        let decays = |tensor: &Tensor| config.decay_all_parameters || tensor.dim() > 1;
        let group = |decay: bool| {
            let members = parameters.iter().filter(|p| p.trainable && decays(&p.tensor) == decay);
            let (names, tensors) = members.map(|p| (p.name.clone(), p.tensor.shallow_clone())).unzip();
            Group::new(names, tensors, if decay { config.weight_decay } else { 0.0 })
        };
        let mut groups = vec![group(true)?, group(false)?];
        groups.retain(|group| !group.names.is_empty());
        let gradients = groups.iter().flat_map(|group| &group.gradients).map(Tensor::shallow_clone).collect();
        let device = parameters.device();
        Ok(Self { config: config.clone(), groups, gradients, step_count: 0, device })
    }

    /// Updates the parameters by the summed gradients over `token_count`, and zeroes them.
    pub(crate) fn step(&mut self, learning_rate: f64, token_count: u64) -> Result<Step> {
        let gradient_norm = shim::global_norm(&self.gradients)? / token_count as f64;
        let applied = gradient_norm.is_finite();
        if applied {
            let scale = self.config.gradient_scale(gradient_norm, token_count);
            shim::scale(&self.gradients, scale)?;
            self.apply(learning_rate)?;
        }
        shim::zero(&self.gradients)?;
        Ok(Step { gradient_norm, applied })
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    fn apply(&mut self, learning_rate: f64) -> Result<()> {
        self.step_count += 1;
        let count = Tensor::f_full([] as [i64; 0], self.step_count as f64, (Kind::Float, self.device))?;
        for group in &self.groups {
            let tensors = shim::AdamWTensors {
                parameters: &group.parameters,
                gradients: &group.gradients,
                means: &group.means,
                squares: &group.squares,
            };
            let step = shim::AdamWStep {
                learning_rate,
                beta1: self.config.beta1,
                beta2: self.config.beta2,
                weight_decay: group.weight_decay,
                epsilon: self.config.epsilon,
            };
            shim::adamw(&tensors, &count, &step)?;
        }
        Ok(())
    }
}

impl Group {
    fn new(names: Vec<String>, parameters: Vec<Tensor>, weight_decay: f64) -> Result<Self> {
        shim::allocate_gradients(&parameters)?;
        let zeros =
            || -> Result<Vec<Tensor>> { parameters.iter().map(|p| p.f_detach()?.f_zeros_like()).collect() };
        let gradients = parameters.iter().map(Tensor::f_grad).collect::<Result<_>>()?;
        let (means, squares) = (zeros()?, zeros()?);
        Ok(Self { names, parameters, gradients, means, squares, weight_decay })
    }
}
