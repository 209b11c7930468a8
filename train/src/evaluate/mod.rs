//! The stage `evaluate`: captions of images that the network has not seen, and scores.
//!
//! ```text
//! stage     Evaluate       loads the network, measures, writes captions and scores
//! held_out  HeldOut        what every measurement is given
//! scores    Scores         the list of measurements
//! captions  CaptionScores  captions of held-out pairs, and how well they agree with the pairs' own
//! prompt    CaptionPrompt  a pair cut into what is given and what is to be found
//! words     named          which word of a group a caption names
//! losses    KindLoss       losses on held-out sequences
//! ```

mod captions;
mod config;
mod held_out;
mod losses;
mod prompt;
mod scores;
mod stage;
mod words;

pub use captions::{CaptionScores, WordScore};
pub use config::EvaluateConfig;
pub use losses::KindLoss;
pub use scores::Scores;
pub use stage::{Evaluate, SCORES};
