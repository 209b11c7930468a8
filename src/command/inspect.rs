//! `kosmos inspect`: the first rows of a table.

use std::process::ExitCode;

use crate::cli::InspectArgs;

/// Prints rows as JSON: one a line with `--json`, indented without.
pub(crate) fn inspect(arguments: &InspectArgs) -> anyhow::Result<ExitCode> {
    for row in inspect::rows(&arguments.path, arguments.rows)? {
        if arguments.json {
            println!("{row}");
        } else {
            println!("{row:#}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
