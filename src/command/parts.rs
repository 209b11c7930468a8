//! `kosmos parts`: the paths of a stage's files, for Python, DuckDB and the shell.

use std::process::ExitCode;

use clap::Args;
use pipeline::Opened;

use crate::cli::RunDir;
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct PartsArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// The stage, such as text or images.pass0
    pub(crate) stage: String,
    /// One of its streams [default: all]
    #[arg(conflicts_with = "results")]
    pub(crate) stream: Option<String>,
    /// The stream of its results alone, without what was removed
    #[arg(long)]
    pub(crate) results: bool,
}

/// Prints a path a line, of a run in an object store a URL.
pub(crate) fn parts(arguments: &PartsArgs) -> anyhow::Result<ExitCode> {
    let opened = Opened::open(&arguments.run.location()?)?;
    let named = match &arguments.stream {
        Some(stream) => format!("{}/{stream}", arguments.stage),
        None if arguments.results => opened.stream_of_results(&arguments.stage)?,
        None => arguments.stage.clone(),
    };
    for place in opened.places(&named)? {
        say!("{place}")?;
    }
    Ok(ExitCode::SUCCESS)
}
