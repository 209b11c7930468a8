//! What must stay cheap when a run is large.

use crate::support::{Workspace, small_run};

#[test]
fn status_of_a_hundred_thousand_tasks_reads_their_names_and_a_few_entries() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile.files"])).success();
    let _ = workspace.kosmos(&["task", "out", "pile", "0"]).success();
    let ledger = workspace.path("out/ledger/pile");
    let folder = std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().path();
    // No entry of a task: whoever counted by what is in them would fail.
    let unreadable = folder.join("00000001-end.json");
    std::fs::write(&unreadable, "}").unwrap();
    for task in 2..100_000 {
        let entry = folder.join(format!("{task:08}-end.json"));
        // A file has a bounded number of links on some file systems.
        std::fs::hard_link(&unreadable, &entry).unwrap_or_else(|_| {
            std::fs::write(&entry, "}").unwrap();
        });
    }
    let status = workspace.kosmos(&["status", "out"]).success();
    assert!(status.contains("100000/3"), "{status}");
}
