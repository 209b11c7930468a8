//! One stage after the other, on what earlier runs have left.

use std::collections::BTreeSet;
use std::time::Instant;

use corpus::crash::Crashes;
use corpus::executor::Executor;
use corpus::probe::Prober;
use corpus::{Cancel, Dataset, Description, Engine, Inputs, Ledger, Stage};

use super::{Selection, Watch};
use crate::config::Limits;
use crate::folder::Folder;
use crate::{Error, Result, evaluation, unread};

/// Runs stages with an engine, and tells of each.
pub(super) struct Runner<'a> {
    pub(super) folder: &'a Folder,
    pub(super) executor: Option<&'a dyn Executor>,
    pub(super) workers: usize,
    pub(super) cancel: &'a Cancel,
    pub(super) crashes: &'a Crashes,
    pub(super) limits: &'a Limits,
    /// The names of the sources.
    pub(super) sources: BTreeSet<String>,
    pub(super) prober: &'a dyn Prober,
    pub(super) watch: &'a dyn Watch,
}

impl Runner<'_> {
    /// Runs the selected stages, each with its description; returns the datasets of all stages that are sealed.
    pub(super) fn run<'s>(
        &self,
        stages: impl Iterator<Item = (&'s dyn Stage, &'s Description)>,
        selection: &Selection,
    ) -> Result<Inputs> {
        let mut sealed = match &selection.only {
            Some(_) => self.folder.sealed()?,
            None => Inputs::default(),
        };
        let engine = Engine {
            store: &self.folder.store,
            work: self.folder.work.clone(),
            workers: self.workers,
            cancel: self.cancel,
            crashes: self.crashes,
            observer: self.watch,
            executor: self.executor,
            prober: Some(self.prober),
        };
        let selected = |name: &String| selection.only.as_ref().is_none_or(|only| only == name);
        let (mut complaints, mut unread) = (Vec::new(), Vec::new());
        for (stage, description) in stages.filter(|(_, description)| selected(&description.name)) {
            let (name, started) = (description.name.clone(), Instant::now());
            // The other sources are read all the same, so that all that is wrong is told at once.
            if !complaints.is_empty() && !self.is_of_source(&name) {
                break;
            }
            if selection.rebuild.contains(&name) {
                self.give_up_results(stage, description, &sealed)?;
            }
            let known = description.dataset(&self.folder.store, &sealed)?;
            let was_sealed = known.is_some();
            let result = known.map_or_else(|| engine.run(stage, &sealed), Ok);
            let dataset = result.map_err(|error| self.of_source(&name, error))?;
            let told = self.watch.sealed(&dataset, (!was_sealed).then(|| started.elapsed()));
            told.map_err(Error::because(|| "cannot tell of a stage".to_owned()))?;
            complaints.extend(self.complaint(&name, &dataset)?);
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
            false => Err(Error::Failed(complaints.join("\n"))),
        }
    }

    /// Says why a run must not go on with what a stage read from outside.
    fn complaint(&self, stage: &str, dataset: &Dataset) -> Result<Option<String>> {
        match self.sources.contains(stage) || stage == evaluation::SETS {
            true => Ok(self.limits.complaint(dataset)?),
            false => Ok(None),
        }
    }

    /// Adds which source it is to an error of a file that cannot be had.
    fn of_source(&self, stage: &str, error: corpus::Error) -> Error {
        match error {
            corpus::Error::Source { .. } if self.is_of_source(stage) => {
                let source = stage.split('.').next().unwrap_or(stage);
                let message = format!(
                    "source {source} cannot be read: check what [sources.{source}] and [mirrors] name, and the proxy if \
                     there is one"
                );
                Error::because(|| message)(error)
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
    fn give_up_results(&self, stage: &dyn Stage, description: &Description, sealed: &Inputs) -> Result<()> {
        let (name, ledger) = (&description.name, Ledger::new(self.folder.store.clone()));
        let Some(current) = description.current(&self.folder.store, sealed)? else {
            return Ok(());
        };
        let plans = ledger.fingerprints(name)?;
        if plans.contains(&current) {
            ledger.supersede(name, &current)?;
        }
        // Finished tasks of earlier listings would be taken up again: they are of what is given up, too.
        if stage.plan(sealed).is_ok_and(|count| count > 0) && stage.task_identity(sealed, 0)?.is_some() {
            for other in plans {
                ledger.supersede(name, &other)?;
            }
        }
        self.watch.note(&format!("{name}: runs again; the old results stay until `kosmos gc`"));
        Ok(())
    }
}
