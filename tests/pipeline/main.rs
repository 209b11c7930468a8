//! Black-box tests: the binary in a folder of its own, against servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod buckets;
mod config;
mod corruption;
mod damage;
mod disk_full;
mod executables;
mod extract;
mod folder;
mod formats;
mod images;
mod pages;
mod proxies;
mod python;
mod real_input;
mod rebuild;
mod reference;
mod resume;
mod run;
mod scale;
mod shown;
mod slurm;
mod support;
mod text;
mod tidy;
mod tokenizer;

#[test]
fn no_test_file_is_forgotten() {
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(support::repository().join("tests/pipeline")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_module = path.is_dir() || path.extension().is_some_and(|extension| extension == "rs");
        assert!(
            stem == "main" || !is_module || main.contains(&format!("mod {stem};")),
            "{stem} is not a module"
        );
    }
}
