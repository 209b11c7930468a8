//! From an error to what the user reads and what a scheduler sees.

use std::process::ExitCode;

use crate::print::note;

/// The command line or the configuration is wrong; trying again does not help.
pub(crate) const USAGE: u8 = 2;
/// Something that may work when it is tried again (sysexits' EX_TEMPFAIL).
pub(crate) const TRANSIENT: u8 = 75;
/// Stopped on request, as shells report an interrupt.
pub(crate) const CANCELLED: u8 = 130;

/// Prints an error with its causes and returns the exit code of its class.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    note!("error: {error}");
    for cause in error.chain().skip(1) {
        note!("  because: {cause}");
    }
    ExitCode::from(class(error))
}

fn class(error: &anyhow::Error) -> u8 {
    if matches!(error.downcast_ref(), Some(pipeline::Error::Usage(_))) {
        return USAGE;
    }
    match error.chain().find_map(of_corpus) {
        Some(corpus::Error::Cancelled) => CANCELLED,
        Some(error) if error.is_transient() => TRANSIENT,
        _ => 1,
    }
}

/// Returns the error of a stage, the store or the ledger, as it is or as a run passes it on.
fn of_corpus<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e corpus::Error> {
    match cause.downcast_ref() {
        Some(pipeline::Error::Corpus(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// The reader of our output went away (`kosmos stats | head`): not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
