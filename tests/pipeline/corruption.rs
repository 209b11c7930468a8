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
    assert!(message.contains("it has no range") && message.contains("(task 1)"), "{message}");
    std::fs::write(&entry, kept).unwrap();
    std::fs::remove_file(fingerprint.join("sealed.json")).unwrap();
    let message = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(message.contains("it is missing"), "{message}");
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
    assert!(workspace.kosmos(&["status", "out"]).failure(1).contains("verify --repair"), "no remedy");
    let _ = workspace.kosmos(&["verify", "out", "--repair"]).success();
    let _ = workspace.kosmos(&small_run(&["--dir", "out"])).success();
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
}

#[test]
fn records_of_whole_stages_are_repaired_from_what_their_tasks_left() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "text.exact"])).success();
    let record = |stage: &str, name: &str| {
        let ledger = workspace.path("out/ledger").join(stage);
        std::fs::read_dir(ledger).unwrap().next().unwrap().unwrap().path().join(name)
    };
    let damaged = [
        (record("pile", "sealed.json"), Some("{")),
        (record("text.rules", "sealed.json"), None),
        (record("pile.files", "plan.json"), Some("{\"format\": 3, \"task_count\": 7, \"streams\": []}")),
        (record("text.exact", "plan.json"), None),
    ];
    let good: Vec<_> = damaged.iter().map(|(path, _)| std::fs::read(path).unwrap()).collect();
    for (path, text) in &damaged {
        match text {
            Some(text) => std::fs::write(path, text).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
    }
    let told = workspace.kosmos(&["verify", "out"]).failure(1);
    assert!(told.contains("pile/") && told.contains("sealed.json") && told.contains("7 tasks"), "{told}");
    let repaired = workspace.kosmos(&["verify", "out", "--repair"]).success();
    assert!(repaired.contains("0 wrong, 4 repaired"), "{repaired}");
    for ((path, _), good) in damaged.iter().zip(good) {
        assert_eq!(std::fs::read(path).unwrap(), good, "{}", path.display());
    }
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
}

#[test]
fn a_run_that_lost_the_list_of_its_stages_says_so_and_a_run_makes_it_again() {
    let workspace = Workspace::new();
    let run = small_run(&["--dir", "out", "--until", "text.rules"]);
    let _ = workspace.kosmos(&run).success();
    let list = workspace.path("out/stages.json");
    let good = std::fs::read(&list).unwrap();
    std::fs::remove_file(&list).unwrap();
    for command in ["status", "verify", "stats"] {
        let told = workspace.kosmos(&[command, "out"]).failure(2);
        assert!(told.contains("stages.json is missing"), "{command}: {told}");
    }
    let again = workspace.kosmos(&run).success();
    assert!(again.contains("skipped, sealed before"), "{again}");
    assert_eq!(std::fs::read(&list).unwrap(), good);
}

#[test]
fn damage_that_still_parses_is_told_from_what_is_sound_and_mended() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "text.rules"])).success();
    let parts = workspace.parts("out");
    let record = |stage: &str, name: &str| {
        let ledger = workspace.path("out/ledger").join(stage);
        std::fs::read_dir(ledger).unwrap().next().unwrap().unwrap().path().join(name)
    };
    let seal = record("pile", "sealed.json");
    let shard = record("pile", "sealed-documents-000000.json");
    let (entry, end) = (record("pile", "00000000-000000.json"), record("pile", "00000000-end.json"));
    let cases = [
        (&shard, ".parquet", ".pprquet"),
        (&shard, "\"rows\": ", "\"rows\": 1"),
        (&shard, "\"digest\": \"", "\"digest\": \"f00"),
        (&seal, "\"task_count\": 3", "\"task_count\": 4"),
        (&seal, "\"rows\": ", "\"rows\": 1"),
        (&seal, "\"digest\": \"", "\"digest\": \"f00"),
        (&seal, "\"stream\": \"dropped", "\"stream\": \"drooped"),
        (&entry, "\"digest\": \"", "\"digest\": \"f00"),
        (&entry, "\"position\": ", "\"position\": 1"),
        (&end, "\"position\": ", "\"position\": 1"),
    ];
    for (path, from, to) in cases {
        let good = std::fs::read_to_string(path).unwrap();
        assert!(good.contains(from), "{from} is not in {good}");
        std::fs::write(path, good.replacen(from, to, 1)).unwrap();
        let told = workspace.kosmos(&["verify", "out"]);
        assert_eq!(told.code, Some(1), "{from}: {}", told.stdout);
        let repaired = workspace.kosmos(&["verify", "out", "--repair"]).success();
        assert!(repaired.contains(": 0 wrong"), "{from}: {repaired}");
        assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"), "{from}");
        assert_eq!(workspace.parts("out"), parts, "{from}");
    }
}

#[test]
fn a_damaged_part_is_not_built_upon() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile"])).success();
    let part = workspace.parts("out").into_iter().find(|part| part.starts_with("pile/")).unwrap();
    let path = workspace.path("out/data").join(&part);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let until = small_run(&["--dir", "out", "--until", "text.rules"]);
    let told = workspace.kosmos(&until).failure(1);
    assert!(told.contains("is damaged") && told.contains("verify --repair"), "{told}");
    let _ = workspace.kosmos(&["verify", "out", "--repair"]).success();
    let _ = workspace.kosmos(&until).success();
    let _ = workspace.kosmos(&small_run(&["--dir", "whole", "--until", "text.rules"])).success();
    assert_eq!(workspace.parts("out"), workspace.parts("whole"));
}

#[test]
fn an_unfinished_stage_goes_on_before_the_damage_to_what_it_had_committed() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "crawl"])).success();
    let _ = workspace.kosmos(&["task", "out", "text.rules", "0"]);
    let ledger = workspace.path("out/ledger/text.rules");
    let entry =
        std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().path().join("00000000-000000.json");
    std::fs::write(&entry, "").unwrap();
    let until = small_run(&["--dir", "out", "--until", "text.rules"]);
    assert!(workspace.kosmos(&until).failure(1).contains("verify --repair"), "no remedy");
    assert!(workspace.kosmos(&["verify", "out"]).failure(1).contains("00000000-000000.json"));
    let repaired = workspace.kosmos(&["verify", "out", "--repair"]).success();
    assert!(repaired.contains("0 wrong, 1 repaired"), "{repaired}");
    let _ = workspace.kosmos(&until).success();
    assert!(workspace.kosmos(&["verify", "out"]).success().contains(": 0 wrong"));
}
