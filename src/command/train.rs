//! `kosmos train`: trains on the shards that a run has built.

use std::path::Path;
use std::process::ExitCode;

use corpus::Description;
use train::checkpoint::Checkpoints;

use crate::cli::TrainArgs;
use crate::command::run::{default_dir, execute};
use crate::config::load_based;
use crate::exit::Usage;
use crate::flow::{Flow, RunContext};
use crate::folder::Folder;
use crate::names::TRAIN;
use crate::run::Selection;

/// Runs the stage `train` alone; an interrupted training is continued only with `--resume`.
pub(crate) fn train(arguments: TrainArgs) -> anyhow::Result<ExitCode> {
    let loaded = load_based(&arguments.config)?;
    let dir = std::path::absolute(arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name)))?;
    loaded.enter()?;
    let context = RunContext::offline(&loaded.config)?;
    let folder = Folder::open(&dir)?;
    let flow = Flow::new(&loaded.config, &context, folder.retry_passes()?)?;
    let Some(stage) = flow.stages.iter().find(|stage| stage.name() == TRAIN) else {
        return Err(Usage(format!("{} has no [train]", loaded.config.name)).into());
    };
    if !arguments.resume
        && let Some(step) = interrupted_at(&folder, &Description::of(stage.as_ref()))?
    {
        let message = format!(
            "{} holds a training interrupted at step {step}: continue it with --resume",
            dir.display()
        );
        return Err(Usage(message).into());
    }
    let selection = Selection {
        only: Some(TRAIN.to_owned()),
        rebuild: arguments.rebuild.then(|| TRAIN.to_owned()).into_iter().collect(),
        ..Selection::default()
    };
    execute(&loaded, Path::new(&dir), &selection, None, false)
}

/// Returns the newest checkpoint's step, if a training of these settings is unfinished.
fn interrupted_at(folder: &Folder, stage: &Description) -> anyhow::Result<Option<u64>> {
    let sealed = folder.sealed()?;
    if stage.dataset(&folder.store, &sealed)?.is_some() {
        return Ok(None);
    }
    match stage.current(&folder.store, &sealed)? {
        Some(fingerprint) => Ok(Checkpoints::newest_step(&folder.store, &fingerprint)),
        None => Ok(None),
    }
}
