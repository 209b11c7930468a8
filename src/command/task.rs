//! `kosmos task`: one task of one stage, the unit that schedulers run.

use std::process::ExitCode;

use corpus::engine::Unobserved;
use corpus::{Cancel, Description, Engine, Ledger};

use crate::cli::TaskArgs;
use crate::exit::Usage;
use crate::folder::Folder;
use crate::print::say;

/// Runs one task on sealed inputs; seals the stage when it was the last one missing.
pub(crate) fn task(arguments: &TaskArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let (_context, flow) = folder.flow()?;
    let Some(stage) = flow.stages.iter().find(|stage| stage.name() == arguments.stage) else {
        return Err(Usage(format!("no stage {}", arguments.stage)).into());
    };
    let inputs = folder.sealed()?;
    if let Some(missing) = stage.inputs().iter().find(|name| !inputs.0.contains_key(*name)) {
        return Err(Usage(format!("stage {missing} is not sealed yet: run it first")).into());
    }
    let ledger = Ledger::new(folder.store.clone());
    let fingerprint = Description::of(stage.as_ref()).fingerprint(&inputs)?;
    let fingerprint = ledger.current(&arguments.stage, &fingerprint)?;
    let count = stage.plan(&inputs)?;
    if arguments.index >= count {
        return Err(Usage(format!("{} has {count} tasks", arguments.stage)).into());
    }
    ledger.begin(&arguments.stage, &fingerprint, count)?;
    let (cancel, crashes) = (Cancel::default(), folder.crashes(arguments.probe.as_deref())?);
    let engine = Engine {
        store: &folder.store,
        workers: 1,
        cancel: &cancel,
        crashes: &crashes,
        observer: &Unobserved,
        prober: Some(&folder),
    };
    if arguments.probe.is_some() {
        engine.try_range(stage.as_ref(), &inputs, &fingerprint, arguments.index, count)?;
        return Ok(ExitCode::SUCCESS);
    }
    engine.run_task(stage.as_ref(), &inputs, &fingerprint, arguments.index, count)?;
    let progress = ledger.progress(&arguments.stage, &fingerprint)?;
    let done = progress.values().filter(|task| task.done).count();
    if done == count as usize {
        ledger.seal(&arguments.stage, &fingerprint, count)?;
    }
    say!("{} task {}: committed ({done} of {count})", arguments.stage, arguments.index)?;
    Ok(ExitCode::SUCCESS)
}
