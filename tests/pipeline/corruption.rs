//! What `kosmos verify` finds.

use crate::support::{Workspace, small_run};

#[test]
fn verify_finds_a_flipped_byte_a_truncated_part_and_a_missing_entry() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "text.rules"])).success();
    let _ = workspace.kosmos(&["verify", "out"]).success();

    let part = workspace.parts("out").into_iter().find(|part| part.starts_with("pile/")).unwrap();
    let path = workspace.path("out/data").join(&part);
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 3] ^= 4;
    std::fs::write(&path, flipped).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains(&part) && message.contains("digest"), "{message}");
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("bytes where the ledger says"), "{message}");
    std::fs::write(&path, good).unwrap();

    let ledger = workspace.path("out/ledger/pile");
    let fingerprint = std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().path();
    let entry = fingerprint.join("00000001-000000.json");
    let kept = std::fs::read(&entry).unwrap();
    std::fs::remove_file(&entry).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("0 entries of 1") && message.contains("(task 1)"), "{message}");
    std::fs::write(&entry, kept).unwrap();
    std::fs::remove_file(fingerprint.join("sealed.json")).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("no manifest"), "{message}");
}

#[test]
fn a_repair_reruns_the_tasks_of_bad_parts_and_puts_the_same_bytes_back() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "text.rules"])).success();
    let parts = workspace.parts("out");
    let path = |stage: &str| {
        let part = parts.iter().find(|part| part.starts_with(stage)).unwrap();
        workspace.path("out/data").join(part)
    };
    let (flipped, missing) = (path("pile/"), path("text.rules/"));
    let good = [&flipped, &missing].map(|path| std::fs::read(path).unwrap());
    let mut bytes = good[0].clone();
    bytes[good[0].len() / 3] ^= 4;
    std::fs::write(&flipped, bytes).unwrap();
    std::fs::remove_file(&missing).unwrap();
    let told = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(told.contains("2 wrong") && told.contains("--repair"), "{told}");
    let repaired = workspace.kosmos(&["verify", "out", "--repair"]).success();
    assert!(repaired.contains("0 wrong, 2 repaired"), "{repaired}");
    assert_eq!([&flipped, &missing].map(|path| std::fs::read(path).unwrap()), good);
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
}

#[test]
fn inputs_and_what_was_made_of_them_are_repaired_together_to_the_last_stage() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out"])).success();
    let parts = workspace.parts("out");
    for stage in ["pairs/", "images.list/", "tokenizer/", "evaluate/"] {
        let part = parts.iter().find(|part| part.starts_with(stage)).unwrap();
        std::fs::remove_file(workspace.path("out/data").join(part)).unwrap();
    }
    let ledger = workspace.path("out/ledger/text.exact");
    let fingerprint = std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().path();
    std::fs::write(fingerprint.join("00000000-end.json"), "").unwrap();
    let told = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(told.contains("5 wrong"), "{told}");
    let repaired = workspace.kosmos(&["verify", "out", "--repair"]).success();
    assert!(repaired.contains("0 wrong, 5 repaired"), "{repaired}");
    assert_eq!(workspace.parts("out"), parts);
    let seal = fingerprint.join("sealed.json");
    std::fs::write(&seal, "{").unwrap();
    assert!(workspace.kosmos(&["status", "out"]).failure(1).contains("remove the file"), "no remedy");
    std::fs::remove_file(seal).unwrap();
    let _ = workspace.kosmos(&small_run(&["--dir", "out"])).success();
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
}
