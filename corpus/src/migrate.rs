//! Folders of an earlier format, carried over: parts and entries stay, plans and manifests are written anew.
//!
//! It may be killed anywhere and begun again: what is carried over already is passed over, and the folder has its old
//! format until the last stage is done.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::format::{FORMAT, MIGRATED_SINCE, refusal};
use crate::gc::MARKER;
use crate::ledger::{Plan, plan_path, sealed_path};
use crate::stream::Declared;
use crate::{Error, Fingerprint, Ledger, Result, Store};

/// What was carried over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Stages that were begun, each set of settings for itself.
    pub begun: usize,
    /// Those of them that are sealed.
    pub sealed: usize,
}

/// What plans, manifests and the marker of every format have.
#[derive(Debug, Deserialize)]
struct Head {
    format: u32,
    task_count: Option<u32>,
    content: Option<String>,
}

/// Carries a folder over to [`FORMAT`]. `streams` gives the streams that a stage declares today; of a stage that is
/// unknown to it the streams are those that have parts.
///
/// # Errors
/// When the folder is of a format that cannot be carried over, what is sealed comes out as something else, or the store
/// fails.
pub fn migrate(store: &Store, streams: impl Fn(&str) -> Vec<Declared>) -> Result<Migrated> {
    let marker = head(store, MARKER)?.ok_or_else(|| damaged(MARKER, "it is missing"))?;
    if let Some(detail) = refusal(marker.format, MIGRATED_SINCE) {
        return Err(damaged(MARKER, detail));
    }
    let mut migrated = Migrated::default();
    let ledger = Ledger::new(store.clone());
    for stage in store.folders("ledger")? {
        for fingerprint in ledger.fingerprints(&stage)? {
            let Some(plan) = head(store, &plan_path(&stage, &fingerprint))? else { continue };
            let sealed = head(store, &sealed_path(&stage, &fingerprint))?;
            migrated.begun += 1;
            migrated.sealed += usize::from(sealed.is_some());
            if plan.format < FORMAT {
                let task_count = plan.task_count.unwrap_or_default();
                replan(&ledger, (&stage, &fingerprint), task_count, streams(&stage))?;
            }
            if let Some(old) = sealed.filter(|sealed| sealed.format < FORMAT) {
                reseal(&ledger, (&stage, &fingerprint), &old)?;
            }
        }
    }
    if marker.format < FORMAT {
        store.replace(MARKER, serde_json::json!({"format": FORMAT}).to_string().into())?;
    }
    Ok(migrated)
}

/// Writes the plan of a stage anew, with the streams it declares and those that its parts are of.
fn replan(
    ledger: &Ledger,
    (stage, fingerprint): (&str, &Fingerprint),
    task_count: u32,
    declared: Vec<Declared>,
) -> Result<()> {
    let mut streams: BTreeSet<Declared> = declared.into_iter().collect();
    for task in ledger.progress(stage, fingerprint)?.into_keys() {
        let parts = ledger.entries(stage, fingerprint, task)?.into_iter().flat_map(|entry| entry.parts);
        streams.extend(parts.map(|part| Declared { stream: part.stream, table: part.table }));
    }
    let streams = streams.into_iter().collect();
    ledger.replan(stage, fingerprint, Plan { format: FORMAT, task_count, streams })
}

fn reseal(ledger: &Ledger, (stage, fingerprint): (&str, &Fingerprint), old: &Head) -> Result<()> {
    let rolled = ledger.rolled(stage, fingerprint, &mut |_, _| Ok(()))?;
    match rolled.map(|rolled| rolled.content.as_str().to_owned()) == old.content {
        true => ledger.reseal(stage, fingerprint).map(drop),
        false => Err(damaged(&sealed_path(stage, fingerprint), "its parts are not what the entries say")),
    }
}

fn head(store: &Store, path: &str) -> Result<Option<Head>> {
    let Some(bytes) = store.get(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(path, error))
}

fn damaged(path: &str, detail: impl std::fmt::Display) -> Error {
    Error::Ledger { path: path.to_owned(), detail: detail.to_string() }
}
