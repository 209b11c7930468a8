//! Tables -> training shards: image shards, interleaved documents, CLIP features, tokenizer, packing.

pub mod features;
pub mod images;
pub mod interleaved;
pub mod pack;
mod spool;
pub mod tokenizer;
