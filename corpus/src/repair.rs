//! Repair: a task whose files or entries are damaged is run again elsewhere, and what comes out with the
//! digests of the ledger takes their place. Other bytes are never put there.

use std::path::Path;

use crate::crash::Crashes;
use crate::engine::Unobserved;
use crate::ledger::{fault, sealed_path};
use crate::verify::Finding;
use crate::{
    Cancel, Dataset, Description, Engine, Entry, Error, Inputs, Ledger, Manifest, Part, Result, Stage, Store,
};

/// What became of a task's repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// So many files or entries are as they were.
    Done(usize),
    /// The task gives other bytes today; nothing was changed.
    Differs(String),
}

/// Runs a task of a sealed stage again in a store of its own below `folder`, and puts back what is damaged
/// or missing.
///
/// # Errors
/// When the task fails or a store does.
pub fn repair(
    store: &Store,
    stage: &dyn Stage,
    inputs: &Inputs,
    manifest: &Manifest,
    task: u32,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Repair> {
    let elsewhere = Store::local(folder)?;
    let crashes = Crashes::default();
    let engine = Engine {
        store: &elsewhere,
        workers: 1,
        cancel,
        crashes: &crashes,
        observer: &Unobserved,
        prober: None,
    };
    engine.run_task(stage, inputs, &manifest.fingerprint, task, manifest.task_count)?;
    let ledger = Ledger::new(elsewhere.clone());
    let again = ledger.entries(&manifest.stage, &manifest.fingerprint, task)?;
    let wanted: Vec<&Part> = parts_of(manifest, task);
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
        if crate::verify::verify_part(store, part).is_err() {
            store.replace_file(&part.path, &elsewhere.folder().join(&made.path))?;
            repaired += 1;
        }
    }
    repaired += repair_entries(store, manifest, task, &again, &wanted)?;
    Ok(Repair::Done(repaired))
}

/// What stages are sealed, and which seals are damaged.
#[derive(Debug, Default)]
pub struct Seals {
    /// The datasets of all stages that are sealed.
    pub sealed: Inputs,
    /// What is wrong with other stages' manifests.
    pub findings: Vec<Finding>,
    /// Manifests that were made again from their entries.
    pub repaired: usize,
}

/// Finds the stages that are sealed, and those whose manifest is damaged. If `mends`, a damaged or missing manifest
/// is made again from the entries of its tasks, where all of them are in.
///
/// # Errors
/// When the store fails.
pub fn seals(store: &Store, stages: &[Description], mends: bool) -> Result<Seals> {
    let (ledger, mut seals) = (Ledger::new(store.clone()), Seals::default());
    for stage in stages {
        let name = &stage.name;
        let Some(fingerprint) = stage.current(store, &seals.sealed)? else { continue };
        let (mut manifest, mut detail) = or_damage(ledger.manifest(name, &fingerprint))?;
        if mends && manifest.is_none() {
            match or_damage(ledger.reseal(name, &fingerprint).map(Some))? {
                (Some(true), _) => {
                    manifest = ledger.manifest(name, &fingerprint)?;
                    seals.repaired += 1;
                }
                (_, damage) => detail = detail.or(damage),
            }
        }
        match (manifest, detail) {
            (Some(manifest), _) => {
                seals.sealed.0.insert(name.clone(), Dataset::new(store.clone(), manifest));
            }
            (None, Some(detail)) => {
                let path = sealed_path(name, &fingerprint);
                seals.findings.push(Finding { path, detail, task: None });
            }
            (None, None) => {}
        }
    }
    Ok(seals)
}

/// Splits off what is wrong with a file of the ledger.
fn or_damage<T>(read: Result<Option<T>>) -> Result<(Option<T>, Option<String>)> {
    match read {
        Ok(value) => Ok((value, None)),
        Err(Error::Ledger { path, detail }) => Ok((None, Some(format!("{path}: {detail}")))),
        Err(error) => Err(error),
    }
}

/// Records again that a sealed stage was begun, if that record is damaged; returns how much was put back.
///
/// # Errors
/// When the store fails.
pub fn plan(store: &Store, manifest: &Manifest) -> Result<usize> {
    let ledger = Ledger::new(store.clone());
    if crate::verify::plan_fault(&ledger, manifest).is_none() {
        return Ok(0);
    }
    ledger.replan(manifest).map(|()| 1)
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
    if let Ok(entries) = ledger.entries(stage, fingerprint, task)
        && entries.len() == again.len()
        && fault(&entries).is_none()
        && entries.iter().flat_map(|entry| &entry.parts).eq(wanted.iter().copied())
        && entries.iter().zip(again).all(|(entry, again)| entry.report == again.report)
    {
        return match (entries.last(), ledger.task_end(stage, fingerprint, task)) {
            (Some(last), Ok(None) | Err(_)) => ledger.replace(last).map(|()| 1),
            _ => Ok(0),
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

/// Returns the parts of a task, in their order.
fn parts_of(manifest: &Manifest, task: u32) -> Vec<&Part> {
    manifest.parts.iter().filter(|part| part.task() == Some(task)).collect()
}
