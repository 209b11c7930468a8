//! Random initial values: a pure function of seed, parameter name and distribution,
//! whatever the machine, the number of threads or the order of parameters.
//!
//! libtorch's own generators give other numbers on other vector units. Here uniform
//! numbers come straight from ChaCha8 and normal ones by Box and Muller with portable
//! logarithm and cosine.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use xxhash_rust::xxh3::xxh3_64;

/// A distribution of initial values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// Every value the same.
    Constant(f32),
    /// Between minus and plus the bound.
    Uniform { bound: f64 },
    /// Around zero.
    Normal { std: f64 },
}

impl Init {
    /// PyTorch's default for the weight and bias of a linear layer.
    pub(crate) fn torch_linear(fan_in: i64) -> Self {
        Self::Uniform { bound: (fan_in as f64).sqrt().recip() }
    }

    /// Glorot's uniform distribution.
    pub(crate) fn xavier_uniform(fan_in: i64, fan_out: i64, gain: f64) -> Self {
        Self::Uniform { bound: gain * (6.0 / (fan_in + fan_out) as f64).sqrt() }
    }

    /// Glorot's normal distribution.
    pub(crate) fn xavier_normal(fan_in: i64, fan_out: i64, gain: f64) -> Self {
        Self::Normal { std: gain * (2.0 / (fan_in + fan_out) as f64).sqrt() }
    }

    /// Returns the first `len` values of the parameter's own stream.
    pub(crate) fn values(self, seed: u64, name: &str, len: usize) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(xxh3_64(name.as_bytes()));
        match self {
            Self::Constant(value) => vec![value; len],
            Self::Uniform { bound } => {
                (0..len).map(|_| ((2.0 * unit(&mut random) - 1.0) * bound) as f32).collect()
            }
            Self::Normal { std } => {
                let mut values = Vec::with_capacity(len + 1);
                while values.len() < len {
                    values.extend(normal_pair(&mut random).map(|value| (value * std) as f32));
                }
                values.truncate(len);
                values
            }
        }
    }
}

/// Returns a number in [0, 1) with 53 random bits.
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal_pair(random: &mut ChaCha8Rng) -> [f64; 2] {
    let radius = (-2.0 * libm::log(1.0 - unit(random))).sqrt();
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * unit(random));
    [radius * cos, radius * sin]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f32]) -> (f64, f64) {
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        (mean, (square / values.len() as f64).sqrt())
    }

    #[test]
    fn values_depend_on_seed_and_name_alone() {
        let init = Init::Normal { std: 1.0 };
        let values = init.values(1, "a", 9);
        assert_eq!(values, init.values(1, "a", 20)[..9]);
        assert_ne!(values, init.values(2, "a", 9));
        assert_ne!(values, init.values(1, "b", 9));
    }

    #[test]
    fn distributions_have_their_moments() {
        let (mean, std) = moments(&Init::Normal { std: 0.5 }.values(1, "w", 40_000));
        assert!(mean.abs() < 0.01 && (std - 0.5).abs() < 0.01, "{mean} {std}");
        let values = Init::torch_linear(16).values(1, "w", 40_000);
        let (mean, std) = moments(&values);
        assert!(mean.abs() < 0.005 && (std - 0.25 / 3_f64.sqrt()).abs() < 0.005, "{mean} {std}");
        assert!(values.iter().all(|value| value.abs() <= 0.25));
    }
}
