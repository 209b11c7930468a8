//! `kosmos stats`: what is in parquet files, column by column.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::opened;

use crate::cli::{WorkDir, path_or_run};
use crate::opening::environment;
use crate::print::{self, say};

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// A run's folder and its stages (DIR text, DIR images.pass0/images), or Parquet files and folders
    #[arg(required = true, value_parser = path_or_run())]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: WorkDir,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints statistics of files and folders.
pub(crate) fn stats(arguments: &StatsArgs) -> anyhow::Result<ExitCode> {
    let files = opened::files(&arguments.paths, arguments.work.work.as_deref(), &environment)?;
    let statistics = inspect::stats(files.paths())?;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&statistics)?)?;
    } else {
        print::text(&statistics.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
