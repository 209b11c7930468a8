//! The stage `evaluate`: captions of images that the network has not seen, and scores.
//!
//! ```text
//! stage   Evaluate  reads held-out pairs, generates, writes captions and scores
//! prompt  Asked     a pair cut into what is given and what is to be found
//! words   named     which word of a group a caption names
//! scores  Scores    losses, exact matches, and agreement by group of words
//! ```

mod config;
mod prompt;
mod scores;
mod stage;
mod words;

pub use config::EvaluateConfig;
pub use scores::{KindLoss, Scores, WordScore};
pub use stage::{Evaluate, SCORES};
