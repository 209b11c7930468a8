//! KOSMOS-1's network on libtorch: the only crate that names tch, and the only one that links libtorch.
//!
//! Only the executable `kosmos-torch` depends on it, and hands it to the crate `model` by [`provide`]; all others
//! compute through the traits there.
//!
//! Tensor names end in their shape, one letter an axis; each file has the legend. Everything inside returns tch's own
//! result, so that a failure deep down (memory, above all) reaches the caller as an error; `backend` says what was
//! being done.

mod attention;
mod backend;
mod beam;
mod block;
mod checkpoint;
mod decoder;
mod device;
mod documents;
mod generate;
mod init;
mod learner;
mod linear;
mod loss;
mod network;
mod optimizer;
mod parameters;
mod position;
mod resampler;
mod shim;
mod tower;
mod vision;

pub use backend::{Torch, provide};
pub use learner::Model;
pub use vision::VisionTower;

/// tch's result.
pub(crate) type Result<T> = std::result::Result<T, tch::TchError>;

/// Returns a converter from tch's error that names what was being done.
pub(crate) fn torch(action: &'static str) -> impl Fn(tch::TchError) -> model::Error {
    move |error| {
        let text = error.to_string();
        // What follows is a backtrace of C++.
        let message = text.split("\nException raised from").next().unwrap_or(&text);
        model::Error::Torch { action, message: message.trim().to_owned() }
    }
}

#[cfg(test)]
mod tests;
