//! `kosmos parts`: the paths of a stage's files, for Python, DuckDB and the shell.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::Opened;

use crate::cli::local;
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct PartsArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// The stage, such as text or images.pass0
    pub(crate) stage: String,
    /// One of its streams [default: all]
    pub(crate) stream: Option<String>,
}

/// Prints a path a line.
pub(crate) fn parts(arguments: &PartsArgs) -> anyhow::Result<ExitCode> {
    let named = match &arguments.stream {
        Some(stream) => format!("{}/{stream}", arguments.stage),
        None => arguments.stage.clone(),
    };
    for path in Opened::open(&arguments.dir)?.files(&named)? {
        say!("{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
