//! Errors: what went wrong, and where.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A config value is out of bounds or contradicts another.
    #[error("model.{key} {reason}")]
    Config {
        /// Dotted key below the model section.
        key: &'static str,
        /// What must hold.
        reason: String,
    },
    /// A batch, prompt or argument does not have the shape that the model expects.
    #[error("invalid {what}: {reason}")]
    Input {
        /// The field or argument.
        what: &'static str,
        /// What must hold.
        reason: String,
    },
    /// The process was given nothing to compute with.
    #[error("this program computes no tensors: kosmos-torch does")]
    NoBackend,
    /// The device does not exist or cannot be used.
    #[error("cannot use device {device}: {reason}")]
    Device {
        /// The device, as in the settings.
        device: String,
        /// Why.
        reason: String,
    },
    /// libtorch failed.
    #[error("libtorch failed to {action}: {message}")]
    Torch {
        /// What was being done.
        action: &'static str,
        /// libtorch's message, without its C++ backtrace.
        message: String,
    },
    /// A file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file is not a valid safetensors file.
    #[error("not a valid safetensors file: {}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file lacks an array, or holds it with another shape or type.
    #[error("array {name} of {}: {reason}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The array's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Weights held in memory do not fit the config.
    #[error("weight {name}: {reason}")]
    Weight {
        /// The weight's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Refuses a field or an argument, and says what must hold.
    pub fn input(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Input { what, reason: reason.into() }
    }
}
