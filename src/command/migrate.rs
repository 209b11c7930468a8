//! `kosmos migrate`: a run's folder of an earlier version is carried over.

use std::process::ExitCode;

use clap::Args;
use corpus::format::FORMAT;
use corpus::migrate::migrate as carry_over;
use corpus::stream::streams_of;
use pipeline::Folder;

use crate::cli::RunDir;
use crate::opening::last_run;
use crate::print::{note, say};

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
}

/// Writes plans and manifests anew; parts and entries stay as they are.
pub(crate) fn migrate(arguments: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let Some(folder) = Folder::of_earlier_format(&arguments.run.location()?)? else {
        say!("{} is of format {FORMAT}: nothing to do", arguments.run.dir)?;
        return Ok(ExitCode::SUCCESS);
    };
    let _lock = folder.lock()?;
    let last = last_run(&folder);
    if let Err(error) = &last {
        note!(
            "warning: the run's configuration is none of this version ({error:#}): streams without rows are forgotten"
        );
    }
    let flow = last.as_ref().ok().map(|(_context, flow)| flow);
    let streams = |stage: &str| flow.and_then(|flow| flow.stage(stage)).map(streams_of).unwrap_or_default();
    let migrated = carry_over(&folder.store, streams)?;
    say!(
        "{} stages were carried over to format {FORMAT}, {} of them sealed; no part was changed",
        migrated.begun,
        migrated.sealed
    )?;
    Ok(ExitCode::SUCCESS)
}
