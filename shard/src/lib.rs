//! Tables -> training shards: interleaved documents, CLIP features, tokenizer, packing.

pub mod features;
pub mod flow;
pub mod interleaved;
pub mod pack;
pub mod tokenizer;
