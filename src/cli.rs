//! The command line: it selects what to run and where; the configuration decides how. Arguments of a command stand
//! with the command.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser};
use pipeline::place;

use crate::command::Command;

/// Rebuild KOSMOS-1's corpus from its public sources, look into it, train the model on it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Log more: -v for debug, -vv for trace; RUST_LOG is honoured too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which configuration, and what of it is overridden.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// A TOML file, or the name of a built-in configuration (`kosmos config list`)
    pub(crate) config: String,
    /// Override one key: --set train.steps=100 (repeatable; recorded in the run's folder)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Takes a path of this machine, and refuses places elsewhere by name.
pub(crate) fn local() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match place::elsewhere(&path) {
        Some(problem) => Err(problem),
        None => Ok(path),
    })
}
