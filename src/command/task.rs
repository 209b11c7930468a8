//! `kosmos task`: one task of one stage, the unit that schedulers run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pipeline::Folder;
use pipeline::task::{Committed, run_task, try_range};

use crate::cli::RunDir;
use crate::opening::{child, last_run};
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// The stage's name
    pub(crate) stage: String,
    /// The task's index, from 0
    pub(crate) index: u32,
    /// Try its next range record by record, write the one in work into this file, and commit nothing
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) probe: Option<PathBuf>,
}

/// Runs one task on sealed inputs; seals the stage when it was the last one missing.
pub(crate) fn task(arguments: &TaskArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.run.location()?)?;
    let (_context, flow) = last_run(&folder)?;
    let (task, prober) = ((arguments.stage.as_str(), arguments.index), child(&folder)?);
    if let Some(mark) = &arguments.probe {
        try_range(&folder, &flow, task, mark, &prober)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Committed { done, count } = run_task(&folder, &flow, task, &prober)?;
    say!("{} task {}: committed ({done} of {count})", arguments.stage, arguments.index)?;
    Ok(ExitCode::SUCCESS)
}
