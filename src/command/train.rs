//! `kosmos train`: trains on the shards that a run has built.

use std::path::Path;
use std::process::ExitCode;

use corpus::{Cancel, Engine};
use train::checkpoint::Checkpoints;

use crate::cli::TrainArgs;
use crate::command::run::{default_dir, execute};
use crate::config::{Config, load};
use crate::exit::Usage;
use crate::flow::{Flow, Surroundings};
use crate::folder::Folder;
use crate::run::{Runner, Selection};

/// The stage that this command runs.
const STAGE: &str = "train";

/// Runs the stage `train` alone; an interrupted training is continued only with `--resume`.
pub(crate) fn train(arguments: TrainArgs) -> anyhow::Result<ExitCode> {
    let loaded = load(&arguments.config)?;
    let dir = arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name));
    if !arguments.resume
        && let Some(step) = interrupted_at(&loaded.config, &dir)?
    {
        let message = format!(
            "{} holds a training interrupted at step {step}: continue it with --resume",
            dir.display()
        );
        return Err(Usage(message).into());
    }
    let selection = Selection { only: Some(STAGE.to_owned()), ..Selection::default() };
    execute(&loaded, &dir, &selection, None)
}

/// Returns the newest checkpoint's step, if a training of these settings is unfinished.
fn interrupted_at(config: &Config, dir: &Path) -> anyhow::Result<Option<u64>> {
    let folder = Folder::open(dir)?;
    let flow = Flow::new(config, &Surroundings::offline(config)?)?;
    let (cancel, crashes) = (Cancel::default(), folder.crashes()?);
    let runner = Runner { folder: &folder, workers: 1, cancel: &cancel, crashes: &crashes };
    let sealed = runner.sealed_stages(&flow.stages)?;
    let Some(stage) = flow.stages.iter().find(|stage| stage.name() == STAGE) else {
        return Err(Usage(format!("{} has no [train]", config.name)).into());
    };
    if sealed.0.contains_key(STAGE) {
        return Ok(None);
    }
    let fingerprint = Engine::fingerprint(stage.as_ref(), &sealed)?;
    Ok(Checkpoints::newest_step(&folder.store, &fingerprint))
}
