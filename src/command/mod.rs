//! One file per subcommand.

mod classifier;
mod config;
mod export;
mod extract;
mod gc;
mod inspect;
mod parts;
mod run;
mod stats;
mod status;
mod task;
mod train;
mod verify;

use std::process::ExitCode;

use crate::cli::Command;

/// Runs a subcommand; the exit code tells scripts how it ended.
pub(crate) fn execute(command: Command, verbose: u8) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::Task(arguments) => task::task(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Stats(arguments) => stats::stats(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Parts(arguments) => parts::parts(&arguments),
        Command::Train(arguments) => train::train(arguments),
        Command::Extract(arguments) => extract::extract(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Classifier(arguments) => classifier::classifier(&arguments),
        Command::Config(command) => config::config(command),
        Command::Gc(arguments) => gc::gc(&arguments, verbose > 0),
    }
}
