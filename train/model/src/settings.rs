//! Where and how the network runs: settings that do not change what it is.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most threads that a setting may ask for.
const THREAD_COUNT_MAX: u32 = 1024;

/// Device, precision, threads and seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The device to compute on. Default CPU.
    pub device: Device,
    /// Default float32.
    pub precision: Precision,
    /// CPU threads per operation, for the whole process. Default 1.
    pub thread_count: u32,
    /// Use only bit-reproducible algorithms, for the whole process. On CUDA this also needs
    /// `CUBLAS_WORKSPACE_CONFIG=:4096:8` in the environment. Default on.
    pub deterministic: bool,
    /// Seed of the initial weights. Default 1.
    pub seed: u64,
}

/// The device that holds the weights and computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// A CUDA device, by index.
    Cuda(u32),
}

impl Device {
    /// Returns the number of GPUs that it is.
    pub fn gpus(self) -> u32 {
        match self {
            Self::Cpu => 0,
            Self::Cuda(_) => 1,
        }
    }
}

/// The precision of matrix products; weights, losses and optimiser state are float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// float32 throughout.
    #[default]
    F32,
    /// Autocast to bfloat16.
    Bf16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { device: Device::Cpu, precision: Precision::F32, thread_count: 1, deterministic: true, seed: 1 }
    }
}

impl Settings {
    /// Checks the bounds.
    pub fn validate(&self) -> Result<()> {
        if (1..=THREAD_COUNT_MAX).contains(&self.thread_count) {
            return Ok(());
        }
        Err(Error::Config {
            key: "thread_count",
            reason: format!("is {}, must be from 1 to {THREAD_COUNT_MAX}", self.thread_count),
        })
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda {index}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_written_as_cpu_or_cuda_with_an_index() {
        let settings: Settings = toml::from_str("device = { cuda = 1 }\nprecision = 'bf16'").unwrap();
        assert_eq!(settings.device, Device::Cuda(1));
        assert_eq!(settings.precision, Precision::Bf16);
        assert_eq!(toml::from_str::<Settings>("device = 'cpu'").unwrap(), Settings::default());
    }

    #[test]
    fn no_threads_are_refused() {
        let settings = Settings { thread_count: 0, ..Settings::default() };
        assert!(settings.validate().is_err());
    }
}
