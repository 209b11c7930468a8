//! The commands that README.md and docs/ show: each is one that the binary takes, with keys that a configuration has.

use std::collections::BTreeMap;
use std::fs;

use pipeline::config::keys::keys;

use crate::support::{Workspace, repository};

/// Commands that have commands of their own.
const NESTED: [&str; 4] = ["config", "export", "render", "tokenizer"];

/// Returns the shown commands, each with the page that shows it, as words.
fn shown() -> Vec<(String, Vec<String>)> {
    let docs = fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut commands = Vec::new();
    for page in docs.chain([repository().join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap().replace("\\\n", " ");
        let lines = text.lines().filter(|line| line.starts_with("    ")).map(str::trim);
        for line in lines.filter(|line| line.starts_with("kosmos ")) {
            let command = line.split(" #").next().unwrap().split(['|', '>']).next().unwrap();
            let words = command.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
            commands.push((format!("{}: {line}", page.display()), words.collect()));
        }
    }
    commands
}

#[test]
fn every_shown_command_has_options_that_there_are_and_sets_keys_that_there_are() {
    let (workspace, keys, mut helps) = (Workspace::new(), keys(), BTreeMap::new());
    let shown = shown();
    assert!(shown.len() > 25, "{}", shown.len());
    for (place, words) in shown {
        let depth = if NESTED.contains(&words[1].as_str()) && !words[2].contains('.') { 3 } else { 2 };
        let name: Vec<&str> = words[1..depth].iter().map(String::as_str).collect();
        let help = helps
            .entry(name.join(" "))
            .or_insert_with(|| workspace.kosmos(&[&name[..], &["--help"]].concat()).success());
        for (index, word) in words.iter().enumerate().filter(|(_, word)| word.starts_with("--")) {
            let option = word.split('=').next().unwrap();
            assert!(
                help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                "{place}: {option}"
            );
            if option == "--set" {
                let (key, _) = words[index + 1].split_once('=').unwrap();
                assert!(keys.iter().any(|known| known.is_at(key)), "{place}: {key} is no key");
            }
        }
    }
}
