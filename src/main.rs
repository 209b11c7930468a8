//! kosmos: rebuilds KOSMOS-1's corpus, shows what is in it, and trains the model on it.
//!
//! This crate is the command line: it parses, resolves the configuration, calls the library
//! crates, and shows progress and results. It is the only crate that prints.

mod cli;
mod command;
mod config;
mod exit;
mod flow;
mod folder;
mod logging;
mod names;
mod number;
mod ordered;
mod print;
mod progress;
mod run;
mod sample_web;
mod scores;
mod selected;
mod sources;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    logging::start(arguments.verbose);
    corpus::handles::raise();
    match command::execute(arguments.command, arguments.verbose) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
