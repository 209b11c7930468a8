//! Documents, pairs and pages as sequences of tokens: what the model is given.
//!
//! ```text
//! draft        Draft         one sequence under construction: tokens, loss, images, spans
//! text         TextPacker    documents -> sequences of lines, several documents to a sequence
//! best_fit     BestFit       the same, every document whole where it fits
//! pair         pair          a caption and its image -> one sequence
//! shared       shared        several of those -> one sequence, best fit first (bins)
//! interleaved  interleaved   texts and images in reading order -> one sequence
//! payload      Payloads      what goes into an image's slots: encoded image or features
//! stage        PackText, PackPairs, PackInterleaved, and the section `[pack]`
//! ```
//!
//! Sources: the paper's section 2.1 and table 21, and the loaders of microsoft/unilm
//! (`unilm/data/spm_lm_loader.py`, `laion2b_loader.py`), which decide the details.

mod best_fit;
mod bins;
mod config;
mod draft;
mod error;
mod interleaved;
mod pair;
mod payload;
mod shared;
pub mod stage;
mod text;

pub use best_fit::BestFit;
pub use config::{InterleavedConfig, PairConfig, PairFit, TextConfig, TextFit};
pub use draft::{Draft, Frame};
pub use error::PackError;
pub use interleaved::{Item, Packed, interleaved};
pub use pair::pair;
pub use shared::shared;
pub use text::TextPacker;
