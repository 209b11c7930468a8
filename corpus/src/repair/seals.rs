//! Manifests, made again from the entries of their tasks.

use bytes::Bytes;

use crate::ledger::{Shard, or_damage, sealed_path};
use crate::verify::{Finding, only_in, plan_fault, verify_part};
use crate::{Dataset, Description, Fingerprint, Inputs, Ledger, Manifest, Part, Result, Store};

/// What stages are sealed, and which seals are damaged.
#[derive(Debug, Default)]
pub struct Seals {
    /// The datasets of all stages that are sealed.
    pub sealed: Inputs,
    /// What is wrong with other stages' manifests.
    pub findings: Vec<Finding>,
    /// Manifests that were made again.
    pub repaired: usize,
}

/// Finds the stages that are sealed, and those that lost their manifest. If `mends`, a manifest that is damaged or
/// missing, or says something else than sound entries and parts, is made again from the entries, where all tasks
/// are in.
///
/// # Errors
/// When the store fails.
pub fn seals(store: &Store, stages: &[Description], mends: bool) -> Result<Seals> {
    let mut seals = Seals::default();
    for stage in stages {
        if let Some(fingerprint) = stage.current(store, &seals.sealed)? {
            seals.look_at(store, &stage.name, &fingerprint, mends)?;
        }
    }
    Ok(seals)
}

impl Seals {
    fn look_at(&mut self, store: &Store, stage: &str, fingerprint: &Fingerprint, mends: bool) -> Result<()> {
        let ledger = Ledger::new(store.clone());
        let (mut manifest, mut damage) = or_damage(ledger.manifest(stage, fingerprint))?;
        // Entries are read for a repair, or to tell a stage that lost its manifest from one that waits.
        if mends || manifest.is_none() {
            let mut shards = Vec::new();
            let rolled = ledger.rolled(stage, fingerprint, &mut |path, shard| {
                shards.extend((store.get(path)?.as_ref() != Some(&shard)).then_some(shard));
                Ok(())
            });
            let (rolled, entries_damage) = or_damage(rolled)?;
            let is_lost = match (&rolled, &manifest) {
                (None, _) => false,
                (Some(rolled), Some(manifest)) => {
                    (manifest != rolled || !shards.is_empty()) && is_sound(store, rolled, manifest, &shards)?
                }
                (Some(_), None) => true,
            };
            match is_lost {
                true if mends => {
                    manifest = Some(ledger.reseal(stage, fingerprint)?);
                    self.repaired += 1;
                }
                true => damage = damage.or(Some("all tasks are in, and it is missing".to_owned())),
                false => damage = damage.map(|damage| entries_damage.unwrap_or(damage)),
            }
        }
        match (manifest, damage) {
            (Some(manifest), _) => {
                self.sealed.0.insert(stage.to_owned(), Dataset::new(store.clone(), manifest));
            }
            (None, Some(detail)) => {
                self.findings.push(Finding { path: sealed_path(stage, fingerprint), detail, task: None });
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// Returns whether what entries say and a manifest does not, by these shards, is true of the parts.
///
/// # Errors
/// When the store did not answer.
fn is_sound(store: &Store, rolled: &Manifest, manifest: &Manifest, shards: &[Bytes]) -> Result<bool> {
    let dataset = Dataset::new(store.clone(), manifest.clone());
    let listed: Vec<Part> = dataset.parts_of(|_| true).filter_map(Result::ok).collect();
    let said = shards.iter().map(|shard| serde_json::from_slice::<Shard>(shard));
    let Ok(said) = said.collect::<Result<Vec<_>, _>>() else { return Ok(false) };
    let said: Vec<Part> = said.into_iter().flat_map(|shard| shard.parts).collect();
    for part in only_in(&said, &listed) {
        if verify_part(store, part)?.is_some() {
            return Ok(false);
        }
    }
    Ok(rolled.report.violation().is_none())
}

/// Records again that a sealed stage was begun, if that record is damaged; returns how much was put back.
///
/// # Errors
/// When the store fails.
pub fn plan(store: &Store, manifest: &Manifest) -> Result<usize> {
    let ledger = Ledger::new(store.clone());
    if plan_fault(&ledger, manifest)?.is_none() {
        return Ok(0);
    }
    ledger.replan(&manifest.stage, &manifest.fingerprint, manifest.plan()).map(|()| 1)
}
