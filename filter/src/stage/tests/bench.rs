//! A run's folder for tests, and sources with rows that a test made up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use corpus::crash::Crashes;
use corpus::record::Removed;
use corpus::stage::{Cancel, Inputs, Progress};
use corpus::table::Record;
use corpus::{Dataset, Fingerprint, Id, Ledger, Manifest, Result, Stage, Store, Task};
use serde_json::{Value, json};

/// A run's folder, whose tasks run one after the other.
pub(crate) struct Bench {
    store: Store,
    ledger: Ledger,
    inputs: Inputs,
    folder: tempfile::TempDir,
    workers: usize,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_workers(1)
    }

    /// Returns a folder whose tasks are told that so many run at a time.
    pub(crate) fn with_workers(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        Self { ledger: Ledger::new(store.clone()), store, inputs: Inputs::default(), folder, workers }
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
        let named = stage.inputs();
        let manifests: Vec<_> = named.iter().map(|name| self.inputs.get(name).unwrap().manifest()).collect();
        let fingerprint =
            Fingerprint::new(&stage.name(), stage.version(), &stage.settings().unwrap(), &manifests);
        let count = stage.plan(&self.inputs)?;
        let stop = StopAfter { records: AtomicU64::new(records), cancel: Cancel::default() };
        for index in 0..count {
            let scratch = self.folder.path().join(format!("scratch-{}-{index}", stage.name()));
            let _ = std::fs::remove_dir_all(&scratch);
            std::fs::create_dir_all(&scratch).unwrap();
            stage.run(&Task {
                stage: &stage.name(),
                fingerprint: &fingerprint,
                index,
                count,
                workers: self.workers,
                inputs: &self.inputs,
                store: &self.store,
                ledger: &self.ledger,
                identity: None,
                keep: scratch.join("keep"),
                scratch,
                crashes: &Crashes::default(),
                is_guarded: false,
                is_trial: false,
                cancel: &stop.cancel,
                progress: &stop,
            })?;
        }
        let manifest = self.ledger.seal(&stage.name(), &fingerprint, count)?;
        let dataset = Dataset::new(self.store.clone(), manifest);
        self.inputs.0.insert(stage.name(), dataset.clone());
        Ok(dataset)
    }
}

struct StopAfter {
    records: AtomicU64,
    cancel: Cancel,
}

impl Progress for StopAfter {
    fn advance(&self, records: u64) {
        if self.records.fetch_sub(records, Ordering::Relaxed) <= records {
            self.cancel.request();
        }
    }
    fn log(&self, _line: &str) {}
}

/// A source with rows that a test made up, one task per list.
pub(crate) struct Source<R> {
    pub(crate) name: &'static str,
    pub(crate) stream: &'static str,
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
    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        out.set_range_records_max(u64::MAX);
        for row in &self.tasks[task.index as usize] {
            out.read(self.stream);
            out.write(self.stream, row.clone())?;
            out.keep(self.stream);
            out.advance(1)?;
        }
        out.finish()
    }
}

pub(crate) fn rows<R: Record>(dataset: &Dataset, stream: &str) -> Vec<R> {
    dataset.rows::<R>(stream).map(|row| row.unwrap()).collect()
}

/// Returns the reason and value of every dropped record.
pub(crate) fn dropped(dataset: &Dataset) -> BTreeMap<Id, (String, String)> {
    rows::<Removed>(dataset, "dropped").into_iter().map(|r| (r.id, (r.reason, r.value))).collect()
}
