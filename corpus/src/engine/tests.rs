//! A small stage run, killed, raced, verified and swept.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::record::{Document, Duplicate};
use crate::{Id, Removal, gc, verify};

/// Writes `documents` numbers per task, drops every seventh, fails every eleventh.
struct Numbers {
    documents: u64,
    /// Stops the whole engine after this many records, as a kill would.
    stop_after: Option<(u64, Cancel, AtomicU64)>,
}

impl Numbers {
    fn new(documents: u64) -> Self {
        Self { documents, stop_after: None }
    }
}

impl Stage for Numbers {
    fn name(&self) -> String {
        "numbers".to_owned()
    }
    fn settings(&self) -> Value {
        json!({"documents": self.documents})
    }
    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(3)
    }
    fn run(&self, task: &Task<'_>) -> Result<()> {
        let mut out = task.output()?;
        out.set_range_records_max(100);
        for number in out.position()..self.documents {
            let id = Id::from_bits(u64::from(task.index) << 36 | number);
            let text = format!("document {number} of task {}", task.index);
            let removal =
                |reason| Removal { id, key: None, url: None, reason, value: number.to_string(), preview: &text };
            out.read("documents");
            if number % 7 == 0 {
                out.drop("documents", removal("seventh"))?;
            } else if number % 11 == 0 {
                out.fail("documents", removal("eleventh"))?;
            } else {
                out.keep("documents");
                out.write("documents", document(id, text))?;
            }
            if let Some((limit, cancel, seen)) = &self.stop_after
                && seen.fetch_add(1, Ordering::Relaxed) + 1 >= *limit
            {
                cancel.request();
            }
            out.advance(1)?;
        }
        out.finish()
    }
}

fn document(id: Id, text: String) -> Document {
    Document {
        id,
        key: None,
        source: "test".into(),
        url: None,
        date: None,
        language: None,
        text,
        split: None,
    }
}

fn engine<'a>(store: &'a Store, cancel: &'a Cancel, crashes: &'a Crashes, workers: usize) -> Engine<'a> {
    Engine { store, workers, cancel, crashes, observer: &Unobserved }
}

fn run(store: &Store, stage: &Numbers, workers: usize) -> Result<Dataset> {
    let cancel = stage.stop_after.as_ref().map_or_else(Cancel::default, |stop| stop.1.clone());
    engine(store, &cancel, &Crashes::default(), workers).run(stage, &Inputs::default())
}

fn temp() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn every_record_is_kept_dropped_or_failed_with_its_reason() {
    let (_folder, store) = temp();
    let dataset = run(&store, &Numbers::new(500), 2).unwrap();
    let counts = &dataset.manifest().report.units["documents"];
    assert_eq!((counts.read, counts.dropped["seventh"], counts.failed["eleventh"]), (1500, 216, 117));
    assert!(counts.is_conserved());
    assert_eq!(dataset.rows::<Document>("documents").count() as u64, counts.kept);
    assert_eq!(dataset.rows::<crate::record::Removed>("dropped").count(), 216);
    assert!(dataset.rows::<Duplicate>("documents").next().unwrap().is_err());
}

#[test]
fn a_run_stopped_anywhere_and_continued_has_the_same_parts() {
    let (_folder, whole) = temp();
    let expected = run(&whole, &Numbers::new(500), 1).unwrap();
    for stop in [1, 99, 100, 101, 499, 777, 1499] {
        let (_folder, store) = temp();
        let mut stage = Numbers::new(500);
        stage.stop_after = Some((stop, Cancel::default(), AtomicU64::new(0)));
        assert!(matches!(run(&store, &stage, 2), Err(Error::Cancelled)), "{stop}");
        let continued = run(&store, &Numbers::new(500), 4).unwrap();
        assert_eq!(continued.manifest(), expected.manifest(), "stopped after {stop}");
    }
}

#[test]
fn of_six_attempts_at_one_task_exactly_one_counts() {
    let (_folder, store) = temp();
    let stage = Numbers::new(50);
    let inputs = Inputs::default();
    let fingerprint = Engine::fingerprint(&stage, &inputs).unwrap();
    let (cancel, crashes) = (Cancel::default(), Crashes::default());
    let ledger = Ledger::new(store.clone());
    std::thread::scope(|scope| {
        for attempt in 0..6 {
            let (store, inputs, fingerprint) = (&store, &inputs, &fingerprint);
            let (ledger, cancel, crashes, stage) = (&ledger, &cancel, &crashes, &stage);
            scope.spawn(move || {
                let progress = Silent;
                let task = Task {
                    stage: "numbers",
                    fingerprint,
                    index: 0,
                    count: 3,
                    inputs,
                    store,
                    ledger,
                    scratch: store.folder().join(format!("scratch/{attempt}")),
                    crashes,
                    cancel,
                    progress: &progress,
                };
                stage.run(&task).unwrap();
            });
        }
    });
    let entries = store.list("ledger/numbers").unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &ledger.entries("numbers", &fingerprint, 0).unwrap()[0];
    assert_eq!(entry.report.units["documents"].read, 50);
    for part in &entry.parts {
        assert!(store.open(&part.path).is_ok());
    }
}

struct Silent;
impl Progress for Silent {
    fn advance(&self, _: u64) {}
    fn log(&self, _: &str) {}
}

#[test]
fn verify_finds_flipped_truncated_and_missing_files() {
    let (folder, store) = temp();
    let dataset = run(&store, &Numbers::new(300), 2).unwrap();
    let manifest = dataset.manifest();
    let found = || verify::verify(&store, manifest).unwrap();
    assert_eq!(found(), []);

    let part = folder.path().join(&manifest.parts[0].path);
    let good = std::fs::read(&part).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    std::fs::write(&part, &flipped).unwrap();
    assert!(found()[0].detail.contains("digest"), "{:?}", found());
    std::fs::write(&part, &good[..good.len() - 1]).unwrap();
    assert!(found()[0].detail.contains("bytes where the ledger says"));
    std::fs::remove_file(&part).unwrap();
    assert_eq!(found().len(), 1);
    std::fs::write(&part, &good).unwrap();

    let entry = folder.path().join(format!("ledger/numbers/{}/00000001-000001.json", manifest.fingerprint));
    std::fs::remove_file(entry).unwrap();
    assert!(found()[0].detail.contains("1 entries of 4"), "{:?}", found());
}

#[test]
fn gc_removes_old_fingerprints_and_nothing_else() {
    let (folder, store) = temp();
    let old = run(&store, &Numbers::new(10), 1).unwrap();
    let new = run(&store, &Numbers::new(20), 1).unwrap();
    let current = [("numbers".to_owned(), new.manifest().fingerprint.clone())].into();
    assert!(gc::find(&store, &current).is_err(), "a folder without our marker is not touched");
    store.put_if_absent(gc::MARKER, "{}".into()).unwrap();
    let foreign = folder.path().join("data/numbers/notes.txt");
    std::fs::write(&foreign, "mine").unwrap();
    let garbage = gc::find(&store, &current).unwrap();
    assert_eq!(garbage.files.len(), old.manifest().parts.len() + 4);
    gc::sweep(&store, &garbage).unwrap();
    assert!(foreign.exists());
    assert_eq!(verify::verify(&store, new.manifest()).unwrap(), []);
    assert_eq!(gc::find(&store, &current).unwrap().files, []);
}

#[test]
fn a_lost_record_is_never_committed() {
    let (_folder, store) = temp();
    let mut report = crate::Report::default();
    report.count("documents", |counts| counts.read = 1);
    let entry = crate::Entry {
        format: crate::ledger::LEDGER_FORMAT,
        stage: "numbers".into(),
        fingerprint: Fingerprint::parse("0123456789abcdef").unwrap(),
        task: 0,
        range: 0,
        last: true,
        position: 1,
        parts: vec![],
        report,
        circumstances: Default::default(),
    };
    let result = Ledger::new(store.clone()).commit(&entry);
    assert!(matches!(result, Err(Error::Conservation { .. })));
    assert!(store.list("ledger").unwrap().is_empty());
}
