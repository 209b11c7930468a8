//! What is run again: when the user says so, when a source's file changed, and when images can be had after all.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Output, Workspace, hostile, small_run, static_server};

fn line(text: &str) -> String {
    json!({"text": text}).to_string() + "\n"
}

/// A run over a folder of JSON lines.
fn run(workspace: &Workspace, more: &[&str]) -> Output {
    let config = "name = \"mine\"\nseed = 1\n[sources.mine]\ncode = 1\npath = \"in\"\nformat.rows = {}\n\
        [text]\nexact = {}\n";
    fs::write(workspace.path("mine.toml"), config).unwrap();
    workspace.kosmos(&[&["run", "mine.toml", "--dir", "out"][..], more].concat())
}

fn write(workspace: &Workspace, name: &str, lines: &[&str]) {
    fs::create_dir_all(workspace.path("in")).unwrap();
    fs::write(workspace.path("in").join(name), lines.iter().map(|text| line(text)).collect::<String>())
        .unwrap();
}

fn texts(workspace: &Workspace) -> Vec<String> {
    let rows = workspace.rows("out", "text", "documents");
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// Returns the line that a run printed of a stage.
fn stage_line<'p>(printed: &'p str, stage: &str) -> &'p str {
    printed
        .lines()
        .find(|line| line.split_whitespace().next() == Some(stage))
        .unwrap_or_else(|| panic!("{printed}"))
}

#[test]
fn rebuild_runs_a_stage_again_and_what_follows_only_where_bytes_differ() {
    let workspace = Workspace::new();
    write(&workspace, "a.jsonl", &["one", "two"]);
    let _ = run(&workspace, &[]).success();
    let printed = run(&workspace, &["--rebuild", "mine"]).success();
    assert!(!stage_line(&printed, "mine").contains("skipped"), "{printed}");
    assert!(stage_line(&printed, "text").contains("skipped"), "the same bytes came out: {printed}");
    let _ = workspace.kosmos(&["verify", "out"]).success();
    // What stood before stays until it is collected, and only that is.
    assert!(!workspace.kosmos(&["gc", "out", "--delete"]).success().starts_with("0 files"));
    let _ = workspace.kosmos(&["verify", "out"]).success();
    let printed = run(&workspace, &[]).success();
    assert!(stage_line(&printed, "mine").contains("skipped"), "{printed}");
    assert_eq!(texts(&workspace), ["one", "two"]);
}

#[test]
fn a_changed_file_of_a_source_is_refused_by_name_until_its_source_is_rebuilt() {
    let workspace = Workspace::new();
    write(&workspace, "a.jsonl", &["one", "two"]);
    write(&workspace, "b.jsonl", &["three"]);
    let _ = run(&workspace, &[]).success();
    // Other times, same bytes: no change.
    write(&workspace, "a.jsonl", &["one", "two"]);
    assert!(stage_line(&run(&workspace, &[]).success(), "mine").contains("skipped"));
    // Same size, other bytes.
    write(&workspace, "b.jsonl", &["THREE"]);
    let refused = run(&workspace, &[]).failure(2);
    assert!(refused.contains("b.jsonl") && refused.contains("--rebuild mine"), "{refused}");
    let _ = run(&workspace, &["--rebuild", "mine"]).success();
    assert_eq!(texts(&workspace), ["one", "two", "THREE"]);
    let _ = run(&workspace, &[]).success();
}

#[test]
fn an_added_file_is_one_new_task_and_the_stages_behind_it_are_stale() {
    let workspace = Workspace::new();
    write(&workspace, "a.jsonl", &["one", "two"]);
    let _ = run(&workspace, &[]).success();
    write(&workspace, "b.jsonl", &["three"]);
    let refused = run(&workspace, &[]).failure(2);
    assert!(refused.contains("b.jsonl") && refused.contains("--rebuild mine.files"), "{refused}");
    let output = run(&workspace, &["--rebuild", "mine.files"]);
    assert!(output.stderr.contains("mine: continues, 1 of 2 tasks"), "{}", output.stderr);
    let _ = output.success();
    assert_eq!(texts(&workspace), ["one", "two", "three"]);
    let _ = workspace.kosmos(&["gc", "out", "--delete"]).success();
    let _ = workspace.kosmos(&["verify", "out"]).success();
}

#[test]
fn a_file_that_is_gone_stays_as_it_was_read_until_its_source_is_rebuilt() {
    let workspace = Workspace::new();
    write(&workspace, "a.jsonl", &["one", "two"]);
    write(&workspace, "b.jsonl", &["three"]);
    let _ = run(&workspace, &[]).success();
    fs::remove_file(workspace.path("in/a.jsonl")).unwrap();
    let output = run(&workspace, &[]);
    assert!(output.stderr.contains("a.jsonl is gone"), "{}", output.stderr);
    let _ = output.success();
    assert_eq!(texts(&workspace), ["one", "two", "three"]);
    let _ = run(&workspace, &["--rebuild", "mine"]).success();
    assert_eq!(texts(&workspace), ["three"]);
    let _ = workspace.kosmos(&["verify", "out"]).success();
}

#[test]
fn images_that_failed_for_a_while_are_fetched_by_one_more_pass() {
    let workspace = Workspace::new();
    let is_up = Arc::new(AtomicBool::new(false));
    let picture = hostile::picture(1, image::ImageFormat::Png);
    let answering = is_up.clone();
    let address = static_server::serve_status(move |_| match answering.load(Ordering::Relaxed) {
        true => (200, picture.clone()),
        false => (503, Vec::new()),
    });
    let urls: String = (0..6).map(|n| format!("http://img.test/{n}.png\n")).collect();
    fs::write(workspace.path("urls.txt"), urls).unwrap();
    let mirror = format!("mirrors.\"http://img.test/\"=\"http://{address}/\"");
    let arguments =
        ["run", "images", "--dir", "out", "--set", "sources.input.path=urls.txt", "--set", &mirror];
    let _ = workspace.kosmos(&arguments).success();
    assert_eq!(workspace.rows("out", "images.pass1", "failed").len(), 6);

    is_up.store(true, Ordering::Relaxed);
    let retry = [&arguments[..], &["--retry-failed"]].concat();
    let printed = workspace.kosmos(&retry).success();
    assert!(stage_line(&printed, "images.pass1").contains("skipped"), "{printed}");
    assert!(stage_line(&printed, "images.pass2").contains("6 images: 6 kept"), "{printed}");
    // A later run knows the pass that was added.
    let printed = workspace.kosmos(&arguments).success();
    assert!(stage_line(&printed, "images.pass2").contains("skipped"), "{printed}");
    let exported = workspace.kosmos(&["export", "webdataset", "out", "tar"]).success();
    assert!(exported.starts_with("6 images"), "{exported}");
    let output = workspace.kosmos(&retry);
    assert!(output.stderr.contains("no image failed"), "{}", output.stderr);
    let _ = workspace.kosmos(&["gc", "out", "--delete"]).success();
    assert!(workspace.kosmos(&["gc", "out"]).success().starts_with("0 files"));
    let _ = workspace.kosmos(&["verify", "out"]).success();
}

#[test]
fn a_training_of_other_settings_is_refused_by_name_and_its_checkpoints_are_collected() {
    let workspace = Workspace::new();
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pack.interleaved"])).success();
    let train = |more: &[&str]| {
        let mut arguments = small_run(&["--dir", "out"]);
        arguments[0] = "train";
        workspace.kosmos(&[&arguments[..], more].concat())
    };
    let _ = train(&[]).success();
    let refused = train(&["--set", "train.steps=8"]).failure(2);
    assert!(refused.contains("results: train"), "{refused}");
    let _ = train(&["--set", "train.steps=8", "--rebuild"]).success();
    let garbage = workspace.kosmos(&["gc", "out", "-v"]).success();
    assert!(garbage.contains("checkpoints/") && garbage.contains("/model-"), "{garbage}");
    let _ = workspace.kosmos(&["gc", "out", "--delete"]).success();
    assert_eq!(fs::read_dir(workspace.path("out/checkpoints")).unwrap().count(), 1);
}

#[test]
fn what_a_later_stage_needs_is_not_asked_for_before_it_runs() {
    let workspace = Workspace::new();
    write(&workspace, "a.jsonl", &["one", "two"]);
    let _ = run(&workspace, &["--until", "text"]).success();
    let config = fs::read_to_string(workspace.path("mine.toml")).unwrap();
    fs::write(workspace.path("later.toml"), config + "[tokenizer]\npath = \"missing.model\"\n").unwrap();
    let later =
        |more: &[&str]| workspace.kosmos(&[&["run", "later.toml", "--dir", "out"][..], more].concat());
    let told = later(&["--until", "text"]).success();
    assert!(stage_line(&told, "text").ends_with("(skipped, sealed before)"), "{told}");
    let status = workspace.kosmos(&["status", "out"]).success();
    assert!(stage_line(&status, "tokenizer").contains("waiting"), "{status}");
    let refused = later(&[]).failure(1);
    assert!(refused.contains("missing.model"), "{refused}");
}
