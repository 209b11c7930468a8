//! CLIP features of stored images, computed ahead of training.

mod config;
mod preprocess;
mod stage;

pub use config::Config;
pub use preprocess::preprocess;
pub use stage::{Compute, Source};
