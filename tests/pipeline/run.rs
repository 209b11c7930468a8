//! One small run from the sample web to captions, and what the commands say of it.

use crate::support::{Workspace, small_run};

#[test]
fn the_sample_runs_to_the_end_and_finds_what_was_planted() {
    let workspace = Workspace::new();
    let printed = workspace.kosmos(&small_run(&["--dir", "out", "--workers", "2"])).success();
    assert!(printed.contains("evaluate"), "{printed}");
    assert!(!printed.contains("DIFFERENT"), "{printed}");
    for reason in
        ["duplicate", "language", "http_404", "address_refused", "timeout", "pixels_too_many", "gzip_broken"]
    {
        assert!(printed.contains(reason), "{reason} is not reported:\n{printed}");
    }

    let verified = workspace.kosmos(&["verify", "out"]).success();
    assert!(verified.contains(": 0 wrong"), "{verified}");
    let again = workspace.kosmos(&small_run(&["--dir", "out"])).success();
    let stages: Vec<&str> = again.lines().filter(|line| line.contains(" kept, ")).collect();
    assert!(
        stages.len() > 30 && stages.iter().all(|line| line.ends_with("(skipped, sealed before)")),
        "{again}"
    );

    let status: serde_json::Value =
        serde_json::from_str(&workspace.kosmos(&["status", "out", "--json"]).success()).unwrap();
    let stages = status.as_array().unwrap();
    assert!(stages.iter().all(|stage| stage["state"] == "sealed"), "{status}");
    for stage in stages {
        for (unit, counts) in stage["report"]["units"].as_object().unwrap() {
            let sum = |key: &str| {
                counts[key].as_object().map_or(0, |m| m.values().filter_map(|v| v.as_u64()).sum())
            };
            let total = counts["kept"].as_u64().unwrap() + sum("dropped") + sum("failed");
            assert_eq!(counts["read"].as_u64().unwrap(), total, "{} {unit}", stage["stage"]);
        }
    }

    let stats = workspace.kosmos(&["stats", "out", "text", "--json"]).success();
    assert!(stats.contains("\"document/2\""), "{stats}");
    let rows = workspace.kosmos(&["inspect", "out", "evaluate/captions", "--rows", "2", "--json"]).success();
    assert!(rows.lines().count() == 2 && rows.contains("reference"), "{rows}");
    let garbage = workspace.kosmos(&["gc", "out"]).success();
    assert!(garbage.starts_with("0 files"), "{garbage}");
}

#[test]
fn a_changed_configuration_makes_exactly_the_stages_it_touches_stale() {
    let workspace = Workspace::new();
    let until = ["--dir", "out", "--until", "text"];
    let _ = workspace.kosmos(&small_run(&until)).success();
    let changed: Vec<&str> = until.iter().copied().chain(["--set", "text.exact.partitions=3"]).collect();
    let refused = workspace.kosmos(&small_run(&changed)).failure(2);
    assert!(refused.contains("results: text.exact, text.representatives, text\n"), "{refused}");
    assert!(refused.contains("--rebuild text.exact"), "{refused}");
    let mut rebuilt = changed.clone();
    rebuilt.extend(["--rebuild", "text.exact"]);
    let printed = workspace.kosmos(&small_run(&rebuilt)).success();
    let was_skipped = |stage: &str| {
        let line = printed.lines().find(|line| line.split_whitespace().next() == Some(stage)).unwrap();
        line.contains("skipped")
    };
    assert!(was_skipped("pile") && was_skipped("text.rules"), "{printed}");
    assert!(!was_skipped("text.exact"), "{printed}");
    assert!(workspace.path("out/config.toml").exists());
    let garbage = workspace.kosmos(&["gc", "out"]).success();
    assert!(garbage.contains("text.exact"), "the old results are garbage now: {garbage}");
    assert!(!garbage.lines().any(|line| line.starts_with("0 files")), "{garbage}");
}

#[test]
fn one_task_can_be_run_by_itself() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile.files"])).success();
    for index in ["0", "1", "2"] {
        let _ = workspace.kosmos(&["task", "out", "pile", index]).success();
    }
    let printed = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile"])).success();
    let line = printed.lines().find(|line| line.starts_with("pile ")).unwrap();
    assert!(line.contains("skipped"), "the last task seals the stage: {printed}");
    let message = workspace.kosmos(&["task", "out", "pile", "3"]).failure(2);
    assert!(message.contains("3 tasks"), "{message}");
    let message = workspace.kosmos(&["task", "out", "text", "0"]).failure(2);
    assert!(message.contains("run it first"), "{message}");
}

#[test]
fn training_can_be_run_by_itself() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pack.interleaved"])).success();
    let mut train: Vec<&str> = small_run(&["--dir", "out"]);
    train[0] = "train";
    let printed = workspace.kosmos(&train).success();
    assert!(printed.contains("6 steps: 6 kept"), "{printed}");
    let again = workspace.kosmos(&train).success();
    assert!(again.contains("skipped, sealed before"), "{again}");
}
