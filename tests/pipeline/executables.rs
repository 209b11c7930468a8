//! `kosmos` links no libtorch, and goes on as `kosmos-torch` where tensors are computed.

use std::path::Path;
use std::process::Command;

use crate::support::{Workspace, small_run};

const LIBRARY: &[u8] = b"libtorch_cpu.so";

fn links_libtorch(program: &Path) -> bool {
    let bytes = std::fs::read(program).unwrap();
    bytes.windows(LIBRARY.len()).any(|window| window == LIBRARY)
}

#[test]
fn only_the_executable_for_tensors_links_libtorch() {
    let kosmos = Path::new(env!("CARGO_BIN_EXE_kosmos"));
    assert!(!links_libtorch(kosmos));
    assert!(links_libtorch(&kosmos.with_file_name("kosmos-torch")));
}

#[test]
fn without_it_a_run_is_refused_before_it_begins_unless_it_stops_before_tensors() {
    let workspace = Workspace::new();
    let alone = workspace.path("kosmos");
    std::fs::copy(env!("CARGO_BIN_EXE_kosmos"), &alone).unwrap();
    let run = |stop: &[&str]| {
        let mut command = Command::new(&alone);
        command
            .args(small_run(stop))
            .current_dir(workspace.path(""))
            .env_clear()
            .env("HOME", workspace.path(""));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = run(&[]);
    assert_eq!(code, Some(1), "{message}");
    let named = ["stage features.pairs computes tensors", "kosmos-torch", "cargo build --release", "--until"];
    assert!(named.iter().all(|name| message.contains(name)), "{message}");
    assert!(!workspace.path("run").exists());
    let (code, message) = run(&["--until", "pile"]);
    assert_eq!(code, Some(0), "{message}");
}
