//! Model and tower: two files with the same signatures, one for each state of the
//! feature `torch`.

#[cfg(not(feature = "torch"))]
mod disabled;
#[cfg(feature = "torch")]
mod enabled;

#[cfg(not(feature = "torch"))]
pub use disabled::{Model, Tower};
#[cfg(feature = "torch")]
pub use enabled::{Model, Tower};
