//! Runs the stages of a configuration in order, on what earlier runs have left.

use std::collections::BTreeSet;
use std::time::Instant;

use corpus::crash::Crashes;
use corpus::{Cancel, Dataset, Engine, Inputs, Ledger, Stage};

use crate::exit::Usage;
use crate::folder::{Accepted, Folder, settings_of};
use crate::number::{duration, grouped};
use crate::progress::Display;

/// Which stages are run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// The last stage, if not all.
    pub(crate) until: Option<String>,
    /// One stage alone.
    pub(crate) only: Option<String>,
    /// Stages whose existing results the user gives up, with those after them.
    pub(crate) rebuild: Vec<String>,
}

impl Selection {
    /// Refuses names that no stage has.
    pub(crate) fn check(&self, stages: &[Box<dyn Stage>]) -> anyhow::Result<()> {
        let names: Vec<String> = stages.iter().map(|stage| stage.name()).collect();
        let asked = self.until.iter().chain(&self.only).chain(&self.rebuild);
        for name in asked {
            if !names.contains(name) {
                return Err(Usage(format!("no stage {name}; there are: {}", names.join(", "))).into());
            }
        }
        Ok(())
    }
}

/// Returns the stages whose settings changed since they were run, and those after them that
/// have results, in order.
pub(crate) fn stale(
    folder: &Folder,
    stages: &[Box<dyn Stage>],
    accepted: &Accepted,
) -> anyhow::Result<Vec<String>> {
    let ledger = Ledger::new(folder.store.clone());
    let now = settings_of(stages);
    let mut touched = BTreeSet::new();
    let mut stale = Vec::new();
    for stage in stages {
        let name = stage.name();
        let changed = accepted.get(&name).is_some_and(|before| Some(before) != now.get(&name));
        if changed || stage.inputs().iter().any(|input| touched.contains(input)) {
            if !ledger.fingerprints(&name)?.is_empty() {
                stale.push(name.clone());
            }
            touched.insert(name);
        }
    }
    Ok(stale)
}

/// Returns the stages that a rebuild of these gives up: they and all that follow from them.
fn covered(stages: &[Box<dyn Stage>], rebuild: &[String]) -> BTreeSet<String> {
    let mut covered: BTreeSet<String> = rebuild.iter().cloned().collect();
    for stage in stages {
        if stage.inputs().iter().any(|input| covered.contains(input)) {
            covered.insert(stage.name());
        }
    }
    covered
}

/// Refuses to give up existing results unless the user said so.
pub(crate) fn refuse_stale(
    folder: &Folder,
    stages: &[Box<dyn Stage>],
    rebuild: &[String],
) -> anyhow::Result<()> {
    let stale = stale(folder, stages, &folder.accepted()?)?;
    let covered = covered(stages, rebuild);
    let uncovered: Vec<&String> = stale.iter().filter(|name| !covered.contains(*name)).collect();
    let Some(first) = uncovered.first() else {
        return Ok(());
    };
    let names: Vec<&str> = uncovered.iter().map(|name| name.as_str()).collect();
    let message = format!(
        "the configuration changed for stages that have results: {}\n  run them anew with --rebuild {first} (it covers the stages after it), or use another --dir;\n  the old results stay until `kosmos gc`",
        names.join(", ")
    );
    Err(Usage(message).into())
}

/// Runs stages with an engine, and prints a line for each.
pub(crate) struct Runner<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) workers: usize,
    pub(crate) cancel: &'a Cancel,
    pub(crate) crashes: &'a Crashes,
}

impl Runner<'_> {
    /// Runs the selected stages; returns the datasets of all stages that are sealed.
    pub(crate) fn run(&self, stages: &[Box<dyn Stage>], selection: &Selection) -> anyhow::Result<Inputs> {
        let mut sealed = match &selection.only {
            Some(_) => self.sealed_stages(stages)?,
            None => Inputs::default(),
        };
        let display = Display::new();
        let engine = Engine {
            store: &self.folder.store,
            workers: self.workers,
            cancel: self.cancel,
            crashes: self.crashes,
            observer: &display,
        };
        let selected = |name: &String| selection.only.as_ref().is_none_or(|only| only == name);
        for stage in stages.iter().filter(|stage| selected(&stage.name())) {
            let (name, started) = (stage.name(), Instant::now());
            let known = self.sealed(stage.as_ref(), &sealed)?;
            let was_sealed = known.is_some();
            let result = known.map_or_else(|| engine.run(stage.as_ref(), &sealed), Ok);
            display.end_stage();
            let dataset = result?;
            println!("{}", describe(&dataset, was_sealed, started));
            sealed.0.insert(name.clone(), dataset);
            if selection.until.as_ref() == Some(&name) {
                break;
            }
        }
        Ok(sealed)
    }

    /// Returns the datasets of all stages that are sealed with the current settings.
    pub(crate) fn sealed_stages(&self, stages: &[Box<dyn Stage>]) -> anyhow::Result<Inputs> {
        let mut sealed = Inputs::default();
        for stage in stages {
            let has_inputs = stage.inputs().iter().all(|input| sealed.0.contains_key(input));
            if has_inputs && let Some(dataset) = self.sealed(stage.as_ref(), &sealed)? {
                sealed.0.insert(stage.name(), dataset);
            }
        }
        Ok(sealed)
    }

    fn sealed(&self, stage: &dyn Stage, inputs: &Inputs) -> anyhow::Result<Option<Dataset>> {
        let fingerprint = Engine::fingerprint(stage, inputs)?;
        let manifest = Ledger::new(self.folder.store.clone()).manifest(&stage.name(), &fingerprint)?;
        Ok(manifest.map(|manifest| Dataset::new(self.folder.store.clone(), manifest)))
    }
}

/// Returns a stage's line: what it read, kept, dropped and failed, or that it was skipped and why.
fn describe(dataset: &Dataset, was_sealed: bool, started: Instant) -> String {
    let manifest = dataset.manifest();
    let units: Vec<String> = manifest
        .report
        .units
        .iter()
        .map(|(unit, counts)| {
            format!(
                "{} {unit}: {} kept, {} dropped, {} failed",
                grouped(counts.read),
                grouped(counts.kept),
                grouped(counts.dropped_total()),
                grouped(counts.failed_total())
            )
        })
        .collect();
    // Of a stage that counts what it found there may be none.
    let units = if units.is_empty() { "nothing".to_owned() } else { units.join("; ") };
    let how = if was_sealed { "skipped, sealed before".to_owned() } else { duration(started.elapsed()) };
    format!("{:<20} {units}  ({how})", manifest.stage)
}
