//! Images: one shuffled fetch list over pairs and pages, fetched in passes, stored resized.
//!
//! ```text
//! pairs, pages -> uses -> list -> targets -> pass 0 -> images, page_images, retry -> pass 1 -> ...
//! ```

mod address;
mod bicubic;
mod budget;
mod config;
mod decode;
mod duplicates;
mod earlier;
mod encode;
mod evaluation;
mod fault;
pub mod flow;
mod footprint;
mod jpeg;
mod list;
mod measure;
mod outcome;
mod pass;
mod pixels;
mod resize;
mod stated;
mod store;

pub use address::{Address, Key};
pub use budget::Lease;
pub use config::{Config, Format, Mode, Preprocess};
pub use decode::{Decoded, Decoder};
pub use duplicates::Duplicates;
pub use evaluation::Evaluation;
pub use fault::Fault;
pub use list::{List, Uses};
pub use measure::Measures;
pub use pass::Pass;
pub use pixels::Pixels;
pub use resize::{resize, short_side_to};
pub use store::{Stored, store};
