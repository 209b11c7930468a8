//! One task of one stage: the unit that schedulers run.

use std::path::Path;

use corpus::crash::Crashes;
use corpus::engine::Unobserved;
use corpus::probe::Prober;
use corpus::stream::streams_of;
use corpus::{Cancel, Description, Engine, Ledger};

use crate::folder::Folder;
use crate::{Error, Flow, Result};

/// How far a stage is after one of its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Tasks that are complete.
    pub done: usize,
    /// All tasks.
    pub count: u32,
}

/// Runs one task on sealed inputs; seals the stage when it was the last one missing.
///
/// # Errors
/// When there is no such task, an input is not sealed, or the task fails.
pub fn run_task(
    folder: &Folder,
    flow: &Flow,
    (stage, index): (&str, u32),
    prober: &dyn Prober,
) -> Result<Committed> {
    let crashes = Crashes::watch(&folder.work.crashes())?;
    let ledger = Ledger::new(folder.store.clone());
    with_engine(folder, flow, (stage, index), (&crashes, prober), |engine, planned| {
        let Planned { stage, fingerprint, inputs, count } = planned;
        engine.run_task(stage, inputs, fingerprint, index, count)?;
        let progress = ledger.progress(&stage.name(), fingerprint)?;
        let done = progress.values().filter(|task| task.done).count();
        if done == count as usize {
            ledger.seal(&stage.name(), fingerprint)?;
        }
        Ok(Committed { done, count })
    })
}

/// Works on the first range of a task that is not committed, record by record and within the memory that
/// `[limits]` grants; commits nothing. Each record is written into the file `mark` before it is tried.
///
/// # Errors
/// As [`run_task`].
pub fn try_range(
    folder: &Folder,
    flow: &Flow,
    (stage, index): (&str, u32),
    mark: &Path,
    prober: &dyn Prober,
) -> Result<()> {
    let limits = folder.config()?.config.limits;
    corpus::probe::confine(limits.record_memory_mb << 20);
    let crashes = Crashes::alone(&folder.work.crashes(), mark)?;
    with_engine(folder, flow, (stage, index), (&crashes, prober), |engine, planned| {
        let Planned { stage, fingerprint, inputs, count } = planned;
        engine.try_range(stage, inputs, fingerprint, index, count)
    })
}

/// A stage whose inputs are sealed.
struct Planned<'s> {
    stage: &'s dyn corpus::Stage,
    fingerprint: &'s corpus::Fingerprint,
    inputs: &'s corpus::Inputs,
    count: u32,
}

fn with_engine<T>(
    folder: &Folder,
    flow: &Flow,
    (name, index): (&str, u32),
    (crashes, prober): (&Crashes, &dyn Prober),
    work: impl FnOnce(&Engine<'_>, Planned<'_>) -> corpus::Result<T>,
) -> Result<T> {
    let stage = flow.stage(name).ok_or_else(|| Error::usage(format!("no stage {name}")))?;
    let inputs = folder.sealed()?;
    if let Some(missing) = stage.inputs().iter().find(|name| !inputs.0.contains_key(*name)) {
        return Err(Error::usage(format!("stage {missing} is not sealed yet: run it first")));
    }
    let ledger = Ledger::new(folder.store.clone());
    let fingerprint = ledger.current(name, &Description::of(stage)?.fingerprint(&inputs)?)?;
    let count = stage.plan(&inputs)?;
    if index >= count {
        return Err(Error::usage(format!("{name} has {count} tasks")));
    }
    ledger.begin(name, &fingerprint, count, streams_of(stage))?;
    let engine = Engine {
        store: &folder.store,
        work: folder.work.clone(),
        workers: 1,
        cancel: &Cancel::default(),
        crashes,
        observer: &Unobserved,
        executor: None,
        prober: Some(prober),
    };
    Ok(work(&engine, Planned { stage, fingerprint: &fingerprint, inputs: &inputs, count })?)
}
