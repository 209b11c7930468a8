//! What must stay quick when a run is large.

use std::time::{Duration, Instant};

use crate::support::{Workspace, small_run};

#[test]
fn status_of_a_hundred_thousand_tasks_answers_within_a_second() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile.files"])).success();
    let _ = workspace.kosmos(&["task", "out", "pile", "0"]).success();
    let ledger = workspace.path("out/ledger/pile");
    let folder = std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().path();
    let entry = folder.join("00000000-000000-end.json");
    for task in 1..100_000 {
        std::fs::hard_link(&entry, folder.join(format!("{task:08}-000000-end.json"))).unwrap_or_else(|_| {
            // A file has a bounded number of links on some file systems.
            std::fs::copy(&entry, folder.join(format!("{task:08}-000000-end.json"))).unwrap();
        });
    }
    let begun = Instant::now();
    let status = workspace.kosmos(&["status", "out"]).success();
    let elapsed = begun.elapsed();
    assert!(status.contains("100000/3"), "{status}");
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
}
