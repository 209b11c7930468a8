//! `kosmos task`: one task of one stage, the unit that schedulers run.

use std::process::ExitCode;

use corpus::engine::Unobserved;
use corpus::{Cancel, Engine, Inputs, Ledger};

use crate::cli::TaskArgs;
use crate::exit::Usage;
use crate::flow::{Flow, Surroundings};
use crate::folder::Folder;
use crate::run::Runner;

/// Runs one task on sealed inputs; seals the stage when it was the last one missing.
pub(crate) fn task(arguments: &TaskArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let config = folder.config()?;
    let surroundings = Surroundings::start(&config)?;
    let flow = Flow::new(&config, &surroundings)?;
    let (cancel, crashes) = (Cancel::default(), folder.crashes()?);
    let runner = Runner { folder: &folder, workers: 1, cancel: &cancel, crashes: &crashes };
    let Some(stage) = flow.stages.iter().find(|stage| stage.name() == arguments.stage) else {
        return Err(Usage(format!("no stage {}", arguments.stage)).into());
    };
    let inputs = sealed_inputs(&runner, &flow, &stage.inputs())?;
    let fingerprint = Engine::fingerprint(stage.as_ref(), &inputs)?;
    let count = stage.plan(&inputs)?;
    if arguments.index >= count {
        return Err(Usage(format!("{} has {count} tasks", arguments.stage)).into());
    }
    let engine = Engine {
        store: &folder.store,
        workers: 1,
        cancel: &cancel,
        crashes: &crashes,
        observer: &Unobserved,
    };
    engine.run_task(stage.as_ref(), &inputs, &fingerprint, arguments.index, count)?;
    let ledger = Ledger::new(folder.store.clone());
    let progress = ledger.progress(&arguments.stage, &fingerprint)?;
    let done = progress.values().filter(|task| task.done).count();
    if done == count as usize {
        ledger.seal(&arguments.stage, &fingerprint, count)?;
    }
    println!("{} task {}: committed ({done} of {count})", arguments.stage, arguments.index);
    Ok(ExitCode::SUCCESS)
}

/// Finds the datasets of the named stages, or says which has to be run first.
fn sealed_inputs(runner: &Runner<'_>, flow: &Flow, names: &[String]) -> anyhow::Result<Inputs> {
    let sealed = runner.sealed_stages(&flow.stages)?;
    match names.iter().find(|name| !sealed.0.contains_key(*name)) {
        Some(missing) => Err(Usage(format!("stage {missing} is not sealed yet: run it first")).into()),
        None => Ok(sealed),
    }
}
