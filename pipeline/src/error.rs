//! Why a run cannot be configured, opened or finished.

use thiserror::Error as ThisError;

/// Result of whatever concerns a run as a whole.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run cannot be configured, opened or finished.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A mistake of the user's, with its remedy.
    #[error("{0}")]
    Usage(String),
    /// The run ended as it should, with a result that must not pass for success.
    #[error("{0}")]
    Failed(String),
    /// Something did not work for the reason that is its source.
    #[error("{what}")]
    Because {
        /// What did not work.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stage, the store or the ledger.
    #[error(transparent)]
    Corpus(#[from] corpus::Error),
}

impl From<train::Error> for Error {
    fn from(error: train::Error) -> Self {
        match error {
            train::Error::Corpus(error) => Self::Corpus(error),
            error => Self::Because { what: "cannot use the checkpoints".to_owned(), source: error.into() },
        }
    }
}

impl Error {
    /// Returns a mistake of the user's.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Returns what makes an error of its cause.
    pub fn because<E>(what: impl FnOnce() -> String) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        |source| Self::Because { what: what(), source: source.into() }
    }
}
