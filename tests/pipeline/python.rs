//! The Python package reads what the command writes.

use std::fs;
use std::process::Command;

use corpus_testing::tools::installed;

use crate::support::{Workspace, repository};

#[test]
fn a_run_is_read_from_python_and_reading_goes_on_where_it_stopped() {
    let Some(python) = installed("python3") else { return };
    let workspace = Workspace::new();
    let story = |number: usize| (0..40).map(|at| format!("w{} ", number * 100 + at)).collect::<String>();
    fs::create_dir(workspace.path("input")).unwrap();
    for file in 0..3 {
        let texts = (file * 10..file * 10 + 10).chain([file]);
        let lines = texts.map(|number| serde_json::json!({"text": story(number)}).to_string() + "\n");
        fs::write(workspace.path(&format!("input/{file}.jsonl")), lines.collect::<String>()).unwrap();
    }
    let set = ["--set", "sources.input.path=input", "--set", "text.near.selfcheck=0"];
    workspace.kosmos(&[&["run", "dedup", "--dir", "out"], &set[..]].concat()).success();

    let output = Command::new(python)
        .arg(repository().join("python/tests/reader.py"))
        .arg(workspace.path("out"))
        .arg(env!("CARGO_BIN_EXE_kosmos"))
        .args(["30", "3"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
