//! kosmos: rebuilds KOSMOS-1's corpus, shows what is in it, and trains the model on it.
//!
//! This crate is the command line: it parses, calls the library crates, and shows progress and results. It is the only
//! crate that prints.
//!
//! It is the same for two executables. `kosmos` links no libtorch, which takes a quarter of a second and 150 MB to
//! load; where a stage computes tensors it goes on as `kosmos-torch`, which does.

mod cli;
mod command;
mod exit;
mod logging;
mod opening;
mod print;
mod progress;
mod scores;
mod signal;
mod table;
mod tensors;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::Parser;
use print::note;

/// Runs the command that the process was started with; the exit code tells scripts how it ended.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(panicked));
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        // What was typed may hold what a terminal obeys; clap prints it as it is.
        Err(error) if std::env::args().any(|argument| *print::escaped_line(&argument) != argument) => {
            note!("{}", error.render());
            return ExitCode::from(exit::USAGE);
        }
        Err(error) => error.exit(),
    };
    logging::start(arguments.verbose);
    corpus::handles::raise();
    if let Some(cache) = pipeline::cache_folder(&opening::environment) {
        corpus::remembered::remember_in(cache.join("digests"));
    }
    match command::execute(arguments.command, arguments.verbose) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

/// Reports a fault of our own. A panic of a decoder on somebody's data is none: it becomes a failed record.
fn panicked(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    if corpus::crash::is_catching() {
        tracing::debug!(message, place, "a panic over a record");
        return;
    }
    note!("internal error: {message} (at {place})");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        note!("{trace}");
    }
}
