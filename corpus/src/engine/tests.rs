//! A small stage run, killed, raced, verified and swept.
#![allow(clippy::unwrap_used)]

mod probe;
mod race;

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::observer::Unobserved;
use crate::record::{DOCUMENTS, DROPPED, Document, IMAGES, PAGES};
use crate::{Declared, Id, Part, Removal, gc, verify};

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
    fn settings(&self) -> Result<Value> {
        Ok(json!({"documents": self.documents}))
    }
    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(3)
    }
    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into()]
    }
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(100);
        for number in out.position()..self.documents {
            let id = Id::from_bits(u64::from(task.index) << 36 | number);
            let text = format!("document {number} of task {}", task.index);
            let removal = |reason| Removal {
                id,
                key: None,
                url: None,
                reason,
                value: number.to_string(),
                preview: &text,
            };
            out.read("documents");
            if number % 7 == 0 {
                out.drop("documents", removal("seventh"))?;
            } else if number % 11 == 0 {
                out.fail("documents", removal("eleventh"))?;
            } else {
                out.keep("documents");
                out.write(DOCUMENTS, document(id, text))?;
            }
            if let Some((limit, cancel, seen)) = &self.stop_after
                && seen.fetch_add(1, Ordering::Relaxed) + 1 >= *limit
            {
                cancel.request();
            }
            out.advance(1)?;
        }
        Ok(())
    }
}

pub(super) fn document(id: Id, text: String) -> Document {
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
    let work = work(store);
    Engine { store, work, workers, cancel, crashes, observer: &Unobserved, executor: None, prober: None }
}

/// Returns the working folder of a run in a local folder.
fn work(store: &Store) -> WorkFolder {
    WorkFolder::at(&store.local_path("").unwrap()).unwrap()
}

fn run(store: &Store, stage: &Numbers, workers: usize) -> Result<Dataset> {
    let cancel = stage.stop_after.as_ref().map_or_else(Cancel::default, |stop| stop.1.clone());
    engine(store, &cancel, &Crashes::default(), workers).run(stage, &Inputs::default())
}

fn parts(dataset: &Dataset) -> Vec<Part> {
    dataset.parts_of(|_| true).map(Result::unwrap).collect()
}

/// Opens a dataset anew: nothing of it was read before.
fn dataset_of(store: &Store, manifest: &crate::Manifest) -> Dataset {
    Dataset::new(store.clone(), manifest.clone())
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
    assert_eq!(dataset.rows(DOCUMENTS).count() as u64, counts.kept);
    assert_eq!(dataset.rows(DROPPED).count(), 216);
}

#[test]
fn a_stream_without_rows_is_empty_and_an_unknown_one_an_error() {
    let (_folder, store) = temp();
    let dataset = run(&store, &Numbers::new(1), 1).unwrap();
    // The first number is divisible by seven: nothing is kept.
    assert_eq!((dataset.rows(DOCUMENTS).count(), dataset.part_count(DOCUMENTS).unwrap()), (0, 0));
    let error = dataset.rows(PAGES).next().unwrap().unwrap_err().to_string();
    assert!(
        error.contains("numbers has no stream pages of page/") && error.contains("documents of"),
        "{error}"
    );
    assert!(dataset.parts(IMAGES).next().unwrap().is_err());
    assert!(dataset.part_count(IMAGES).is_err() && !dataset.has(IMAGES) && dataset.has(DOCUMENTS));
}

#[test]
fn a_stream_that_was_not_declared_cannot_be_written() {
    struct Silent;
    impl Stage for Silent {
        fn name(&self) -> String {
            "silent".to_owned()
        }
        fn settings(&self) -> Result<Value> {
            Ok(json!({}))
        }
        fn plan(&self, _: &Inputs) -> Result<u32> {
            Ok(1)
        }
        fn streams(&self) -> Vec<Declared> {
            Vec::new()
        }
        fn run(&self, _: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
            out.write(DOCUMENTS, document(Id::from_bits(0), String::new()))
        }
    }
    let (_folder, store) = temp();
    let (cancel, crashes) = (Cancel::default(), Crashes::default());
    let error = engine(&store, &cancel, &crashes, 1).run(&Silent, &Inputs::default()).unwrap_err();
    assert!(error.to_string().contains("documents of document/2, which it does not declare"), "{error}");
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
    let (folder, store) = temp();
    let stage = Numbers::new(50);
    let inputs = Inputs::default();
    let fingerprint = Engine::fingerprint(&stage, &inputs).unwrap();
    let (cancel, crashes) = (Cancel::default(), Crashes::default());
    let ledger = Ledger::new(store.clone());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let (inputs, fingerprint, stage) = (&inputs, &fingerprint, &stage);
            let (cancel, crashes, path) = (&cancel, &crashes, folder.path());
            scope.spawn(move || {
                // A store of its own, as another process has it.
                let store = Store::local(path).unwrap();
                let engine = engine(&store, cancel, crashes, 1);
                engine.run_task(stage, inputs, fingerprint, 0, 3).unwrap();
            });
        }
    });
    let names = store.list("ledger/numbers").unwrap();
    assert_eq!(names.len(), 2, "one range and the mark of the end: {names:?}");
    let entry = &ledger.entries("numbers", &fingerprint, 0).unwrap()[0];
    assert_eq!(entry.report.units["documents"].read, 50);
    for part in &entry.parts {
        assert!(store.open(&part.path).is_ok());
    }
}

#[test]
fn verify_finds_flipped_truncated_and_missing_files() {
    let (folder, store) = temp();
    let dataset = run(&store, &Numbers::new(300), 2).unwrap();
    let manifest = dataset.manifest();
    let found = || verify::verify(&store, manifest).unwrap();
    assert_eq!(found(), []);

    let part = folder.path().join(&parts(&dataset)[0].path);
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
    assert!(found()[0].detail.contains("range 0 of 1 is not marked as the last"), "{:?}", found());
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
    assert_eq!(garbage.files.len(), parts(&old).len() + 10);
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
        format: crate::format::FORMAT,
        stage: "numbers".into(),
        fingerprint: Fingerprint::parse("0123456789abcdef").unwrap(),
        task: 0,
        range: 0,
        last: true,
        start: 0,
        position: 1,
        identity: None,
        parts: vec![],
        report,
        context: Default::default(),
    };
    let result = Ledger::new(store.clone()).commit(&entry);
    assert!(matches!(result, Err(Error::Conservation { .. })));
    assert!(store.list("ledger").unwrap().is_empty());
}

/// Numbers whose tasks depend on the names of their files, as those of sources do.
struct Files(&'static [&'static str], AtomicU64);

impl Stage for Files {
    fn name(&self) -> String {
        "files".to_owned()
    }
    fn inputs(&self) -> Vec<String> {
        vec!["listing".to_owned()]
    }
    fn settings(&self) -> Result<Value> {
        Ok(json!({}))
    }
    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(self.0.len() as u32)
    }
    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into()]
    }
    fn task_identity(&self, _: &Inputs, index: u32) -> Result<Option<String>> {
        Ok(Some(self.0[index as usize].to_owned()))
    }
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        out.read("documents");
        out.keep("documents");
        let id = Id::from_bits(u64::from(task.index));
        out.write(DOCUMENTS, document(id, self.0[task.index as usize].to_owned()))?;
        out.advance(1)?;
        Ok(())
    }
}

/// Runs the files as of a listing whose content is the count; returns the texts and the tasks that ran.
fn run_files(store: &Store, names: &'static [&'static str]) -> (Dataset, u64) {
    struct Listing(u64);
    impl Stage for Listing {
        fn name(&self) -> String {
            "listing".to_owned()
        }
        fn settings(&self) -> Result<Value> {
            Ok(json!(self.0))
        }
        fn plan(&self, _: &Inputs) -> Result<u32> {
            Ok(1)
        }
        fn streams(&self) -> Vec<Declared> {
            vec![DOCUMENTS.into()]
        }
        fn run(&self, _: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
            out.write(DOCUMENTS, document(Id::from_bits(self.0), "list".into()))?;
            Ok(())
        }
    }
    let (cancel, crashes) = (Cancel::default(), Crashes::default());
    let engine = engine(store, &cancel, &crashes, 2);
    let listed = names.iter().map(|name| name.len() as u64).sum();
    let listing = engine.run(&Listing(listed), &Inputs::default()).unwrap();
    let stage = Files(names, AtomicU64::new(0));
    let inputs = Inputs([("listing".to_owned(), listing)].into());
    (engine.run(&stage, &inputs).unwrap(), stage.1.load(Ordering::Relaxed))
}

#[test]
fn an_added_file_is_one_new_task_and_a_renamed_one_is_read_again() {
    let (_folder, store) = temp();
    store.put_if_absent(gc::MARKER, "{}".into()).unwrap();
    let texts =
        |dataset: &Dataset| -> Vec<String> { dataset.rows(DOCUMENTS).map(|row| row.unwrap().text).collect() };
    let (old, ran) = run_files(&store, &["a", "bb"]);
    assert_eq!((texts(&old), ran), (vec!["a".to_owned(), "bb".to_owned()], 2));
    let (grown, ran) = run_files(&store, &["a", "bb", "cccc"]);
    assert_eq!((texts(&grown).len(), ran), (3, 1));
    assert_eq!(parts(&grown)[..2], parts(&old)[..]);
    let (renamed, ran) = run_files(&store, &["a", "ddddd", "cccc"]);
    assert_eq!((texts(&renamed)[1].as_str(), ran), ("ddddd", 1));

    let current = [("files".to_owned(), renamed.manifest().fingerprint.clone())].into();
    gc::sweep(&store, &gc::find(&store, &current).unwrap()).unwrap();
    assert_eq!(verify::verify(&store, renamed.manifest()).unwrap(), [], "adopted parts are needed");
}

#[test]
fn a_stage_that_is_run_again_has_a_new_generation_and_the_same_content() {
    let (_folder, store) = temp();
    let first = run(&store, &Numbers::new(50), 1).unwrap();
    let ledger = Ledger::new(store.clone());
    ledger.supersede("numbers", &first.manifest().fingerprint).unwrap();
    let again = run(&store, &Numbers::new(50), 1).unwrap();
    assert_eq!(again.manifest().fingerprint, first.manifest().fingerprint.next_generation());
    assert_eq!(again.manifest().content, first.manifest().content);
    assert_ne!(parts(&again)[0].path, parts(&first)[0].path);
}

#[test]
fn verify_checks_the_ledger_as_well_as_the_parts() {
    let (folder, store) = temp();
    let dataset = run(&store, &Numbers::new(300), 2).unwrap();
    let manifest = dataset.manifest();
    let details = |manifest: &crate::Manifest| {
        let found = verify::verify(&store, manifest).unwrap();
        found.into_iter().map(|finding| finding.detail).collect::<Vec<_>>().join("\n")
    };
    let ledger = folder.path().join(crate::ledger::folder("numbers", &manifest.fingerprint));
    // An entry's count changed, and its balance kept.
    let path = ledger.join("00000001-000001.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let entry: Value = serde_json::from_str(&good).unwrap();
    let change = |edit: &dyn Fn(&mut Value)| {
        let mut changed = entry.clone();
        edit(&mut changed);
        std::fs::write(&path, changed.to_string()).unwrap();
        let found = details(manifest);
        std::fs::write(&path, &good).unwrap();
        found
    };
    let add = |value: &mut Value| *value = json!(value.as_u64().unwrap() + 1);
    let found = change(&|entry| {
        add(&mut entry["report"]["units"]["documents"]["read"]);
        add(&mut entry["report"]["units"]["documents"]["kept"]);
    });
    assert!(found.contains("do not add up to the manifest"), "{found}");
    let found = change(&|entry| add(&mut entry["report"]["units"]["documents"]["kept"]));
    assert!(found.contains("documents: read"), "{found}");
    let found = change(&|entry| add(&mut entry["start"]));
    assert!(found.contains("must start at 100"), "{found}");
    let found = change(&|entry| entry["task"] = json!(2));
    assert!(found.contains("an entry of numbers task 2"), "{found}");
    let found = change(&|entry| entry["format"] = json!(1));
    assert!(found.contains("format 1"), "{found}");
    std::fs::remove_file(ledger.join("00000002-end.json")).unwrap();
    assert!(details(manifest).contains("the mark of its end is missing"));
    ledger_end(&store, manifest);
    assert_eq!(details(manifest), "");

    let mut broken = manifest.clone();
    broken.report.units.get_mut("documents").unwrap().read += 1;
    assert!(details(&broken).contains("documents: read"), "a manifest whose balance is broken");
    let mut broken = manifest.clone();
    broken.streams[0].shards.pop();
    assert!(details(&broken).contains("do not add up to the manifest"));
    let mut broken = manifest.clone();
    broken.range_count -= 1;
    assert!(details(&broken).contains("do not add up to the manifest"));

    let shard = folder.path().join(&manifest.streams[0].shards[0].path);
    let good = std::fs::read(&shard).unwrap();
    std::fs::write(&shard, &good[1..]).unwrap();
    assert!(details(manifest).contains("not what the entries say"), "{}", details(manifest));
    assert!(
        dataset_of(&store, manifest).rows(DOCUMENTS).next().unwrap().is_err(),
        "a damaged list is no end"
    );
    std::fs::remove_file(&shard).unwrap();
    assert!(dataset_of(&store, manifest).rows(DOCUMENTS).next().unwrap().is_err());
}

/// Puts the mark of task 2's end back.
fn ledger_end(store: &Store, manifest: &crate::Manifest) {
    let ledger = Ledger::new(store.clone());
    let entries = ledger.entries("numbers", &manifest.fingerprint, 2).unwrap();
    ledger.end(entries.last().unwrap()).unwrap();
}

#[test]
fn a_repair_puts_back_the_same_bytes_and_never_others() {
    let (folder, store) = temp();
    let stage = Numbers::new(300);
    let dataset = run(&store, &stage, 2).unwrap();
    let manifest = dataset.manifest();
    let parts = parts(&dataset);
    let part = parts.iter().find(|part| part.task() == Some(1)).unwrap();
    let (path, ledger) =
        (folder.path().join(&part.path), crate::ledger::folder("numbers", &manifest.fingerprint));
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..10]).unwrap();
    std::fs::remove_file(folder.path().join(format!("{ledger}/00000001-000002.json"))).unwrap();
    let found = verify::verify(&store, manifest).unwrap();
    assert!(found.len() == 2 && found.iter().all(|finding| finding.task == Some(1)), "{found:?}");

    let repair = |stage: &Numbers| {
        let (places, inputs) = ((&store, &work(&store)), Inputs::default());
        crate::repair::repair(places, stage, &inputs, manifest, 1, &Cancel::default()).unwrap()
    };
    assert!(matches!(repair(&Numbers::new(299)), crate::repair::Repair::Differs(_)));
    assert_eq!(std::fs::read(&path).unwrap().len(), 10, "other bytes are not put there");
    assert!(matches!(repair(&stage), crate::repair::Repair::Done(_)));
    assert_eq!(verify::verify(&store, manifest).unwrap(), []);
    assert_eq!(std::fs::read(&path).unwrap(), good);
}
