//! Interleaved documents: a page's text and images in reading order, by KOSMOS-1's rules
//! (paper appendix B.1.3).

mod build;
mod compose;
mod config;
mod gathered;
mod rule;
mod sentence;

pub use build::Build;
pub use compose::{Piece, compose};
pub use config::Config;
pub use rule::{Candidate, Left, Refusal, Seen};
pub use sentence::{first_sentences, last_sentences};
