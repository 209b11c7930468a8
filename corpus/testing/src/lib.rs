//! For tests: datasets made of given rows, stages run on them by the real engine, S3 servers that have faults.
#![allow(clippy::unwrap_used, clippy::panic)]

pub mod fault;
pub mod s3;
pub mod tools;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use corpus::crash::Crashes;
use corpus::observer::Unobserved;
use corpus::record::{DOCUMENTS, Document, HELD_OUT, SEQUENCES, Sequence};
use corpus::table::Record;
use corpus::{
    Cancel, Dataset, Declared, Engine, Error, FileStream, Id, Inputs, Observer, Output, Part, Result, Stage,
    Store, Stream, Task, WorkFolder,
};
use serde_json::{Value, json};

/// A run's folder that vanishes with it.
pub struct Run {
    folder: tempfile::TempDir,
    store: Store,
}

impl Run {
    /// Makes an empty folder.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        Self { folder, store }
    }

    /// Runs a stage to its end.
    pub fn run(&self, stage: &dyn Stage, inputs: &[&Dataset]) -> Dataset {
        self.run_until(u64::MAX, stage, inputs).unwrap()
    }

    /// Runs a stage with one worker until some records were consumed.
    fn run_until(&self, records: u64, stage: &dyn Stage, inputs: &[&Dataset]) -> Result<Dataset> {
        let stop = StopAfter::new(records);
        self.run_observed(&stop, &stop.cancel, stage, inputs)
    }

    /// Runs a stage with one worker until a stop is asked for.
    pub fn run_with(&self, cancel: &Cancel, stage: &dyn Stage, inputs: &[&Dataset]) -> Result<Dataset> {
        self.run_observed(&Unobserved, cancel, stage, inputs)
    }

    fn run_observed(
        &self,
        observer: &dyn Observer,
        cancel: &Cancel,
        stage: &dyn Stage,
        inputs: &[&Dataset],
    ) -> Result<Dataset> {
        let named = inputs.iter().map(|input| (input.manifest().stage.clone(), (*input).clone()));
        run_stage(&self.store, 1, (observer, cancel), stage, &Inputs(named.collect()))
    }

    /// Returns the folders that tasks keep beyond an attempt.
    pub fn kept_folders(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder.path().join("keep"));
        folders.into_iter().flatten().flatten().map(|folder| folder.path()).collect()
    }

    /// Runs a stage, has it stopped on the way, and runs it again.
    pub fn run_interrupted(&self, records: u64, stage: &dyn Stage, inputs: &[&Dataset]) -> Dataset {
        let stopped = self.run_until(records, stage, inputs);
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        self.run(stage, inputs)
    }

    /// Makes the dataset of a stage that writes these rows, one part per list.
    pub fn given<R>(&self, stage: &str, stream: Stream<R>, parts: Vec<Vec<R>>) -> Dataset
    where
        R: Record + Clone + Sync + Debug,
    {
        self.run(&GivenRows { name: stage.to_owned(), stream, parts }, &[])
    }

    /// Makes the dataset of a stage that writes this file.
    pub fn given_file(&self, stage: &str, stream: FileStream, bytes: Vec<u8>) -> Dataset {
        self.run(&GivenFile { name: stage.to_owned(), stream, bytes }, &[])
    }
}

/// Runs a stage in a store, with so many workers.
///
/// # Errors
/// Those of the engine.
pub fn run_stage(
    store: &Store,
    workers: usize,
    (observer, cancel): (&dyn Observer, &Cancel),
    stage: &dyn Stage,
    inputs: &Inputs,
) -> Result<Dataset> {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = store.local_path("").unwrap_or_else(|| elsewhere.path().to_owned());
    let engine = Engine {
        store,
        work: WorkFolder::at(&folder)?,
        workers,
        cancel,
        crashes: &Crashes::default(),
        observer,
        executor: None,
        prober: None,
    };
    engine.run(stage, inputs)
}

/// Runs a stage without inputs in a store to its end.
pub fn run_stage_quietly(store: &Store, stage: &dyn Stage) -> Dataset {
    run_stage(store, 2, (&Unobserved, &Cancel::default()), stage, &Inputs::default()).unwrap()
}

/// Runs stages one after the other; each reads what was made before it. Returns all datasets.
///
/// # Errors
/// Those of the engine.
pub fn run_stages(
    store: &Store,
    workers: usize,
    watched: (&dyn Observer, &Cancel),
    stages: &[Box<dyn Stage>],
) -> Result<BTreeMap<String, Dataset>> {
    let mut made = Inputs::default();
    for stage in stages {
        let dataset = run_stage(store, workers, watched, stage.as_ref(), &made)?;
        made.0.insert(stage.name(), dataset);
    }
    Ok(made.0)
}

/// Asks to stop after so many records.
pub struct StopAfter {
    records: u64,
    seen: AtomicU64,
    /// What it asks by.
    pub cancel: Cancel,
}

impl StopAfter {
    /// Returns one that has seen none yet.
    pub fn new(records: u64) -> Self {
        Self { records, seen: AtomicU64::new(0), cancel: Cancel::default() }
    }

    /// Returns the records that were consumed.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Observer for StopAfter {
    fn advanced(&self, records: u64) {
        if self.seen.fetch_add(records, Ordering::Relaxed) + records >= self.records {
            self.cancel.request();
        }
    }
}

/// A stage that writes given rows.
pub struct GivenRows<R> {
    /// Its name.
    pub name: String,
    /// The stream that it writes.
    pub stream: Stream<R>,
    /// The rows of each task.
    pub parts: Vec<Vec<R>>,
}

impl GivenRows<Document> {
    /// Returns three parts of 700 texts each.
    pub fn texts() -> Self {
        let document = |number: u64| Document {
            id: Id::from_bits(number),
            key: None,
            source: "given".to_owned(),
            url: None,
            date: None,
            language: None,
            text: format!("text {number} ").repeat(50),
            split: None,
        };
        let parts = (0..3).map(|part| (part * 1_000..part * 1_000 + 700).map(document).collect()).collect();
        GivenRows { name: "given".to_owned(), stream: DOCUMENTS, parts }
    }
}

impl<R: Record + Clone + Sync + Debug> Stage for GivenRows<R> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"parts": format!("{:?}", self.parts)}))
    }

    fn plan(&self, _inputs: &Inputs) -> Result<u32> {
        Ok(self.parts.len() as u32)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![self.stream.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        for row in &self.parts[task.index as usize] {
            out.write(self.stream, row.clone())?;
        }
        Ok(())
    }
}

/// A stage that writes given sequences, as packing does: each to the stream of its split.
pub struct GivenSequences {
    /// Its name.
    pub name: String,
    /// The sequences of each task.
    pub parts: Vec<Vec<Sequence>>,
}

impl Stage for GivenSequences {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"parts": format!("{:?}", self.parts)}))
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(self.parts.len() as u32)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![SEQUENCES.into(), HELD_OUT.into()]
    }

    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        for row in &self.parts[task.index as usize] {
            out.write(row.stream(), row.clone())?;
        }
        Ok(())
    }
}

/// A stage that writes a given file.
pub struct GivenFile {
    /// Its name.
    pub name: String,
    /// The stream that it writes.
    pub stream: FileStream,
    /// What is in the file.
    pub bytes: Vec<u8>,
}

impl Stage for GivenFile {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn settings(&self) -> Result<Value> {
        Ok(json!({"bytes": self.bytes}))
    }

    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }

    fn streams(&self) -> Vec<Declared> {
        vec![self.stream.into()]
    }

    fn run(&self, _: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.write_file(self.stream, self.bytes.clone().into())
    }
}

/// Returns all rows of a stream.
pub fn rows<R: Record>(dataset: &Dataset, stream: Stream<R>) -> Vec<R> {
    dataset.rows(stream).collect::<Result<_>>().unwrap()
}

/// Returns the parts of all streams.
pub fn parts(dataset: &Dataset) -> Vec<Part> {
    dataset.parts_of(|_| true).collect::<Result<_>>().unwrap()
}

/// Returns (read, kept, removed by reason) of a unit.
pub fn counts(dataset: &Dataset, unit: &str) -> (u64, u64, Vec<(String, u64)>) {
    let Some(counts) = dataset.manifest().report.units.get(unit) else {
        return (0, 0, Vec::new());
    };
    let removed = counts.dropped.iter().chain(&counts.failed);
    (counts.read, counts.kept, removed.map(|(reason, count)| (reason.clone(), *count)).collect())
}
