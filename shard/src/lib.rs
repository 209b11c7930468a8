//! Tables -> training shards: interleaved documents, CLIP features, tokenizer, packing.

pub mod features;
pub mod flow;
pub mod interleaved;
pub mod pack;
pub mod tokenizer;
mod tower_start;

pub use tower_start::{TOWER, TOWER_WEIGHTS, TowerStart};
