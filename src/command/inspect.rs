//! `kosmos inspect`: the first rows of a table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use corpus::gc::MARKER;
use pipeline::opened::{self, Opened};

use crate::cli::local;
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A run's folder and a stage (DIR text, DIR images.pass0/images), or Parquet files and folders
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// Rows to show
    #[arg(long, default_value_t = 5)]
    pub(crate) rows: usize,
    /// Print JSON, one row a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints rows as JSON: one a line with `--json`, indented without.
pub(crate) fn inspect(arguments: &InspectArgs) -> anyhow::Result<ExitCode> {
    let files = match arguments.paths.as_slice() {
        [run, stage] if run.join(MARKER).exists() => Opened::open(run)?.results(&stage.to_string_lossy())?,
        paths => opened::files(paths)?,
    };
    for row in inspect::rows(&files, arguments.rows)? {
        if arguments.json {
            say!("{row}")?;
        } else {
            say!("{row:#}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
