//! Source files that are broken: what can be read of them is kept, and a run stops only if most are.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{Output, Workspace};

/// Lines of JSON, of which none can be had from another.
fn lines(file: u32, count: u32) -> Vec<u8> {
    let text = |n: u32| {
        (0..40).map(|at| format!("w{} ", (n * 7_919 + at * 104_729) % 1_299_709)).collect::<String>()
    };
    let line = |n: u32| json!({"text": text(file * 1_000 + n)}).to_string() + "\n";
    (0..count).map(line).collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn run(workspace: &Workspace, more: &[&str]) -> Output {
    let config = "name = \"mine\"\nseed = 1\n[sources.mine]\ncode = 1\npath = \"in\"\nformat.rows = {}\n";
    fs::write(workspace.path("mine.toml"), config).unwrap();
    workspace.kosmos(&[&["run", "mine.toml", "--dir", "out"][..], more].concat())
}

#[test]
fn of_ten_files_the_whole_ones_are_read_and_the_others_as_far_as_they_go() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("in")).unwrap();
    for file in 0..7 {
        fs::write(workspace.path(&format!("in/{file}.jsonl.gz")), gzip(&lines(file, 50))).unwrap();
    }
    fs::write(workspace.path("in/7.jsonl.gz"), "").unwrap();
    let whole = gzip(&lines(8, 500));
    fs::write(workspace.path("in/8.jsonl.gz"), &whole[..whole.len() / 2]).unwrap();
    // Members of their own: one that is damaged takes no other with it.
    let mut members = [gzip(&lines(9, 20)), gzip(&lines(10, 20)), gzip(&lines(11, 20))];
    let middle = members[1].len() / 2;
    members[1][middle..middle + 40].fill(0);
    fs::write(workspace.path("in/9.jsonl.gz"), members.concat()).unwrap();

    let _ = run(&workspace, &[]).success();
    let documents = workspace.rows("out", "mine", "documents");
    let of_file = |file: u64| {
        documents.iter().filter(|row| row["id"].as_u64().unwrap() >> 36 & 0xF_FFFF == file).count()
    };
    assert!((0..7).all(|file| of_file(file) == 50), "every record of the whole files");
    assert!(of_file(8) > 100, "what stands before the cut: {}", of_file(8));
    assert!(of_file(9) >= 40, "what stands before and behind the damage: {}", of_file(9));
    let failed = workspace.rows("out", "mine", "failed");
    let reasons: Vec<_> = failed.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"file_empty") && reasons.contains(&"file_broken"), "{reasons:?}");
    let told = |reason: &str| {
        failed.iter().any(|row| row["reason"] == reason && row["value"].as_str().unwrap().contains("bytes"))
    };
    let names_its_file = |row: &serde_json::Value| row["url"].as_str().is_some_and(|url| url.contains("in/"));
    assert!(failed.iter().filter(|row| row["reason"] == "file_broken").all(names_its_file), "{failed:?}");
    assert!(told("file_broken"), "how many bytes were lost, and where: {failed:?}");
}

#[test]
fn a_run_stops_at_a_source_most_of_whose_files_are_broken_unless_that_is_accepted() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("in")).unwrap();
    for file in 0..12 {
        let bytes = if file < 4 { lines(file, 5) } else { Vec::new() };
        fs::write(workspace.path(&format!("in/{file:02}.jsonl")), bytes).unwrap();
    }
    let refused = run(&workspace, &[]).failure(1);
    assert!(refused.contains("mine: not one record could be read of 8 of 12 files"), "{refused}");
    assert!(refused.contains("file_empty") && refused.contains("failed_files_share_max=1"), "{refused}");
    let _ = run(&workspace, &["--set", "limits.failed_files_share_max=0.7"]).success();
}

#[test]
fn a_source_of_which_nothing_could_be_read_ends_the_run_after_the_others_were() {
    let workspace = Workspace::new();
    std::fs::write(workspace.path("bad.jsonl"), "{\"text\": null}\n{\"text\": \" \"}\n").unwrap();
    std::fs::write(workspace.path("good.jsonl"), "{\"text\": \"A text.\"}\n").unwrap();
    let source = |name: &str, code: u32| {
        format!(
            "[sources.{name}]\ncode = {code}\npath = \"{name}.jsonl\"\nformat.rows = {{ text = \"text\" }}\n"
        )
    };
    let config = format!("name = \"t\"\nseed = 1\n{}{}[text]\n", source("bad", 1), source("good", 2));
    std::fs::write(workspace.path("t.toml"), config).unwrap();
    let run = |more: &[&str]| workspace.kosmos(&[&["run", "t.toml", "--dir", "out"], more].concat());
    let told = run(&[]).failure(1);
    for part in ["bad: 2 of 2 documents could not be read", "no_text", "limits.failed_share_max=1", "good  "]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!workspace.path("out/ledger/text.rules").exists(), "nothing was built on it");
    let accepted = run(&["--set", "limits.failed_share_max=1"]).success();
    assert!(accepted.contains("results are in"), "{accepted}");
}

#[test]
fn a_source_without_a_record_is_told_and_alone_ends_the_run() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("none")).unwrap();
    fs::write(workspace.path("none/a.csv"), "url,caption\n").unwrap();
    fs::write(workspace.path("none/b.jsonl"), "\n \n\n").unwrap();
    fs::write(workspace.path("none/c.txt.gz"), gzip(b"")).unwrap();
    fs::write(workspace.path("none/d.jsonl"), "[]").unwrap();
    fs::write(workspace.path("some.csv"), "url\nhttp://h.example/1\n").unwrap();
    let source = |name: &str, code: u32, path: &str| {
        format!("[sources.{name}]\ncode = {code}\npath = \"{path}\"\nformat.pairs.layout.columns = {{}}\n")
    };
    let run = |sources: &[String], dir: &str| {
        let config = format!("name = \"t\"\nseed = 1\n{}[pairs]\n", sources.concat());
        fs::write(workspace.path("t.toml"), config).unwrap();
        workspace.kosmos(&["run", "t.toml", "--dir", dir])
    };
    let (none, some) = (source("none", 1, "none"), source("some", 2, "some.csv"));
    let sentence = "none: not one record was read of none/a.csv, none/b.jsonl, none/c.txt.gz and 1 more";
    let told = run(&[none.clone(), some], "both").success();
    assert!(told.contains(&format!("warning: {sentence}")), "{told}");
    let status = workspace.kosmos(&["status", "both"]).success();
    assert!(
        status.contains(&format!("warning: {sentence}")) && !status.contains("some: not one"),
        "{status}"
    );
    let told = run(std::slice::from_ref(&none), "alone").failure(1);
    assert!(told.contains(&format!("error: {sentence}")), "{told}");
    assert!(!workspace.path("alone/ledger/pairs").exists(), "nothing was built on it");
    assert!(
        run(std::slice::from_ref(&none), "alone").failure(1).contains(sentence),
        "also where the source was read before"
    );
}
