//! `kosmos parts`: the paths of a stage's files, for Python, DuckDB and the shell.

use std::process::ExitCode;

use crate::cli::PartsArgs;
use crate::print::say;
use pipeline::Opened;

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
