//! The parameters of a network, in the order in which its parts made them.

use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::{Result, init::Init};

/// One named weight.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// The leaf tensor; the network's parts hold handles to the same one.
    pub(crate) tensor: Tensor,
    pub(crate) trainable: bool,
}

/// All weights of a network.
#[derive(Debug)]
pub(crate) struct Parameters {
    entries: Vec<Parameter>,
    /// None leaves values undefined, to be loaded.
    seed: Option<u64>,
    device: Device,
}

impl Parameters {
    /// Begins parameters with random values.
    pub(crate) fn seeded(seed: u64, device: Device) -> Self {
        Self { entries: Vec::new(), seed: Some(seed), device }
    }

    /// Begins parameters whose values are loaded before they are used.
    pub(crate) fn blank(device: Device) -> Self {
        Self { entries: Vec::new(), seed: None, device }
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.entries.iter()
    }

    /// Returns a place for parameters whose names begin with `name`, trainable unless said
    /// otherwise.
    pub(crate) fn scope(&mut self, name: &str) -> Scope<'_> {
        Scope { parameters: self, name: name.to_owned(), trainable: true }
    }
}

impl Parameter {
    pub(crate) fn shape(&self) -> Vec<usize> {
        self.tensor.size().iter().map(|&size| size as usize).collect()
    }

    /// Overwrites the values, row-major.
    pub(crate) fn fill(&self, values: &[f32]) -> Result<()> {
        overwrite(&self.tensor, values)
    }
}

/// Overwrites a tensor's values, row-major.
pub(crate) fn overwrite(tensor: &Tensor, values: &[f32]) -> Result<()> {
    if values.len() != tensor.numel() {
        let reason = format!("{} values for shape {:?}", values.len(), tensor.size());
        return Err(TchError::Shape(reason));
    }
    let source = Tensor::f_from_slice(values)?.f_reshape(tensor.size())?;
    no_grad(|| tensor.shallow_clone().f_copy_(&source))
}

/// A place in the tree of parameter names.
pub(crate) struct Scope<'a> {
    parameters: &'a mut Parameters,
    name: String,
    trainable: bool,
}

impl Scope<'_> {
    /// Returns the place `name` below this one.
    pub(crate) fn child(&mut self, name: &str) -> Scope<'_> {
        let name = format!("{}.{name}", self.name);
        Scope { parameters: self.parameters, name, trainable: self.trainable }
    }

    /// Returns this place with its parameters trained or not.
    pub(crate) fn trainable(self, trainable: bool) -> Self {
        Self { trainable, ..self }
    }

    /// Makes the parameter `name` of this place.
    pub(crate) fn create(&mut self, name: &str, shape: &[i64], init: Init) -> Result<Tensor> {
        let name = format!("{}.{name}", self.name);
        let device = self.parameters.device;
        let tensor = match self.parameters.seed {
            Some(seed) => {
                let len = shape.iter().product::<i64>() as usize;
                let values = init.values(seed, &name, len);
                Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to_device(device)?
            }
            None => Tensor::f_empty(shape, (Kind::Float, device))?,
        };
        let tensor = tensor.f_set_requires_grad(self.trainable)?;
        let handle = tensor.shallow_clone();
        self.parameters.entries.push(Parameter { name, tensor, trainable: self.trainable });
        Ok(handle)
    }
}
