//! Tasks that depend on less than all inputs of their stage: finished ones of an earlier fingerprint stay.
//!
//! A source's task depends on its own file. When a file is added, the stage has another fingerprint, and the
//! entries of all other tasks are committed again under it; their parts stay where they are.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::ledger::{TaskProgress, fault};
use crate::{Entry, Fingerprint, Inputs, Ledger, Result, Stage};

/// Returns what a task depends on beside what all tasks of the stage have in common, digested.
pub(super) fn identity(stage: &dyn Stage, inputs: &Inputs, index: u32) -> Result<Option<Digest>> {
    let Some(identity) = stage.task_identity(inputs, index)? else {
        return Ok(None);
    };
    let shared = Fingerprint::new(&stage.name(), stage.version(), &stage.settings()?, &[]);
    Ok(Some(Digest::of(format!("{shared}\n{identity}").as_bytes())))
}

/// Commits the entries of tasks again that an earlier fingerprint has finished; returns the progress after it.
pub(super) fn adopt(
    stage: &dyn Stage,
    inputs: &Inputs,
    ledger: &Ledger,
    fingerprint: &Fingerprint,
    count: u32,
) -> Result<BTreeMap<u32, TaskProgress>> {
    let name = stage.name();
    let progress = ledger.progress(&name, fingerprint)?;
    // A stage that is run again must not end up with what it was to replace.
    if count == 0 || fingerprint.generation() > 0 || stage.task_identity(inputs, 0)?.is_none() {
        return Ok(progress);
    }
    let mut earlier = Vec::new();
    for other in ledger.fingerprints(&name)? {
        if other != *fingerprint && !ledger.is_superseded(&name, &other)? {
            let finished = ledger.progress(&name, &other)?;
            earlier.push((other, finished));
        }
    }
    if earlier.is_empty() {
        return Ok(progress);
    }
    for task in (0..count).filter(|task| !progress.contains_key(task)) {
        let wanted = identity(stage, inputs, task)?;
        for (other, finished) in &earlier {
            if !finished.get(&task).is_some_and(|progress| progress.done) {
                continue;
            }
            let entries = ledger.entries(&name, other, task)?;
            let is_same = entries.iter().all(|entry| entry.identity == wanted);
            if wanted.is_some() && is_same && fault(&entries).is_none() {
                tracing::debug!(stage = name, task, of = %other, "a finished task is reused");
                commit_again(ledger, fingerprint, entries)?;
                break;
            }
        }
    }
    ledger.progress(&name, fingerprint)
}

fn commit_again(ledger: &Ledger, fingerprint: &Fingerprint, entries: Vec<Entry>) -> Result<()> {
    for mut entry in entries {
        entry.fingerprint = fingerprint.clone();
        ledger.commit(&entry)?;
    }
    Ok(())
}
