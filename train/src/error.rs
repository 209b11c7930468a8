//! Errors: what went wrong in training or evaluation, and where.

use std::path::PathBuf;

use crate::Kind;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A config value is out of bounds or contradicts another.
    #[error("{section}.{key} {reason}")]
    Config {
        /// The section: `train` or `evaluate`.
        section: &'static str,
        /// Dotted key below the section.
        key: &'static str,
        /// What must hold.
        reason: String,
    },
    /// The network failed or refused its input.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A dataset or the store failed, or a stop was asked for.
    #[error(transparent)]
    Corpus(#[from] corpus::Error),
    /// A shard's row cannot be what packing writes.
    #[error("{kind} sequence of {id}: {reason}")]
    Sequence {
        /// Which shard.
        kind: Kind,
        /// The first document, pair or page of the sequence.
        id: corpus::Id,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to train on or to evaluate.
    #[error("no {kind} sequences: {reason}")]
    NoSequences {
        /// Which shard.
        kind: Kind,
        /// Why, and the remedy.
        reason: String,
    },
    /// The loader's thread ended without a word.
    #[error("the loader's thread ended")]
    LoaderEnded,
    /// The loss or the gradient was not finite for too long.
    #[error(
        "training diverged: {count} steps in a row up to step {step} had a loss or gradient that is not finite"
    )]
    Diverged {
        /// The last of them.
        step: u64,
        /// How many.
        count: u32,
    },
    /// A checkpoint's file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A checkpoint is not what was published.
    #[error("checkpoint {} is damaged: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer does not fit the network or the shards.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// What is wrong, and the remedy.
        reason: String,
    },
}

impl Error {
    /// Returns a function which names the file for an IO error.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Returns a function which says in which section a key is that the network checks.
    pub(crate) fn of_section(section: &'static str) -> impl Fn(model::Error) -> Self {
        move |error| match error {
            model::Error::Config { key, reason } => Self::Config { section, key, reason },
            other => other.into(),
        }
    }

    /// Returns the error as the stage contract wants it; a request to stop stays one.
    pub(crate) fn of_stage(self, stage: &str) -> corpus::Error {
        match self {
            Self::Corpus(error) => error,
            other => corpus::Error::work(stage, other),
        }
    }
}
