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
    let entry = fingerprint.join("00000001-000000-end.json");
    let kept = std::fs::read(&entry).unwrap();
    std::fs::remove_file(&entry).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("0 entries of 1"), "{message}");
    std::fs::write(&entry, kept).unwrap();
    std::fs::remove_file(fingerprint.join("sealed.json")).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("no manifest"), "{message}");
}
