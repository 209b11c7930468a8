//! The network in tensors: the only files that name tch.
//!
//! Tensor names end in their shape, one letter an axis; each file has the legend.
//! Everything returns tch's own result, so that a failure deep inside (memory, above
//! all) reaches the caller as an error; `backend` says what was being done.

pub(crate) mod attention;
pub(crate) mod block;
pub(crate) mod checkpoint;
pub(crate) mod decoder;
pub(crate) mod device;
pub(crate) mod generate;
pub(crate) mod init;
pub(crate) mod linear;
pub(crate) mod loss;
pub(crate) mod network;
pub(crate) mod optimizer;
pub(crate) mod parameters;
pub(crate) mod position;
pub(crate) mod resampler;
pub(crate) mod shim;
pub(crate) mod tower;

#[cfg(test)]
mod tests;

/// tch's result.
pub(crate) type Result<T> = std::result::Result<T, tch::TchError>;
