//! `kosmos task`: tasks of one stage, the unit that schedulers run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use corpus::Cancel;
use pipeline::task::{Committed, Share, run_tasks, try_range};
use pipeline::{Folder, Selection};

use crate::cli::RunDir;
use crate::opening::{child, last_run};
use crate::print::say;
use crate::signal::stop_on_signal;
use crate::tensors;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("tasks").required(true).args(["index", "share"])))]
pub(crate) struct TaskArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// The stage's name
    pub(crate) stage: String,
    /// Task index, starting at 0
    pub(crate) index: Option<u32>,
    /// Run every task whose index modulo N is I, instead of one
    #[arg(long, value_name = "I/N", value_parser = share)]
    pub(crate) share: Option<Share>,
    /// Try its next range record by record, write the one in work into this file, and commit nothing
    #[arg(long, hide = true, value_name = "FILE", requires = "index")]
    pub(crate) probe: Option<PathBuf>,
}

fn share(text: &str) -> Result<Share, String> {
    let numbers = text.split_once('/').and_then(|(element, elements)| {
        Some(Share::Element { element: element.parse().ok()?, elements: elements.parse().ok()? })
    });
    numbers.ok_or_else(|| "two numbers with a slash between them are needed, as in 3/100".to_owned())
}

/// Runs tasks on sealed inputs; seals the stage when none is missing any more.
pub(crate) fn task(arguments: &TaskArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.run.location()?)?;
    let only = Selection { only: Some(arguments.stage.clone()), ..Selection::default() };
    tensors::go_on_for(&folder.config()?, &only)?;
    let (_context, flow) = last_run(&folder)?;
    let (stage, prober) = (arguments.stage.as_str(), child(&folder)?);
    if let Some((mark, index)) = arguments.probe.as_ref().zip(arguments.index) {
        try_range(&folder, &flow, (stage, index), mark, &prober)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cancel = Cancel::default();
    stop_on_signal(&cancel)?;
    let share = arguments.index.map(Share::Task).or(arguments.share).unwrap_or(Share::Task(0));
    let Committed { run, done, count } = run_tasks(&folder, &flow, (stage, share), &cancel, &prober)?;
    match arguments.index {
        Some(index) => say!("{stage} task {index}: committed ({done} of {count})")?,
        None => say!("{stage}: {run} tasks committed ({done} of {count})")?,
    }
    Ok(ExitCode::SUCCESS)
}
