//! What can go wrong with our own files and machine.

use std::path::PathBuf;

use crate::digest::Digest;

/// A failure we cannot turn into data: the run stops, names it, and can be continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A local file could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The store refused or failed.
    #[error("cannot {action} {path} in the store")]
    Store {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The path within the store.
        path: String,
        /// The store's answer.
        source: object_store::Error,
    },
    /// Nothing says how a place of a run is reached.
    #[error("cannot use {place}: {detail}")]
    Place {
        /// The place.
        place: String,
        /// What is wrong, and the remedy.
        detail: String,
    },
    /// A part is not the parquet table it should be.
    #[error("part {path} is not a readable {table} table: {detail}")]
    Table {
        /// The part's path within the store.
        path: String,
        /// The record type expected in it.
        table: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A part is not what the ledger says.
    #[error("part {path} is damaged: {detail}; `kosmos verify --repair` makes it again")]
    Part {
        /// The part's path within the store.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// A ledger entry or manifest cannot be understood.
    #[error("ledger entry {path} is damaged: {detail}; `kosmos verify --repair` mends it")]
    Ledger {
        /// The entry's path within the store.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// The law of conservation does not hold: a fault of our own.
    #[error("records lost in {stage} task {task}: {detail}")]
    Conservation {
        /// The stage.
        stage: String,
        /// The task's index.
        task: u32,
        /// The unit and its counts.
        detail: String,
    },
    /// A stage needs the dataset of another one, which is not sealed.
    #[error("stage {input} is not sealed yet: run it first")]
    MissingInput {
        /// The stage whose dataset is needed.
        input: String,
    },
    /// A stage has no stream of this name and type.
    #[error("stage {stage} has no stream {stream}; there are: {there}")]
    UnknownStream {
        /// The stage.
        stage: String,
        /// The stream that was asked for, with its table.
        stream: String,
        /// The streams that the stage has, each with its table.
        there: String,
    },
    /// A file that settings name has other bytes than they state.
    #[error("the SHA-256 of {} is {found}, not {stated} as stated", path.display())]
    OtherDigest {
        /// The file.
        path: PathBuf,
        /// What is stated.
        stated: String,
        /// What it is.
        found: Digest,
    },
    /// A setting of the stage cannot work.
    #[error("stage {stage}: {detail}")]
    Settings {
        /// The stage.
        stage: String,
        /// What is wrong, and the remedy.
        detail: String,
    },
    /// An input that the stage cannot do without could not be had from outside.
    #[error("cannot get {url}: {detail}")]
    Source {
        /// The URL or path.
        url: String,
        /// What happened.
        detail: String,
    },
    /// The stage's own computation failed.
    #[error("stage {stage} failed")]
    Work {
        /// The stage.
        stage: String,
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another attempt at the task committed the range first: this one begins again behind it.
    #[error("another attempt committed range {range} of task {task} first")]
    Outrun {
        /// The task's index.
        task: u32,
        /// The range that was lost.
        range: u32,
    },
    /// A range that was to be tried alone came to its end; nothing was committed.
    #[error("the range came to its end")]
    Tried,
    /// The user asked to stop; nothing was committed after that.
    #[error("stopped on request")]
    Cancelled,
}

impl Error {
    /// Wraps an error of a library that a stage works with.
    pub fn work(stage: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Work { stage: stage.to_owned(), source: source.into() }
    }

    /// Returns a function which names the file for an IO error.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Returns a function which names the setting that gave a file for an error about the file.
    pub fn of_setting(stage: &str, key: &str) -> impl FnOnce(Self) -> Self {
        move |error| {
            let words: Vec<String> = causes(&error).map(ToString::to_string).collect();
            Self::Settings { stage: stage.to_owned(), detail: format!("{key}: {}", words.join(": ")) }
        }
    }

    /// Returns true if and only if another attempt at the task is ahead, also where a stage's own error
    /// wraps it.
    pub fn is_outrun(&self) -> bool {
        causes(self).any(|cause| matches!(cause.downcast_ref(), Some(Self::Outrun { .. })))
    }

    /// Returns true if and only if a range was tried and came to its end, also where a stage's own error wraps
    /// that.
    pub(crate) fn is_tried(&self) -> bool {
        causes(self).any(|cause| matches!(cause.downcast_ref(), Some(Self::Tried)))
    }

    /// Returns true if and only if the store said that there is no such object.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Store { source: object_store::Error::NotFound { .. }, .. })
    }

    /// Returns true if and only if the same task may succeed when it is tried again. A full disk and a
    /// missing permission do not go away by themselves.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source { .. } => true,
            Self::Store { source, .. } => !is_lasting(source),
            _ => false,
        }
    }
}

/// Returns true if and only if the store's answer is the same however often it is asked.
pub(crate) fn is_lasting(error: &object_store::Error) -> bool {
    use object_store::Error as Store;
    match error {
        Store::NotFound { .. }
        | Store::PermissionDenied { .. }
        | Store::Unauthenticated { .. }
        | Store::NotSupported { .. }
        | Store::NotImplemented { .. }
        | Store::InvalidPath { .. } => true,
        other if is_refusal(other) => true,
        other => os_error(other).is_some_and(|error| {
            use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
            matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded)
        }),
    }
}

/// Returns true if and only if a server said that the request is wrong. `object_store` keeps the status in the words
/// of its error alone.
fn is_refusal(error: &object_store::Error) -> bool {
    let words = error.to_string();
    let status = words.split_once("non-2xx status code: ").and_then(|(_, rest)| rest.get(..3));
    match status.and_then(|digits| digits.parse::<u16>().ok()) {
        // S3 says so of a request that came too slowly.
        Some(400) => !words.contains("RequestTimeout"),
        Some(408 | 409 | 412 | 425 | 429) => false,
        Some(status) => (400..500).contains(&status),
        None => false,
    }
}

/// Returns the operating system's error among the causes of an error, if there is one.
pub(crate) fn os_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e std::io::Error> {
    causes(error)
        .find_map(|cause| cause.downcast_ref::<std::io::Error>().filter(|e| e.raw_os_error().is_some()))
}

/// Returns an error and what caused it, one after the other.
pub(crate) fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(code: i32) -> Error {
        let source = std::io::Error::from_raw_os_error(code).into();
        let source = object_store::Error::Generic { store: "folder", source };
        Error::Store { action: "write", path: "a".into(), source }
    }

    #[test]
    fn what_a_server_refuses_is_not_tried_again_and_what_it_cannot_do_now_is() {
        let answered = |status: &str| {
            let words = format!(
                "Error performing PUT http://h/409 in 2ms - Server returned non-2xx status code: {status}: "
            );
            let source = object_store::Error::Generic { store: "S3", source: words.into() };
            Error::Store { action: "write", path: "a".into(), source }.is_transient()
        };
        for status in ["503 Service Unavailable", "500 Internal Server Error", "429 Too Many Requests"] {
            assert!(answered(status), "{status}");
        }
        assert!(answered("400 Bad Request: <Code>RequestTimeout</Code>"));
        for status in ["400 Bad Request: <Code>ExpiredToken</Code>", "405 Method Not Allowed", "411 x"] {
            assert!(!answered(status), "{status}");
        }
    }

    #[test]
    fn a_full_disk_and_a_missing_permission_are_not_tried_again() {
        for code in [libc::ENOSPC, libc::EDQUOT, libc::EACCES, libc::EPERM, libc::EROFS] {
            assert!(!store(code).is_transient(), "{code}");
        }
        for code in [libc::EIO, libc::ETIMEDOUT, libc::EMFILE, libc::ESTALE] {
            assert!(store(code).is_transient(), "{code}");
        }
    }
}
