//! Killed at any moment and run again: the same bytes, for any number of workers.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use crate::support::{Workspace, small_run, times};

/// Kills during one run; `KOSMOS_TEST_KILLS` asks for more.
const KILLS_DEFAULT: u32 = 5;

#[test]
fn a_run_killed_at_random_moments_has_the_parts_of_an_undisturbed_one() {
    let kills = times("KOSMOS_TEST_KILLS", KILLS_DEFAULT);
    let workspace = Workspace::new();
    let begun = Instant::now();
    let _ = workspace.kosmos(&small_run(&["--dir", "whole", "--workers", "4"])).success();
    let whole_millis = begun.elapsed().as_millis() as u64;
    let expected = workspace.parts("whole");

    // Moments from a fixed sequence, spread over the time a whole run takes.
    let mut moment: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hits = 0;
    while hits < kills {
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let millis = (moment >> 33) % whole_millis;
        let mut child = workspace.spawn(&small_run(&["--dir", "killed", "--workers", "1"]));
        std::thread::sleep(Duration::from_millis(millis));
        if child.try_wait().unwrap().is_some() {
            // It was through before the moment came: nothing is left to kill, so begin anew.
            std::fs::remove_dir_all(workspace.path("killed")).unwrap();
            continue;
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "the kill hit a live process");
        hits += 1;
    }
    let _ = workspace.kosmos(&small_run(&["--dir", "killed", "--workers", "1"])).success();
    let found = workspace.parts("killed");
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "other bytes after {kills} kills: {missing:?}");
    // A kill between a part and its entry leaves a part that no entry names, with the same bytes.
    let extra: Vec<_> = found.difference(&expected).collect();
    assert!(extra.is_empty(), "other bytes after {kills} kills: {extra:?}");
    let _ = workspace.kosmos(&["verify", "killed"]).success();
}

#[test]
fn an_interrupt_ends_cleanly_and_the_next_run_continues() {
    let workspace = Workspace::new();
    let mut child = workspace.spawn(&small_run(&["--dir", "out", "--until", "text"]));
    // A task's log says that the run is under way.
    while !workspace.path("out/logs").is_dir() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupted =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let code = child.wait().unwrap().code();
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "text"])).success();
    assert_eq!(std::fs::read_dir(workspace.path("out/scratch")).map_or(0, Iterator::count), 0);
}

#[test]
fn a_range_that_was_interrupted_again_and_again_is_tried_by_a_process_of_its_own() {
    let workspace = Workspace::new();
    let until = ["--dir", "out", "--workers", "1", "--until", "crawl"];
    let _ = workspace.kosmos(&small_run(&until)).success();
    let expected = workspace.parts("out");
    // As if the stage had been killed three times before it committed anything.
    let ledger = workspace.path("out/ledger/crawl");
    let fingerprint = std::fs::read_dir(&ledger).unwrap().next().unwrap().unwrap().file_name();
    let plan = ledger.join(&fingerprint).join("plan.json");
    for entry in std::fs::read_dir(ledger.join(&fingerprint)).unwrap() {
        let path = entry.unwrap().path();
        if path != plan {
            std::fs::remove_file(path).unwrap();
        }
    }
    let keep = workspace.path("out/keep").join(format!("crawl-{}-00000000", fingerprint.to_str().unwrap()));
    std::fs::create_dir_all(&keep).unwrap();
    for number in 0..3 {
        std::fs::write(keep.join(format!("attempt-000000-{number}")), "").unwrap();
    }
    let ended = workspace.kosmos(&small_run(&until));
    assert!(ended.stderr.contains("its records are tried one by one"), "{}", ended.stderr);
    let _ = ended.success();
    assert_eq!(workspace.parts("out"), expected);
    let log = workspace.path("out/logs/crawl").join(&fingerprint).join("00000000.log");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("begun, to try a range") && log.contains("the range came to its end"), "{log}");
}
