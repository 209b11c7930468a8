//! `kosmos inspect`: the first rows of a table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::Location;
use pipeline::opened::{self, Opened};

use crate::cli::{WorkDir, path_or_run};
use crate::opening::environment;
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A run's folder and a stage (DIR text, DIR images.pass0/images), or Parquet files and folders
    #[arg(required = true, value_parser = path_or_run())]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: WorkDir,
    /// Rows to show
    #[arg(long, default_value_t = 5)]
    pub(crate) rows: usize,
    /// Print one JSON object per row
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints rows as JSON: one a line with `--json`, indented without.
pub(crate) fn inspect(arguments: &InspectArgs) -> anyhow::Result<ExitCode> {
    let (paths, work) = (&arguments.paths, arguments.work.work.as_deref());
    let run = match paths.as_slice() {
        [run, stage] => Location::of_run(run, work, &environment)?.map(|run| (run, stage)),
        _ => None,
    };
    let files = match run {
        Some((run, stage)) => Opened::open(&run)?.results(&stage.to_string_lossy(), arguments.rows as u64)?,
        None => opened::files(paths, work, &environment)?,
    };
    for row in inspect::rows(files.paths(), arguments.rows)? {
        if arguments.json {
            say!("{row}")?;
        } else {
            say!("{row:#}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
