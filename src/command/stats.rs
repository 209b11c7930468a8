//! `kosmos stats`: what is in parquet files, column by column.

use std::process::ExitCode;

use crate::cli::StatsArgs;
use crate::print::{self, say};
use pipeline::opened;

/// Prints statistics of files and folders.
pub(crate) fn stats(arguments: &StatsArgs) -> anyhow::Result<ExitCode> {
    let statistics = inspect::stats(&opened::files(&arguments.paths)?)?;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&statistics)?)?;
    } else {
        print::text(&statistics.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
