//! House rules, enforced.

use std::path::{Path, PathBuf};

use crate::support::archive::files;
use crate::support::repository;

/// Which of our crates may use which.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("corpus", &[]),
    ("corpus/testing", &["corpus"]),
    ("ingest", &["corpus"]),
    ("ingest/images", &["corpus", "ingest"]),
    ("filter", &["corpus"]),
    ("shard", &["corpus", "images", "model"]),
    ("train", &["corpus", "images", "shard", "model"]),
    ("train/model", &[]),
    ("train/torch", &["model"]),
    ("pipeline", &["corpus", "ingest", "images", "filter", "shard", "train", "model", "web"]),
    ("inspect", &["corpus"]),
    ("tests/web", &[]),
];
const OURS: [&str; 11] = [
    "corpus", "ingest", "images", "filter", "shard", "train", "model", "torch", "pipeline", "inspect", "web",
];
/// The crate that tests alone use.
const FOR_TESTS: &str = "corpus/testing";
/// Libraries that one crate alone may name.
const SOLE_USERS: [(&str, &str); 3] = [("tch", "train/torch"), ("polars", "inspect"), ("clap", ".")];
const FILE_LINES_MAX: usize = 500;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let all = files(&repository().join(folder)).into_iter();
    all.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Returns the names under `[dependencies]`.
fn dependencies(manifest: &Path) -> Vec<String> {
    let text = read(manifest);
    let section = text.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    let names = section.lines().skip(1).filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn crates_use_each_other_in_one_direction_only() {
    for (folder, allowed) in MAY_USE {
        for name in dependencies(&repository().join(folder).join("Cargo.toml")) {
            let is_allowed = !OURS.contains(&name.as_str()) || allowed.contains(&name.as_str());
            assert!(is_allowed, "{folder} may not use {name}");
        }
    }
}

#[test]
fn heavy_libraries_are_named_by_one_crate_alone() {
    let folders = MAY_USE.iter().map(|(folder, _)| *folder).chain(["."]);
    for folder in folders {
        for name in dependencies(&repository().join(folder).join("Cargo.toml")) {
            let wrong = SOLE_USERS.iter().find(|(library, user)| *library == name && *user != folder);
            assert!(wrong.is_none(), "{folder} may not name {name}");
        }
    }
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let folders = ["src", "corpus", "ingest", "filter", "shard", "train", "pipeline", "inspect", "tests"];
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        let lines = read(&path).lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn libraries_neither_print_nor_unwrap_nor_read_the_environment() {
    const FORBIDDEN: [&str; 9] = [
        "println!(",
        "eprintln!(",
        "print!(",
        "dbg!(",
        ".unwrap()",
        ".expect(\"",
        "todo!(",
        "unimplemented!(",
        "env::var",
    ];
    for (folder, _) in MAY_USE.iter().filter(|(folder, _)| *folder != FOR_TESTS) {
        for path in sources(&format!("{folder}/src")) {
            if is_test_file(&path) {
                continue;
            }
            for (number, line) in code_lines(&read(&path)) {
                let code = line.split("//").next().unwrap_or_default();
                let found = FORBIDDEN.iter().find(|word| code.contains(*word));
                assert!(found.is_none(), "{}:{}: {}", path.display(), number + 1, found.unwrap());
            }
        }
    }
}

/// Returns the lines of a file that are not in an item under `#[cfg(test)]`, numbered from 0. Such an item
/// ends with a line `}` of its own indentation, or with the first line that ends an item without a body.
fn code_lines(text: &str) -> Vec<(usize, &str)> {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let (mut kept, mut lines) = (Vec::new(), text.lines().enumerate());
    while let Some((number, line)) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push((number, line));
            continue;
        }
        let outer = indentation(line);
        for (_, line) in lines.by_ref() {
            let is_attribute = line.trim_start().starts_with("#[") || line.trim_start().starts_with("//");
            let ends =
                line.trim_end().ends_with(';') || line.trim() == "}" || line.trim_end().ends_with("{}");
            if !is_attribute && indentation(line) == outer && ends {
                break;
            }
        }
    }
    kept
}

#[test]
fn code_behind_a_test_item_is_read() {
    let text = "a\n#[cfg(test)]\nmod tests;\nb\n    #[cfg(test)]\n    fn x() {\n        y;\n    }\nc\n#[cfg(test)]\n\
        #[allow(x)]\nmod tests {\n    z\n}\nd";
    let kept: Vec<&str> = code_lines(text).into_iter().map(|(_, line)| line).collect();
    assert_eq!(kept, ["a", "b", "c", "d"]);
}

#[test]
fn the_command_line_prints_in_one_place() {
    for path in sources("src").iter().filter(|path| !path.ends_with("print.rs")) {
        for (number, line) in code_lines(&read(path)) {
            let code = line.split("//").next().unwrap_or_default();
            let found = ["println!(", "print!("].iter().find(|word| code.contains(*word));
            assert!(found.is_none(), "{}:{}: use say! or note!", path.display(), number + 1);
        }
    }
}

fn is_test_file(path: &Path) -> bool {
    let names = path.iter().filter_map(|name| name.to_str());
    let mut names = names.skip_while(|name| *name != "src");
    names.any(|name| matches!(name, "tests" | "tests.rs" | "testing" | "testing.rs"))
}

#[test]
fn every_file_says_what_it_is() {
    let folders = ["src", "corpus", "ingest", "filter", "shard", "train", "pipeline", "inspect", "tests"];
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        // Unit tests in a file of their own are described by the file they test.
        if is_test_file(&path) {
            continue;
        }
        assert!(read(&path).starts_with("//!"), "{} has no module doc", path.display());
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    for (folder, _) in MAY_USE {
        let text = read(&repository().join(folder).join("Cargo.toml"));
        assert!(text.contains("[lints]\nworkspace = true"), "{folder}");
    }
}
