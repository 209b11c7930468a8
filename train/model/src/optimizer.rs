//! The optimiser's options and what a step reports.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// AdamW with a clipped gradient, as PyTorch defines it: decay is decoupled
/// (`p -= lr * weight_decay * p`, before the update) and epsilon is added after the
/// bias correction. (fairseq's Adam adds it before; the two differ only where
/// gradients are near epsilon.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Decay of the running mean (paper 3.2).
    pub beta1: f64,
    /// Decay of the running mean square (paper 3.2).
    pub beta2: f64,
    /// Added to the denominator of the update (Kosmos-2's `train.sh`).
    pub epsilon: f64,
    /// Weight decay (paper 3.2).
    pub weight_decay: f64,
    /// Decay every parameter, including LayerNorms and biases, as fairseq does. If false, only matrices are
    /// decayed.
    pub decay_all_parameters: bool,
    /// Maximum norm of the gradient; 0 disables clipping. The default is from Kosmos-2's `train.sh`.
    pub clip_norm: f64,
}

/// What [`crate::Learner::step`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// 2-norm of the mean gradient, before clipping.
    pub gradient_norm: f64,
    /// False when the norm was not finite: then nothing but the gradient was changed.
    pub applied: bool,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-6,
            weight_decay: 0.01,
            decay_all_parameters: true,
            clip_norm: 2.0,
        }
    }
}

impl OptimizerConfig {
    /// Checks every bound; the error names the key.
    pub fn validate(&self) -> Result<()> {
        let ensure = |key, holds: bool, reason: &str| {
            if holds { Ok(()) } else { Err(Error::Config { key, reason: reason.to_owned() }) }
        };
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let fraction = "must be at least 0 and below 1";
        ensure("optimizer.beta1", (0.0..1.0).contains(&self.beta1), fraction)?;
        ensure("optimizer.beta2", (0.0..1.0).contains(&self.beta2), fraction)?;
        let positive = self.epsilon.is_finite() && self.epsilon > 0.0;
        ensure("optimizer.epsilon", positive, "must be positive")?;
        let reason = "must be finite and not negative";
        ensure("optimizer.weight_decay", not_negative(self.weight_decay), reason)?;
        ensure("optimizer.clip_norm", not_negative(self.clip_norm), reason)
    }

    /// Returns the factor that turns summed gradients of this mean norm into clipped mean ones.
    pub fn gradient_scale(&self, mean_norm: f64, token_count: u64) -> f64 {
        // As torch.nn.utils.clip_grad_norm_ guards the division.
        const NORM_GUARD: f64 = 1e-6;
        let clip = match self.clip_norm > 0.0 {
            true => (self.clip_norm / (mean_norm + NORM_GUARD)).min(1.0),
            false => 1.0,
        };
        clip / token_count as f64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gradients_below_the_clip_norm_are_only_averaged() {
        let config = OptimizerConfig::default();
        assert_eq!(config.gradient_scale(1.5, 4), 0.25);
        assert!((config.gradient_scale(4.0, 1) - 0.5).abs() < 1e-6);
        let off = OptimizerConfig { clip_norm: 0.0, ..config };
        assert_eq!(off.gradient_scale(1e9, 2), 0.5);
    }

    #[test]
    fn betas_of_one_and_a_zero_epsilon_are_refused() {
        OptimizerConfig::default().validate().unwrap();
        assert!(OptimizerConfig { beta2: 1.0, ..Default::default() }.validate().is_err());
        assert!(OptimizerConfig { epsilon: 0.0, ..Default::default() }.validate().is_err());
        assert!(OptimizerConfig { clip_norm: f64::NAN, ..Default::default() }.validate().is_err());
    }
}
