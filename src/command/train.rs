//! `kosmos train`: trains on the shards that a run has built.

use std::process::ExitCode;

use clap::Args;
use pipeline::Error::Usage;
use pipeline::run::Options;
use pipeline::training::interrupted_at;
use pipeline::{Context, Flow, Folder, Selection};
use train::flow::TRAIN;

use crate::cli::ConfigRun;
use crate::command::run::{ExecutorName, execute};
use crate::opening::enter;
use crate::tensors;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) run: ConfigRun,
    /// Continue from the newest checkpoint
    #[arg(long)]
    pub(crate) resume: bool,
    /// Train again from the beginning, even if settings changed; old results stay until gc
    #[arg(long, conflicts_with = "resume")]
    pub(crate) rebuild: bool,
}

/// Runs the stage `train` alone; an interrupted training is continued only with `--resume`.
pub(crate) fn train(arguments: TrainArgs) -> anyhow::Result<ExitCode> {
    let (loaded, location) = arguments.run.load()?;
    let only = Selection { only: Some(TRAIN.to_owned()), ..Selection::default() };
    tensors::go_on_for(&loaded, &only)?;
    enter(&loaded)?;
    let context = Context::offline(&loaded.config)?;
    let folder = Folder::open(&location)?;
    let flow = Flow::new(&loaded.config, &context, folder.retry_passes()?)?;
    let Some(stage) = flow.stage(TRAIN) else {
        return Err(Usage(format!("{} has no [train]", loaded.config.name)).into());
    };
    if !arguments.resume
        && let Some(step) = interrupted_at(&folder, stage)?
    {
        let place = folder.place();
        let message =
            format!("{place} holds a training interrupted at step {step}: continue it with --resume");
        return Err(Usage(message).into());
    }
    let rebuild = arguments.rebuild.then(|| TRAIN.to_owned()).into_iter().collect();
    let selection = Selection { rebuild, ..only };
    let options = Options { selection, retry_failed: false };
    execute(&loaded, &location, &options, (ExecutorName::Local, None))
}
