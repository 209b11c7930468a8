//! What can go wrong when a table is looked at.

use std::path::PathBuf;

/// Result of looking.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A table that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot {action} {path}")]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Nothing to look at.
    #[error("no parquet file in {path}")]
    NoParts {
        /// The folder that was searched.
        path: PathBuf,
    },
    /// More files than are looked at together.
    #[error("more than {max} files below {path}: choose a folder within it")]
    TooManyParts {
        /// The folder that was searched.
        path: PathBuf,
        /// The bound.
        max: usize,
    },
    /// The file is no readable parquet file.
    #[error("{path} is not a readable parquet file")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: parquet::errors::ParquetError,
    },
    /// The rows of a file could not be decoded.
    #[error("cannot decode the rows of {path}")]
    Rows {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: arrow::error::ArrowError,
    },
    /// The statistics of a table could not be computed.
    #[error("cannot compute the statistics of {subject}")]
    Statistics {
        /// The table or its column.
        subject: String,
        /// What polars says.
        source: polars::error::PolarsError,
    },
}
