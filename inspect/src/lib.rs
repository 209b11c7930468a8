//! Looking at tables: statistics over many parts, and the first rows of one.
//!
//! ```text
//! statistics  stats(paths)       what is in every column, by polars, in bounded memory
//! rows        rows(paths, count) the first rows as JSON, by arrow, with payloads described
//! ```
//!
//! Any parquet file can be looked at, one of ours or not.

mod error;
mod parts;
pub mod rows;
pub mod statistics;

pub use error::{Error, Result};
pub use rows::rows;
pub use statistics::{Statistics, stats};

#[cfg(test)]
mod testing;
