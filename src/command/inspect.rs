//! `kosmos inspect`: the first rows of a table.

use std::process::ExitCode;

use corpus::gc::MARKER;

use crate::cli::InspectArgs;
use crate::print::say;
use pipeline::opened::{self, Opened};

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
