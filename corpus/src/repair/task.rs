//! A task whose files or entries are damaged is run again elsewhere, and what comes out with the digests of the ledger
//! takes their place. Other bytes are never put there.

use std::path::Path;

use crate::crash::Crashes;
use crate::ledger::end_of;
use crate::observer::Unobserved;
use crate::{
    Cancel, Dataset, Engine, Entry, Inputs, Ledger, Manifest, Part, Result, Stage, Store, WorkFolder,
};

/// What became of a task's repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// So many files or entries are as they were.
    Done(usize),
    /// The task gives other bytes today; nothing was changed.
    Differs(String),
}

/// Runs a task of a sealed stage again in a store of its own in the working folder's scratch, and puts back what is
/// damaged or missing.
///
/// # Errors
/// When the task fails or a store does.
pub fn repair(
    (store, work): (&Store, &WorkFolder),
    stage: &dyn Stage,
    inputs: &Inputs,
    manifest: &Manifest,
    task: u32,
    cancel: &Cancel,
) -> Result<Repair> {
    let folder = work.scratch()?.join("repair");
    let ended = repair_in(&folder, store, stage, inputs, (manifest, task), cancel);
    // Nothing in there is needed any more, whatever came of it.
    let _ = std::fs::remove_dir_all(&folder);
    ended
}

fn repair_in(
    folder: &Path,
    store: &Store,
    stage: &dyn Stage,
    inputs: &Inputs,
    (manifest, task): (&Manifest, u32),
    cancel: &Cancel,
) -> Result<Repair> {
    let elsewhere = Store::local(folder)?;
    let crashes = Crashes::default();
    let engine = Engine {
        store: &elsewhere,
        work: WorkFolder::at(folder)?,
        workers: 1,
        cancel,
        crashes: &crashes,
        observer: &Unobserved,
        executor: None,
        prober: None,
    };
    engine.run_task(stage, inputs, &manifest.fingerprint, task, manifest.task_count)?;
    let ledger = Ledger::new(elsewhere.clone());
    let again = ledger.entries(&manifest.stage, &manifest.fingerprint, task)?;
    let wanted = parts_of(store, manifest, task, &again)?;
    let wanted: Vec<&Part> = wanted.iter().collect();
    let made: Vec<&Part> = again.iter().flat_map(|entry| &entry.parts).collect();
    let digests = |parts: &[&Part]| -> Vec<_> {
        parts.iter().map(|part| (part.stream.clone(), part.rows, part.digest.clone())).collect()
    };
    if digests(&wanted) != digests(&made) {
        return Ok(Repair::Differs(format!(
            "task {task} of {} gives other bytes today: its input or what it fetches changed",
            manifest.stage
        )));
    }
    let mut repaired = 0;
    for (part, made) in wanted.iter().zip(&made) {
        if crate::verify::verify_part(store, part)?.is_some() {
            store.replace_file(&part.path, &folder.join(&made.path), &part.digest)?;
            repaired += 1;
        }
    }
    repaired += repair_entries(store, manifest, task, &again, &wanted)?;
    Ok(Repair::Done(repaired))
}

/// Puts the entries of a task back, if they are not whole.
fn repair_entries(
    store: &Store,
    manifest: &Manifest,
    task: u32,
    again: &[Entry],
    wanted: &[&Part],
) -> Result<usize> {
    let ledger = Ledger::new(store.clone());
    let (stage, fingerprint) = (&manifest.stage, &manifest.fingerprint);
    let there = ledger.entries(stage, fingerprint, task).unwrap_or_default();
    let is_whole = there.len() == again.len()
        && there.iter().flat_map(|entry| &entry.parts).eq(wanted.iter().copied())
        && there.iter().zip(again).all(|(entry, again)| is_same(entry, again));
    if let (true, Some(last)) = (is_whole, there.last()) {
        return match ledger.task_end(stage, fingerprint, task) {
            Ok(Some(end)) if end == end_of(last) => Ok(0),
            _ => ledger.replace(last).map(|()| 1),
        };
    }
    let mut parts = wanted.iter().copied();
    for entry in again {
        // The parts stay where the manifest has them, also if an earlier fingerprint made them.
        let own = parts.by_ref().take(entry.parts.len()).cloned().collect();
        ledger.replace(&Entry { parts: own, ..entry.clone() })?;
    }
    Ok(again.len())
}

/// Returns the parts of a task as the manifest lists them, in the order in which entries have them.
fn parts_of(store: &Store, manifest: &Manifest, task: u32, again: &[Entry]) -> Result<Vec<Part>> {
    let dataset = Dataset::new(store.clone(), manifest.clone());
    let parts =
        dataset.parts_of(|_| true).filter(|part| !matches!(part, Ok(part) if part.task() != Some(task)));
    let mut listed = parts.collect::<Result<Vec<_>>>()?;
    let order: Vec<&str> =
        again.iter().flat_map(|entry| &entry.parts).map(|part| part.stream.as_str()).collect();
    let mut ordered = Vec::new();
    for stream in order {
        let found = listed.iter().position(|part| part.stream == stream);
        ordered.extend(found.map(|index| listed.remove(index)));
    }
    // What is left over makes the task another one.
    ordered.extend(listed);
    Ok(ordered)
}

/// Returns whether two entries say the same of a range, wherever its parts are and whenever it was made.
fn is_same(one: &Entry, other: &Entry) -> bool {
    let plain = |entry: &Entry| Entry {
        parts: Vec::new(),
        identity: None,
        context: Default::default(),
        ..entry.clone()
    };
    plain(one) == plain(other)
}
