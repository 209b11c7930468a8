//! A range at which the process was killed again and again.
#![allow(clippy::unwrap_used)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::super::*;
use crate::limits::INTERRUPTIONS_MAX;
use crate::observer::Unobserved;
use crate::probe::confine;
use crate::record::DOCUMENTS;
use crate::{Declared, Id, Removal};

/// Variable by which a process of this test binary tries a range: the run's folder, and the file of marks.
const TRIAL: &str = "KOSMOS_TRIAL_OF_TEST";
const RECORDS: u64 = 50;
/// The record that takes more memory than there is.
const GREEDY: u64 = 17;
/// Bytes that the child may take, and that the record asks for.
const MEMORY_BYTES: u64 = 64 << 20;
const GREEDY_BYTES: usize = 512 << 20;

/// Works on records under their marks, each of which takes some memory.
struct Guarded;

impl Stage for Guarded {
    fn name(&self) -> String {
        "guarded".to_owned()
    }
    fn settings(&self) -> Result<Value> {
        Ok(json!({}))
    }
    fn plan(&self, _: &Inputs) -> Result<u32> {
        Ok(1)
    }
    fn streams(&self) -> Vec<Declared> {
        vec![DOCUMENTS.into()]
    }
    fn guards_records(&self) -> bool {
        true
    }
    fn run(&self, task: &Task<'_>, out: &mut Output<'_>) -> Result<()> {
        out.set_range_records_max(20);
        for number in out.position()..RECORDS {
            let id = Id::from_bits(number);
            out.read("documents");
            let bytes = if number == GREEDY { GREEDY_BYTES } else { 1 << 10 };
            match task.crashes.guard(id, || std::hint::black_box(vec![1_u8; bytes]).len().to_string()) {
                Ok(text) => {
                    out.keep("documents");
                    out.write(DOCUMENTS, super::document(id, text))?;
                }
                Err(fatal) => {
                    let (reason, value) = (fatal.reason(), String::new());
                    out.fail("documents", Removal { id, key: None, url: None, reason, value, preview: "" })?;
                }
            }
            out.advance(1)?;
        }
        Ok(())
    }
}

/// Starts this test binary again, or plays the child.
struct Child<'a> {
    folder: &'a Path,
    /// What the child is to end with, and the record in work; a real child where there are none left.
    plays: Mutex<Vec<(i32, Option<u64>)>>,
    runs: AtomicU64,
}

impl<'a> Child<'a> {
    fn of(folder: &'a Path, plays: &[(i32, Option<u64>)]) -> Self {
        Self { folder, plays: Mutex::new(plays.to_vec()), runs: AtomicU64::new(0) }
    }
}

impl Prober for Child<'_> {
    fn try_range(&self, _: &str, _: u32, mark: &Path) -> std::io::Result<ExitStatus> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if let Some((status, record)) = self.plays.lock().unwrap().pop() {
            std::fs::write(mark, record.map_or(0, |record| record + 1).to_le_bytes())?;
            return Ok(ExitStatus::from_raw(status));
        }
        Command::new(std::env::current_exe()?)
            .args(["--exact", "engine::tests::probe::tries_a_range", "--nocapture"])
            .env(TRIAL, format!("{}\n{}", self.folder.display(), mark.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    }
}

/// Leaves what an attempt leaves that was killed.
fn interrupt(store: &Store, range: u32, times: usize) {
    let fingerprint = Engine::fingerprint(&Guarded, &Inputs::default()).unwrap();
    let keep = super::work(store).keep(&format!("guarded-{fingerprint}-{:08}", 0));
    std::fs::create_dir_all(&keep).unwrap();
    for time in 0..times {
        std::fs::write(keep.join(format!("attempt-{range:06}-{time}")), "").unwrap();
    }
}

fn run(store: &Store, prober: &Child<'_>) -> Result<Dataset> {
    let work = super::work(store);
    let (cancel, crashes) = (Cancel::default(), Crashes::watch(&work.crashes())?);
    let engine = Engine {
        store,
        work,
        workers: 1,
        cancel: &cancel,
        crashes: &crashes,
        observer: &Unobserved,
        executor: None,
        prober: Some(prober),
    };
    engine.run(&Guarded, &Inputs::default())
}

#[test]
fn the_record_that_takes_all_memory_is_found_and_given_up() {
    let (folder, store) = super::temp();
    interrupt(&store, 0, INTERRUPTIONS_MAX);
    let prober = Child::of(folder.path(), &[]);
    let dataset = run(&store, &prober).unwrap();
    let counts = &dataset.manifest().report.units["documents"];
    assert_eq!((counts.read, counts.kept, counts.failed["crash"]), (RECORDS, RECORDS - 1, 1));
    let ids: Vec<u64> = dataset.rows(DOCUMENTS).map(|row| row.unwrap().id.to_bits()).collect();
    assert!(ids.iter().copied().eq((0..RECORDS).filter(|number| *number != GREEDY)));
    // Twice to be sure, and once more to the end of the range, of which nothing was committed.
    assert_eq!(prober.runs.load(Ordering::Relaxed), 3);
    assert_eq!(dataset.part_count(DOCUMENTS).unwrap(), 3);
    // It is given up for good.
    let again = Crashes::watch(&super::work(&store).crashes()).unwrap();
    assert!(again.guard(Id::from_bits(GREEDY), || ()).is_err());
    assert!(!folder.path().join("keep").exists());
}

#[test]
fn kills_from_outside_blame_no_record() {
    let (folder, store) = super::temp();
    interrupt(&store, 0, INTERRUPTIONS_MAX);
    let plays = [(0, None), (libc::SIGKILL, Some(3)), (libc::SIGKILL, Some(9)), (libc::SIGKILL, Some(2))];
    let dataset = run(&store, &Child::of(folder.path(), &plays)).unwrap();
    assert_eq!(dataset.manifest().report.units["documents"].kept, RECORDS);
}

#[test]
fn an_end_outside_of_any_record_is_told_and_blames_none() {
    let (folder, store) = super::temp();
    interrupt(&store, 0, INTERRUPTIONS_MAX);
    let error = run(&store, &Child::of(folder.path(), &[(libc::SIGKILL, None)])).unwrap_err();
    let causes = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(causes.contains("raise limits.record_memory_mb"), "{causes}");
}

#[test]
fn a_range_is_tried_only_after_interruptions_of_its_own() {
    for (range, times) in [(0, INTERRUPTIONS_MAX - 1), (9, INTERRUPTIONS_MAX)] {
        let (folder, store) = super::temp();
        interrupt(&store, range, times);
        let prober = Child::of(folder.path(), &[]);
        assert_eq!(run(&store, &prober).unwrap().manifest().report.units["documents"].kept, RECORDS);
        assert_eq!(prober.runs.load(Ordering::Relaxed), 0);
    }
}

/// Does nothing unless it is run as the child of a test above.
#[test]
fn tries_a_range() {
    let Ok(names) = std::env::var(TRIAL) else {
        return;
    };
    let (folder, mark) = names.split_once('\n').unwrap();
    let store = Store::local(Path::new(folder)).unwrap();
    confine(MEMORY_BYTES);
    let work = super::work(&store);
    let crashes = Crashes::alone(&work.crashes(), Path::new(mark)).unwrap();
    let cancel = Cancel::default();
    let engine = Engine {
        store: &store,
        work,
        workers: 1,
        cancel: &cancel,
        crashes: &crashes,
        observer: &Unobserved,
        executor: None,
        prober: None,
    };
    let fingerprint = Engine::fingerprint(&Guarded, &Inputs::default()).unwrap();
    engine.try_range(&Guarded, &Inputs::default(), &fingerprint, 0, 1).unwrap();
}
