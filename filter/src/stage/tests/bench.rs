//! A run's folder for tests, and sources with rows that a test made up.

use std::collections::BTreeMap;

use corpus::record::DROPPED;
use corpus::stage::Inputs;
use corpus::table::Record;
use corpus::{Dataset, Declared, Id, Manifest, Output, Result, Stage, Store, Stream, Task};
use corpus_testing::{StopAfter, run_stage};
use serde_json::{Value, json};

/// A run's folder, in which stages run one after the other.
pub(crate) struct Bench {
    store: Store,
    inputs: Inputs,
    workers: usize,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_workers(1)
    }

    /// Returns a folder in which so many tasks run at a time.
    pub(crate) fn with_workers(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        Self { store, inputs: Inputs::default(), workers, _folder: folder }
    }

    /// Runs all tasks, seals the stage and makes its dataset an input of later ones.
    pub(crate) fn run(&mut self, stage: &dyn Stage) -> Dataset {
        self.attempt(stage, u64::MAX).unwrap()
    }

    /// Returns the dataset of a stage that ran.
    pub(crate) fn dataset(&self, stage: &str) -> &Dataset {
        self.inputs.get(stage).unwrap()
    }

    /// Returns the manifests of all stages that ran, by name.
    pub(crate) fn manifests(&self) -> Vec<Manifest> {
        self.inputs.0.values().map(|dataset| dataset.manifest().clone()).collect()
    }

    /// As [`Self::run`], but asks to stop after some records.
    pub(crate) fn attempt(&mut self, stage: &dyn Stage, records: u64) -> Result<Dataset> {
        let stop = StopAfter::new(records);
        let dataset = run_stage(&self.store, self.workers, (&stop, &stop.cancel), stage, &self.inputs)?;
        self.inputs.0.insert(stage.name(), dataset.clone());
        Ok(dataset)
    }
}

/// A source with rows that a test made up, one task per list.
pub(crate) struct Source<R> {
    pub(crate) name: &'static str,
    pub(crate) stream: Stream<R>,
    pub(crate) tasks: Vec<Vec<R>>,
}

impl<R: Record + Clone + Sync> Stage for Source<R> {
    fn name(&self) -> String {
        self.name.to_owned()
    }
    fn settings(&self) -> Result<Value> {
        Ok(json!({}))
    }
    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.tasks.len() as u32)
    }
    fn streams(&self) -> Vec<Declared> {
        vec![self.stream.into()]
    }
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(u64::MAX);
        for row in &self.tasks[task.index as usize] {
            out.read(self.stream.name());
            out.write(self.stream, row.clone())?;
            out.keep(self.stream.name());
            out.advance(1)?;
        }
        Ok(())
    }
}

pub(crate) fn rows<R: Record>(dataset: &Dataset, stream: Stream<R>) -> Vec<R> {
    dataset.rows(stream).map(|row| row.unwrap()).collect()
}

/// Returns the reason and value of every dropped record.
pub(crate) fn dropped(dataset: &Dataset) -> BTreeMap<Id, (String, String)> {
    rows(dataset, DROPPED).into_iter().map(|r| (r.id, (r.reason, r.value))).collect()
}
