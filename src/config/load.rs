//! From a file or a built-in name to a checked configuration and its frozen text.

use std::path::Path;

use anyhow::Context;
use toml_edit::{DocumentMut, Item, Key, Table, Value};

use super::explain::{self, Fault, Places, steps};
use super::{Config, builtin};
use crate::cli::ConfigArgs;
use crate::exit::Usage;

/// A configuration as it was resolved.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The checked configuration.
    pub(crate) config: Config,
    /// Its text with all overrides in it, as the run's folder records it.
    pub(crate) text: String,
}

/// Loads a configuration file or a built-in one, and applies the overrides.
pub(crate) fn load(arguments: &ConfigArgs) -> anyhow::Result<Loaded> {
    let (name, written) = locate(&arguments.config)?;
    let mut overrides = Vec::new();
    let mut text = written.clone();
    if !arguments.set.is_empty() {
        let mut document: DocumentMut = match written.parse() {
            Ok(document) => document,
            // What is not TOML is explained as without overrides.
            Err(_) => return parse(&name, written),
        };
        for assignment in &arguments.set {
            let path = set(&mut document, assignment)?;
            overrides.push(Override { path, assignment: assignment.clone() });
        }
        text = document.to_string();
    }
    Origin { name, written, overrides }.read(text)
}

/// Parses and checks the text of a configuration; `origin` names it in errors.
pub(crate) fn parse(origin: &str, text: String) -> anyhow::Result<Loaded> {
    Origin { name: origin.to_owned(), written: text.clone(), overrides: Vec::new() }.read(text)
}

/// Where a configuration's text is from.
struct Origin {
    /// Its file.
    name: String,
    /// The text of the file.
    written: String,
    /// What was set beside it, in order.
    overrides: Vec<Override>,
}

/// A key that was set on the command line.
struct Override {
    path: String,
    assignment: String,
}

impl Origin {
    /// Reads the text with all overrides in it.
    fn read(self, text: String) -> anyhow::Result<Loaded> {
        let config: Config = toml::from_str(&text).map_err(|error| {
            let retry = |text: &str| toml::from_str::<Config>(text).err();
            let Fault { path, line, message } = explain::fault(&text, &error, &retry);
            if path.is_empty() {
                return Usage(format!("{}:{line}: {message}", self.name));
            }
            Usage(format!("{}: {path}: {message}", self.place(&path).unwrap_or_else(|| format!("{}:{line}", self.name))))
        })?;
        config.validate().map_err(|problem| {
            let place = self.place(&path_of(&problem)).unwrap_or_else(|| self.name.clone());
            Usage(format!("{place}: {problem}"))
        })?;
        Ok(Loaded { config, text })
    }

    /// Returns where a key was written: in the file with its line, or in an override.
    fn place(&self, path: &str) -> Option<String> {
        let places = Places::of(&self.written)?;
        let (in_file, line) = places.line_of(&self.written, path);
        let wanted = steps(path);
        let is_place = |set: &&Override| {
            let set = steps(&set.path);
            let common = set.iter().zip(&wanted).take_while(|(one, other)| one == other).count();
            common > in_file || common == set.len()
        };
        match self.overrides.iter().rev().find(is_place) {
            Some(set) => Some(format!("--set {}", set.assignment)),
            None => line.map(|line| format!("{}:{line}", self.name)),
        }
    }
}

/// Returns the path of the key that a section complains about: `[text] rules[0].words: ...`.
fn path_of(problem: &str) -> String {
    let (section, rest) = match problem.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((section, rest)) => (section, rest.trim_start()),
        None => ("", problem),
    };
    let key = rest.split([' ', ':', ',']).next().unwrap_or_default();
    [section, key].join(".")
}

fn locate(config: &str) -> anyhow::Result<(String, String)> {
    if Path::new(config).is_file() {
        let text = std::fs::read_to_string(config).with_context(|| format!("cannot read {config}"))?;
        return Ok((config.to_owned(), text));
    }
    if let Some(text) = builtin::find(config) {
        return Ok((format!("built-in {config}"), text.to_owned()));
    }
    let names: Vec<&str> = builtin::names().collect();
    let message =
        format!("no file {config:?}, and no built-in configuration of that name ({})", names.join(", "));
    Err(Usage(message).into())
}

/// Sets one key, as cargo's `--config` does: `train.steps=100`; returns its path. What is no TOML value is a
/// string.
fn set(document: &mut DocumentMut, assignment: &str) -> anyhow::Result<String> {
    let usage = || Usage(format!("--set {assignment}: KEY=VALUE is wanted, such as train.steps=100"));
    let no_table = |key: &str| {
        Usage(format!("--set {assignment}: {key:?} is a key of a table, and what is in front of it is a value"))
    };
    let (path, value) = assignment.split_once('=').ok_or_else(usage)?;
    let mut keys = Key::parse(path.trim()).map_err(|_| usage())?;
    let names: Vec<String> = keys.iter().map(|key| key.get().to_owned()).collect();
    let last = keys.pop().ok_or_else(usage)?;
    let value = value.trim();
    let value: Value = value.parse().unwrap_or_else(|_| Value::from(value));
    let mut item = document.as_item_mut();
    for key in keys {
        let table = item.as_table_like_mut().ok_or_else(|| no_table(key.get()))?;
        item = table.entry(key.get()).or_insert_with(|| Item::Table(Table::new()));
    }
    let table = item.as_table_like_mut().ok_or_else(|| no_table(last.get()))?;
    table.insert(last.get(), Item::Value(value));
    Ok(names.join("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arguments(config: &str, set: &[&str]) -> ConfigArgs {
        ConfigArgs { config: config.to_owned(), set: set.iter().map(|&text| text.to_owned()).collect() }
    }

    #[test]
    fn every_built_in_configuration_is_valid() {
        for name in builtin::names() {
            load(&arguments(name, &[])).unwrap();
        }
    }

    #[test]
    fn a_misspelt_key_is_refused_with_file_line_and_the_nearest_right_one() {
        let text = builtin::find("sample").unwrap().replace("\nseed = ", "\nsede = ");
        let error = parse("my.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("my.toml:"), "{error}");
        assert!(error.contains("did you mean `seed`?"), "{error}");
    }

    #[test]
    fn an_override_is_applied_and_recorded() {
        let loaded = load(&arguments("sample", &["train.steps=777", "name=other"])).unwrap();
        assert_eq!(loaded.config.name, "other");
        assert!(loaded.text.contains("steps = 777"), "{}", loaded.text);
    }

    #[test]
    fn an_override_of_an_unknown_key_is_refused() {
        let error = load(&arguments("sample", &["train.stepps=7"])).unwrap_err().to_string();
        assert!(error.contains("did you mean `steps`?"), "{error}");
        assert!(load(&arguments("sample", &["nonsense"])).is_err());
        assert!(load(&arguments("no-such-config", &[])).is_err());
    }
}
