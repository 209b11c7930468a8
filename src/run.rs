//! Runs the stages of a configuration in order, on what earlier runs have left.

use std::collections::BTreeSet;
use std::time::Instant;

use corpus::crash::Crashes;
use corpus::{Cancel, Dataset, Description, Engine, Inputs, Ledger, Stage};

use crate::config::{Limits, nearest};
use crate::exit::{Failed, Usage};
use crate::folder::Folder;
use crate::number::{duration, grouped};
use crate::print::{note, say};
use crate::progress::Display;
use crate::unread;

/// Largest distance at which a stage is suggested for a misspelt one.
const SUGGESTION_DISTANCE_MAX: usize = 3;

/// Which stages are run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// The last stage, if not all.
    pub(crate) until: Option<String>,
    /// One stage alone.
    pub(crate) only: Option<String>,
    /// Stages that are run again although their results are there.
    pub(crate) rebuild: Vec<String>,
}

impl Selection {
    /// Refuses names that are not among those of the stages.
    pub(crate) fn check(&self, names: &[String]) -> anyhow::Result<()> {
        let asked = self.until.iter().chain(&self.only).chain(&self.rebuild);
        for name in asked {
            if !names.contains(name) {
                let near = nearest(name, names.iter().map(String::as_str), SUGGESTION_DISTANCE_MAX);
                let there = || format!("there are: {}", names.join(", "));
                let remedy = near.map_or_else(there, |known| format!("did you mean {known}?"));
                return Err(Usage(format!("no stage {name:?}; {remedy}")).into());
            }
        }
        Ok(())
    }
}

/// Returns the stages whose settings changed since they were run, and those after them that
/// have results, in order.
fn stale(folder: &Folder, stages: &[Description]) -> anyhow::Result<Vec<String>> {
    let ledger = Ledger::new(folder.store.clone());
    let before = folder.stages()?;
    let mut touched = BTreeSet::new();
    let mut stale = Vec::new();
    for stage in stages {
        let name = &stage.name;
        let changed = before.iter().any(|known| known.name == *name && known != stage);
        if changed || stage.inputs.iter().any(|input| touched.contains(input)) {
            if ledger.has_results(name)? {
                stale.push(name.clone());
            }
            touched.insert(name.clone());
        }
    }
    Ok(stale)
}

/// Returns the stages that a rebuild of these may change: they and all that follow from them.
fn covered(stages: &[Description], rebuild: &[String]) -> BTreeSet<String> {
    let mut covered: BTreeSet<String> = rebuild.iter().cloned().collect();
    for stage in stages {
        if stage.inputs.iter().any(|input| covered.contains(input)) {
            covered.insert(stage.name.clone());
        }
    }
    covered
}

/// Refuses to give up existing results unless the user said so.
pub(crate) fn refuse_stale(
    folder: &Folder,
    stages: &[Description],
    rebuild: &[String],
) -> anyhow::Result<()> {
    let stale = stale(folder, stages)?;
    let covered = covered(stages, rebuild);
    let uncovered: Vec<&String> = stale.iter().filter(|name| !covered.contains(*name)).collect();
    let Some(first) = uncovered.first() else {
        return Ok(());
    };
    let names: Vec<&str> = uncovered.iter().map(|name| name.as_str()).collect();
    let message = format!(
        "the configuration changed for stages that have results: {}\n  run them again with --rebuild {first} (it covers the stages after it), or use another --dir;\n  the old results stay until `kosmos gc`",
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
    pub(crate) limits: &'a Limits,
    /// The names of the sources.
    pub(crate) sources: BTreeSet<String>,
}

impl Runner<'_> {
    /// Runs the selected stages; returns the datasets of all stages that are sealed.
    pub(crate) fn run(&self, stages: &[Box<dyn Stage>], selection: &Selection) -> anyhow::Result<Inputs> {
        let mut sealed = match &selection.only {
            Some(_) => self.folder.sealed()?,
            None => Inputs::default(),
        };
        let display = Display::new();
        let engine = Engine {
            store: &self.folder.store,
            workers: self.workers,
            cancel: self.cancel,
            crashes: self.crashes,
            observer: &display,
            prober: Some(self.folder),
        };
        let selected = |name: &String| selection.only.as_ref().is_none_or(|only| only == name);
        let (mut complaints, mut unread) = (Vec::new(), Vec::new());
        for stage in stages.iter().filter(|stage| selected(&stage.name())) {
            let (name, started) = (stage.name(), Instant::now());
            // The other sources are read all the same, so that all that is wrong is told at once.
            if !complaints.is_empty() && !self.is_of_source(&name) {
                break;
            }
            if selection.rebuild.contains(&name) {
                self.give_up_results(stage.as_ref(), &sealed)?;
            }
            let known = Description::of(stage.as_ref()).dataset(&self.folder.store, &sealed)?;
            let was_sealed = known.is_some();
            let result = known.map_or_else(|| engine.run(stage.as_ref(), &sealed), Ok);
            display.end_stage();
            let dataset = result.map_err(|error| self.of_source(&name, error))?;
            say!("{}", describe(&dataset, was_sealed, started))?;
            if self.sources.contains(&name) {
                complaints.extend(self.limits.complaint(&dataset)?);
            }
            sealed.0.insert(name.clone(), dataset);
            if self.sources.contains(&name) {
                unread.extend(unread::sentence(&name, &sealed)?);
            }
            // Where no source has a record, there is nothing to go on with.
            if unread.len() == self.sources.len() {
                complaints.append(&mut unread);
            }
            if selection.until.as_ref() == Some(&name) {
                break;
            }
        }
        match complaints.is_empty() {
            true => Ok(sealed),
            false => Err(Failed(complaints.join("\n")).into()),
        }
    }

    /// Adds which source it is to an error of a file that cannot be had.
    fn of_source(&self, stage: &str, error: corpus::Error) -> anyhow::Error {
        match error {
            corpus::Error::Source { .. } if self.is_of_source(stage) => {
                let source = stage.split('.').next().unwrap_or(stage);
                let message = format!(
                    "source {source} cannot be read: check what [sources.{source}] and [mirrors] name, and the proxy if \
                     there is one"
                );
                anyhow::Error::from(error).context(message)
            }
            error => error.into(),
        }
    }

    /// Returns true for the stages that list and read sources.
    fn is_of_source(&self, stage: &str) -> bool {
        // Names of sources have no dots, and no stage of another kind begins with one.
        self.sources.contains(stage.split('.').next().unwrap_or(stage))
    }

    /// Makes the stage run again under its next generation, if it has results.
    fn give_up_results(&self, stage: &dyn Stage, sealed: &Inputs) -> anyhow::Result<()> {
        let (name, description) = (stage.name(), Description::of(stage));
        let ledger = Ledger::new(self.folder.store.clone());
        let Some(current) = description.current(&self.folder.store, sealed)? else {
            return Ok(());
        };
        let plans = ledger.fingerprints(&name)?;
        if plans.contains(&current) {
            ledger.supersede(&name, &current)?;
        }
        // Finished tasks of earlier listings would be taken up again: they are of what is given up, too.
        if stage.plan(sealed).is_ok_and(|count| count > 0) && stage.task_identity(sealed, 0)?.is_some() {
            for other in plans {
                ledger.supersede(&name, &other)?;
            }
        }
        note!("{name}: runs again; the old results stay until `kosmos gc`");
        Ok(())
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
