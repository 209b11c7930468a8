//! Times the sealing of a stage of many tasks, each with three parts, and the reading of one task's parts afterwards.
//!
//! usage: cargo bench -p corpus --bench seal -- TASKS [FOLDER]   (a new folder within FOLDER; default: that for
//! temporary files)
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use corpus::digest::Digest;
use corpus::format::FORMAT;
use corpus::ledger::RunContext;
use corpus::record::{DOCUMENTS, DROPPED, PAGES};
use corpus::{Dataset, Declared, Entry, Fingerprint, Ledger, Part, Report, Store};

const STAGE: &str = "many";

fn entry(fingerprint: &Fingerprint, streams: &[Declared], task: u32) -> Entry {
    let part = |stream: &Declared| {
        let digest = Digest::of(format!("{task} {}", stream.stream).as_bytes());
        let path = format!("data/{STAGE}/{fingerprint}/{}/{task:08}-0000-{}", stream.stream, digest.short());
        let (stream, table) = (stream.stream.clone(), stream.table.clone());
        Part { stream, path, table, rows: 1_000, bytes: 1 << 20, digest }
    };
    Entry {
        format: FORMAT,
        stage: STAGE.to_owned(),
        fingerprint: fingerprint.clone(),
        task,
        range: 0,
        last: true,
        start: 0,
        position: 1_000,
        identity: None,
        parts: streams.iter().map(part).collect(),
        report: Report::default(),
        context: RunContext::default(),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(task_count) = arguments.next().map(|count| count.parse::<u32>().unwrap()) else {
        println!("skipped: no number of tasks given");
        return;
    };
    let parent = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(parent).unwrap();
    let store = Store::local(folder.path()).unwrap();
    let (ledger, fingerprint) = (Ledger::new(store.clone()), Fingerprint::parse("0123456789abcdef").unwrap());
    let streams: [Declared; 3] = [DOCUMENTS.into(), DROPPED.into(), PAGES.into()];
    ledger.begin(STAGE, &fingerprint, task_count, streams.to_vec()).unwrap();
    for task in 0..task_count {
        let entry = entry(&fingerprint, &streams, task);
        assert!(ledger.commit(&entry).unwrap());
        ledger.end(&entry).unwrap();
    }
    let begin = Instant::now();
    let manifest = ledger.seal(STAGE, &fingerprint).unwrap();
    let seal_secs = begin.elapsed().as_secs_f64();
    let dataset = Dataset::new(store, manifest);
    let begin = Instant::now();
    let parts = dataset.parts_of_task(DOCUMENTS, task_count / 2).unwrap();
    let read_secs = begin.elapsed().as_secs_f64();
    assert_eq!(parts.len(), 1);
    println!(
        "RESULT {{\"tasks\": {task_count}, \"seal_secs\": {seal_secs:.2}, \"parts_of_task_secs\": {read_secs:.4}}}"
    );
}
