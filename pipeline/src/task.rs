//! Tasks of one stage: the unit that schedulers run.

use std::path::Path;

use corpus::crash::Crashes;
use corpus::observer::Unobserved;
use corpus::probe::Prober;
use corpus::stream::streams_of;
use corpus::{Cancel, Description, Engine, Ledger};

use crate::folder::Folder;
use crate::{Error, Flow, Result};

/// Which tasks of a stage a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The task of this index.
    Task(u32),
    /// Those whose index leaves `element` when divided by `elements`, as an element of a scheduler's array does.
    Element {
        /// The element, from 0.
        element: u32,
        /// The number of elements.
        elements: u32,
    },
}

impl Share {
    /// Returns the tasks, of so many.
    fn tasks(self, count: u32) -> Vec<u32> {
        match self {
            Self::Task(index) => vec![index],
            Self::Element { element, elements } => {
                (element..count).step_by(elements.max(1) as usize).collect()
            }
        }
    }
}

/// How far a stage is after some of its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Tasks that this process ran.
    pub run: usize,
    /// Tasks that are complete.
    pub done: usize,
    /// All tasks.
    pub count: u32,
}

/// Runs the tasks of a share that are missing, on sealed inputs; seals the stage when no task is missing then. A task
/// that fails does not keep the others from being run.
///
/// # Errors
/// When there is no such task, an input is not sealed, or a task fails: the first one's error.
pub fn run_tasks(
    folder: &Folder,
    flow: &Flow,
    (stage, share): (&str, Share),
    cancel: &Cancel,
    prober: &dyn Prober,
) -> Result<Committed> {
    let crashes = Crashes::watch(&folder.work.crashes())?;
    let ledger = Ledger::new(folder.store.clone());
    with_engine(folder, flow, (stage, share), (&crashes, cancel, prober), |engine, planned| {
        let Planned { stage, fingerprint, inputs, count } = planned;
        let (mut failure, mut run) = (None, 0);
        let before = ledger.progress(&stage.name(), fingerprint)?;
        for index in share.tasks(count) {
            if before.get(&index).is_some_and(|task| task.done) {
                continue;
            }
            cancel.check()?;
            run += 1;
            if let Err(error) = engine.run_task(stage, inputs, fingerprint, index, count) {
                failure.get_or_insert(error);
            }
        }
        let progress = ledger.progress(&stage.name(), fingerprint)?;
        let done = progress.values().filter(|task| task.done).count();
        if done == count as usize {
            ledger.seal(&stage.name(), fingerprint)?;
        }
        failure.map_or(Ok(Committed { run, done, count }), Err)
    })
}

/// Works on the first range of a task that is not committed, record by record and within the memory that
/// `[limits]` grants; commits nothing. Each record is written into the file `mark` before it is tried.
///
/// # Errors
/// As [`run_tasks`].
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
    let watched = (&crashes, &Cancel::default(), prober);
    with_engine(folder, flow, (stage, Share::Task(index)), watched, |engine, planned| {
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
    (name, share): (&str, Share),
    (crashes, cancel, prober): (&Crashes, &Cancel, &dyn Prober),
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
    match share {
        Share::Task(index) if index >= count => {
            return Err(Error::usage(format!("{name} has {count} tasks")));
        }
        Share::Element { element, elements } if element >= elements => {
            return Err(Error::usage(format!(
                "--share {element}/{elements}: elements go from 0 to {elements} - 1"
            )));
        }
        _ => {}
    }
    ledger.begin(name, &fingerprint, count, streams_of(stage))?;
    let engine = Engine {
        store: &folder.store,
        work: folder.work.clone(),
        workers: 1,
        cancel,
        crashes,
        observer: &Unobserved,
        executor: None,
        prober: Some(prober),
    };
    Ok(work(&engine, Planned { stage, fingerprint: &fingerprint, inputs: &inputs, count })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_of_one_element() {
        let tasks = |element| Share::Element { element, elements: 3 }.tasks(7);
        assert_eq!((tasks(0), tasks(1), tasks(2)), (vec![0, 3, 6], vec![1, 4], vec![2, 5]));
        assert!(Share::Element { element: 4, elements: 5 }.tasks(3).is_empty());
        assert_eq!(Share::Task(2).tasks(7), [2]);
    }
}
