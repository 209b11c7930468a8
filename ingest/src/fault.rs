//! Faults of source files: damage is data, an error of the transport is not.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use corpus::Error;

/// The file, or a part of it, does not decompress or decode.
pub const FILE_BROKEN: &str = "file_broken";
/// The file has 0 bytes.
pub const FILE_EMPTY: &str = "file_empty";
/// The server of the file says that there is none (404 or 410).
pub const FILE_MISSING: &str = "file_missing";
/// The file may not be opened.
pub const FILE_UNREADABLE: &str = "file_unreadable";
/// The file has no column of a name that was given.
pub const COLUMN_MISSING: &str = "column_missing";
/// A column of the file holds lists or objects where a text is needed.
pub const COLUMN_NESTED: &str = "column_nested";
/// A record begins further into its file than an id's position can express.
pub const POSITION_TOO_LARGE: &str = "position_too_large";

/// Why a file, or a part of it, gives no records. Data, never an error of the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FileFault {
    /// One of the reasons in this module, or that the file becomes too much.
    pub reason: &'static str,
    /// What is wrong, where, and how many bytes were lost.
    pub detail: String,
}

impl FileFault {
    pub(crate) fn broken(detail: impl Into<String>) -> Self {
        Self { reason: FILE_BROKEN, detail: detail.into() }
    }

    /// Returns true if it speaks of what the settings ask for as much as of the file.
    pub(crate) fn is_of_settings(&self) -> bool {
        [COLUMN_MISSING, COLUMN_NESTED].contains(&self.reason)
    }

    pub(crate) fn empty() -> Self {
        Self { reason: FILE_EMPTY, detail: "0 bytes".to_owned() }
    }

    /// Returns the fault that an IO error carries; none for errors of the transport.
    pub(crate) fn of_io(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().cloned()
    }

    /// Takes the fault out of an error of a stage.
    ///
    /// # Errors
    /// The error itself, if it carries none.
    pub(crate) fn of_error(error: Error) -> Result<Self, Error> {
        match error {
            Error::Work { stage, source } => match source.downcast::<Self>() {
                Ok(fault) => Ok(*fault),
                Err(source) => Err(Error::Work { stage, source }),
            },
            error => Err(error),
        }
    }
}

impl From<FileFault> for io::Error {
    fn from(fault: FileFault) -> Self {
        Self::other(fault)
    }
}

/// Remembers whether an error came from the transport: decoders wrap it beyond recognition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transport(Arc<AtomicBool>);

impl Transport {
    /// Notes the result of a read; one that was merely interrupted is tried again.
    pub(crate) fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let failed = |error: &io::Error| error.kind() != io::ErrorKind::Interrupted;
        if result.as_ref().is_err_and(failed) {
            self.0.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Returns true if and only if a read has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A reader whose errors are noted as the transport's, and whose bytes are counted.
pub(crate) struct Watched<R> {
    source: R,
    transport: Transport,
    bytes: u64,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(source: R, transport: Transport) -> Self {
        Self { source, transport, bytes: 0 }
    }

    /// Returns the number of bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns true if and only if a read has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.transport.has_failed()
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.transport.note(self.source.read(buffer))?;
        self.bytes += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_in_errors_and_other_errors_stay_what_they_are() {
        let fault = FileFault::broken("at byte 3");
        assert_eq!(FileFault::of_io(&fault.clone().into()), Some(fault.clone()));
        assert_eq!(FileFault::of_io(&io::Error::other("disk")), None);
        assert_eq!(FileFault::of_error(Error::work("s", fault.clone())).unwrap(), fault);
        assert!(FileFault::of_error(Error::work("s", "other")).is_err());
        assert!(matches!(FileFault::of_error(Error::Cancelled), Err(Error::Cancelled)));
    }

    #[test]
    fn an_error_of_the_transport_is_remembered_and_an_interruption_is_not() {
        let transport = Transport::default();
        let _ = transport.note::<()>(Err(io::ErrorKind::Interrupted.into()));
        assert!(!transport.has_failed());
        let _ = transport.note::<()>(Err(io::Error::other("disk")));
        assert!(transport.clone().has_failed());
    }
}
