//! The two layers that everything is made of: linear and LayerNorm.

use tch::Tensor;

use super::{Result, init::Init, parameters::Scope};

/// LayerNorm's epsilon, everywhere (torchscale, CLIP).
const NORM_EPSILON: f64 = 1e-5;

/// An affine map of the last axis.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// How a linear layer starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearInit {
    pub(crate) weight: Init,
    pub(crate) bias: Init,
}

impl LinearInit {
    /// Normal weights and no bias.
    pub(crate) fn normal(std: f64) -> Self {
        Self { weight: Init::Normal { std }, bias: Init::Constant(0.0) }
    }

    /// PyTorch's default.
    pub(crate) fn torch(fan_in: i64) -> Self {
        Self { weight: Init::torch_linear(fan_in), bias: Init::torch_linear(fan_in) }
    }
}

impl Linear {
    pub(crate) fn new(mut scope: Scope<'_>, inputs: i64, outputs: i64, init: LinearInit) -> Result<Self> {
        let weight = scope.create("weight", &[outputs, inputs], init.weight)?;
        let bias = scope.create("bias", &[outputs], init.bias)?;
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.f_linear(&self.weight, Some(&self.bias))
    }

    pub(crate) fn shallow_clone(&self) -> Self {
        Self { weight: self.weight.shallow_clone(), bias: self.bias.shallow_clone() }
    }
}

/// Normalisation of the last axis.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    pub(crate) fn new(mut scope: Scope<'_>, width: i64) -> Result<Self> {
        let weight = scope.create("weight", &[width], Init::Constant(1.0))?;
        let bias = scope.create("bias", &[width], Init::Constant(0.0))?;
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let shape = self.weight.size();
        x.f_layer_norm(shape, Some(&self.weight), Some(&self.bias), NORM_EPSILON, true)
    }

    pub(crate) fn shallow_clone(&self) -> Self {
        Self { weight: self.weight.shallow_clone(), bias: self.bias.shallow_clone() }
    }
}
