//! A run's folder: who may write into it, from where it can be read, and what of it is seen.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::{Output, Workspace, small_run};

/// Writes rows of a long text each; `from` makes them differ.
fn write_rows(workspace: &Workspace, name: &str, from: u32, count: u32) {
    let text = |n: u32| (0..60).map(|at| format!("word{} ", (n * 131 + at * 7) % 9_973)).collect::<String>();
    let line = |n: u32| json!({"id": n.to_string(), "text": text(n)}).to_string() + "\n";
    fs::write(workspace.path(name), (from..from + count).map(line).collect::<String>()).unwrap();
}

/// Runs `dedup` on a file or folder, with more arguments.
fn dedup(workspace: &Workspace, input: &str, more: &[&str]) -> Output {
    let path = format!("sources.input.path={input}");
    let arguments = ["run", "dedup", "--dir", "out", "--set", &path];
    workspace.kosmos(&[&arguments[..], more].concat())
}

/// Returns every file of a folder with its size and time.
fn snapshot(workspace: &Workspace, dir: &str) -> BTreeMap<String, (u64, SystemTime)> {
    workspace
        .files(dir)
        .into_iter()
        .map(|(path, metadata)| (path, (metadata.len(), metadata.modified().unwrap())))
        .collect()
}

#[test]
fn reading_commands_write_nothing() {
    let workspace = Workspace::new();
    write_rows(&workspace, "input.jsonl", 0, 20);
    let _ = dedup(&workspace, "input.jsonl", &[]).success();
    let before = snapshot(&workspace, "out");
    for command in [
        &["status", "out"][..],
        &["verify", "out"],
        &["stats", "out", "text"],
        &["inspect", "out", "text"],
        &["parts", "out", "text"],
        &["gc", "out"],
        &["export", "jsonl", "out", "exported"],
    ] {
        let _ = workspace.kosmos(command).success();
    }
    assert_eq!(snapshot(&workspace, "out"), before);
}

#[test]
fn a_run_is_read_from_any_folder_and_opens_nothing_that_its_configuration_names() {
    let workspace = Workspace::new();
    fs::create_dir_all(workspace.path("conf")).unwrap();
    fs::create_dir_all(workspace.path("elsewhere")).unwrap();
    write_rows(&workspace, "conf/input.jsonl", 0, 20);
    let question =
        json!({"q": "which of the two ships that left the harbour came back before the evening bell"});
    fs::write(workspace.path("conf/questions.jsonl"), question.to_string()).unwrap();
    let config = "name = \"mine\"\nseed = 1\n[sources.input]\ncode = 1\npath = \"input.jsonl\"\n\
        format.rows = { text = \"text\" }\n[text]\n\
        decontaminate.sets.ships.path = \"questions.jsonl\"\n";
    fs::write(workspace.path("conf/mine.toml"), config).unwrap();
    let _ = workspace.kosmos(&["run", "conf/mine.toml", "--dir", "out"]).success();
    let parts = workspace.parts("out");
    // Paths are relative to the configuration's file, so another current folder changes nothing.
    let again =
        workspace.kosmos_from("elsewhere", &["run", "../conf/mine.toml", "--dir", "../out"]).success();
    assert!(
        again.lines().filter(|line| line.contains("documents:")).all(|line| line.contains("skipped")),
        "{again}"
    );
    assert_eq!(workspace.parts("out"), parts);

    fs::write(workspace.path("conf/questions.jsonl"), "edited since").unwrap();
    fs::remove_file(workspace.path("conf/input.jsonl")).unwrap();
    for command in [
        &["status", "../out"][..],
        &["verify", "../out"],
        &["gc", "../out"],
        &["export", "jsonl", "../out", "exported"],
    ] {
        let printed = workspace.kosmos_from("elsewhere", command).success();
        assert!(!printed.contains("waiting"), "{printed}");
    }
}

#[test]
fn a_second_run_is_told_who_is_at_work() {
    let workspace = Workspace::new();
    let sample = small_run(&["--dir", "out", "--workers", "1"]);
    let mut first = workspace.spawn(&sample);
    while !workspace.path("out/config.toml").exists() && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = workspace.kosmos(&sample);
    let was_live = first.try_wait().unwrap().is_none();
    let _ = first.kill();
    let _ = first.wait();
    assert!(was_live, "the first run ended before the second one began");
    let refused = second.failure(2);
    assert!(refused.contains(&format!("process {}", first.id())), "{refused}");
    // The lock went with its process.
    let _ = workspace.kosmos(&small_run(&["--dir", "out", "--until", "pile"])).success();
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let workspace = Workspace::new();
    write_rows(&workspace, "input.jsonl", 0, 20);
    let _ = dedup(&workspace, "input.jsonl", &[]).success();
    let run = ["run", "dedup", "--dir", "out", "--set", "sources.input.path=input.jsonl"];
    for arguments in [&["status", "out"][..], &["stats", "out"], &["config", "list"], &run] {
        let mut child = workspace.piped(arguments);
        // Closed before anything is printed.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    }
    let mut child = workspace.piped(&["status", "out"]);
    drop(child.stderr.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn stages_and_streams_of_the_last_settings_are_seen_and_nothing_else() {
    let workspace = Workspace::new();
    write_rows(&workspace, "input.jsonl", 0, 30);
    let _ = dedup(&workspace, "input.jsonl", &[]).success();
    let rules = ["--set", "text.rules=[{words={words_min=1000}}]", "--rebuild", "text.rules"];
    let _ = dedup(&workspace, "input.jsonl", &rules).success();
    assert_eq!(workspace.rows("out", "text.rules", "dropped").len(), 30);
    let stats = workspace.kosmos(&["stats", "out", "input"]).success();
    assert!(stats.contains("30 rows"), "{stats}");
    // A stage's folder in the run, as older notes name it, is its current results, too.
    let stats = workspace.kosmos(&["stats", "out/data/text.rules"]).success();
    assert!(stats.contains("removed/3: 30 rows") && !stats.contains("60 rows"), "{stats}");
    let shown = workspace.kosmos(&["inspect", "out", "text.rules/dropped", "--rows", "1"]).success();
    assert!(shown.contains("words_min"), "{shown}");
    let parts = workspace.kosmos(&["parts", "out", "text.rules", "dropped"]).success();
    assert!(
        parts.lines().all(|path| std::path::Path::new(path).is_file()) && parts.lines().count() == 1,
        "{parts}"
    );
    let unknown = workspace.kosmos(&["parts", "out", "text.rules", "droped"]).failure(2);
    assert!(unknown.contains("no stream \"droped\"; there are: documents, dropped, failed"), "{unknown}");
    assert_eq!(
        workspace.kosmos(&["parts", "out", "text.rules", "failed"]).success(),
        "",
        "a stream without rows"
    );
    let unknown = workspace.kosmos(&["stats", "out", "txt"]).failure(2);
    assert!(unknown.contains("no stage \"txt\""), "{unknown}");
    let garbage = workspace.kosmos(&["gc", "out", "--delete"]).success();
    assert!(garbage.contains("text.rules"), "{garbage}");
    assert!(!garbage.contains(".parquet"), "totals alone, unless -v is given: {garbage}");
    let _ = workspace.kosmos(&["verify", "out"]).success();
}

#[test]
fn a_source_cannot_be_called_like_a_stage() {
    let workspace = Workspace::new();
    for name in ["text", "pairs", "train", "tokenizer", "images", "interleaved", "evaluate", "pack"] {
        let config = format!(
            "name = \"mine\"\nseed = 1\n[sources.{name}]\ncode = 1\npath = \"input.jsonl\"\nformat.rows = {{}}\n"
        );
        fs::write(workspace.path("mine.toml"), config).unwrap();
        let refused = workspace.kosmos(&["config", "check", "mine.toml"]).failure(2);
        assert!(refused.contains("is the name of a stage"), "{refused}");
    }
    let typed = workspace.kosmos(&["run", "kosmos1", "--until", "texts"]).failure(2);
    assert!(typed.contains("did you mean text?"), "before anything is opened: {typed}");
}

#[test]
fn an_unreadable_file_of_the_folder_is_an_error_and_not_a_new_folder() {
    let workspace = Workspace::new();
    write_rows(&workspace, "input.jsonl", 0, 20);
    let _ = dedup(&workspace, "input.jsonl", &[]).success();
    fs::write(workspace.path("out/stages.json"), "{").unwrap();
    assert!(dedup(&workspace, "input.jsonl", &[]).failure(1).contains("stages.json is damaged"));
    fs::write(workspace.path("out/kosmos.json"), "{\"format\":1}").unwrap();
    let refused = workspace.kosmos(&["status", "out"]).failure(2);
    assert!(refused.contains("format 1 is of"), "{refused}");
}

#[test]
fn a_run_without_handles_says_so_and_the_next_one_continues() {
    let workspace = Workspace::new();
    write_rows(&workspace, "input.jsonl", 0, 200);
    let _ = workspace
        .kosmos(&["run", "dedup", "--dir", "whole", "--set", "sources.input.path=input.jsonl"])
        .success();
    let command = format!(
        "ulimit -n 14; exec {} run dedup --dir out --set sources.input.path=input.jsonl",
        env!("CARGO_BIN_EXE_kosmos")
    );
    let mut shell = workspace.command(&[]);
    let mut limited = std::process::Command::new("/bin/sh");
    limited.args(["-c", &command]).current_dir(workspace.path("")).env_clear();
    limited
        .envs(shell.env("PATH", "/usr/bin:/bin").get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && stderr.contains("Too many open files"),
        "{:?} {stderr}",
        output.status
    );
    let _ = dedup(&workspace, "input.jsonl", &[]).success();
    assert_eq!(workspace.parts("out"), workspace.parts("whole"));
}

impl Workspace {
    /// Starts the binary with both outputs piped.
    fn piped(&self, arguments: &[&str]) -> std::process::Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}
