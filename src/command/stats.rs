//! `kosmos stats`: what is in parquet files, column by column.

use std::process::ExitCode;

use crate::cli::StatsArgs;

/// Prints statistics of files and folders.
pub(crate) fn stats(arguments: &StatsArgs) -> anyhow::Result<ExitCode> {
    let statistics = inspect::stats(&arguments.paths)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&statistics)?);
    } else {
        print!("{statistics}");
    }
    Ok(ExitCode::SUCCESS)
}
