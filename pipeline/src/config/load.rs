//! From a file or a built-in name to a checked configuration and its frozen text.

use std::path::Path;

use toml::Value as Setting;
use toml_edit::{DocumentMut, Item, Key, Table, Value};

use super::explain::{self, Fault, Places, steps};
use super::{Config, builtin};
use crate::{Error, Result, place};

/// How the place of an override starts in errors, as it is written.
const SET: &str = "--set ";

/// A configuration as it was resolved.
#[derive(Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Its text with all overrides in it, as the run's folder records it.
    pub text: String,
}

/// Loads a configuration file or a built-in one, and applies overrides such as `train.steps=100`.
///
/// # Errors
/// [`Error::Usage`] with file, line and key.
pub fn load(config: &str, set: &[String]) -> Result<Loaded> {
    let (name, written) = locate(config)?;
    let mut overrides = Vec::new();
    let mut text = written.clone();
    if !set.is_empty() {
        let mut document: DocumentMut = match written.parse() {
            Ok(document) => document,
            // What is not TOML is explained as without overrides.
            Err(_) => return parse(&name, written),
        };
        for assignment in set {
            let path = assign(&mut document, assignment)?;
            overrides.push(Override { path, assignment: assignment.clone() });
        }
        text = document.to_string();
    }
    Origin { name, written, overrides }.read(text)
}

/// Parses and checks the text of a configuration; `origin` names it in errors.
pub fn parse(origin: &str, text: String) -> Result<Loaded> {
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
    fn read(self, text: String) -> Result<Loaded> {
        let config: Config = toml::from_str(&text).map_err(|error| {
            let retry = |text: &str| toml::from_str::<Config>(text).err();
            let Fault { path, line, message } = explain::fault(&text, &error, &retry);
            // Of an override the text's lines are nobody's.
            let is_override = self.place(&path).is_some_and(|place| place.starts_with(SET));
            let place = self.place(&path).filter(|_| is_override || text != self.written);
            Error::usage(format!("{}: {message}", place.unwrap_or_else(|| format!("{}:{line}", self.name))))
        })?;
        let unsupported =
            toml::from_str(&text).ok().and_then(|table| place::unsupported(&Setting::Table(table)));
        if let Some((key, problem)) = unsupported {
            let place = self.place(&key).unwrap_or_else(|| self.name.clone());
            return Err(Error::usage(format!("{place}: {key} {problem}")));
        }
        config.validate().map_err(|problem| {
            let place = self.place(&path_of(&problem)).unwrap_or_else(|| self.name.clone());
            Error::usage(format!("{place}: {problem}"))
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
            Some(set) if explain::is_secret(&set.path) => Some(format!("{SET}{}", set.path)),
            Some(set) => Some(format!("{SET}{}", set.assignment)),
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

fn locate(config: &str) -> Result<(String, String)> {
    if Path::new(config).is_file() {
        let text =
            std::fs::read_to_string(config).map_err(Error::because(|| format!("cannot read {config}")))?;
        return Ok((config.to_owned(), text));
    }
    if let Some(text) = builtin::find(config) {
        return Ok((format!("built-in {config}"), text.to_owned()));
    }
    let names: Vec<&str> = builtin::names().collect();
    let message =
        format!("no file {config:?}, and no built-in configuration of that name ({})", names.join(", "));
    Err(Error::Usage(message))
}

/// Sets one key, as cargo's `--config` does: `train.steps=100`; returns its path. What is no TOML value is a
/// string.
fn assign(document: &mut DocumentMut, assignment: &str) -> Result<String> {
    let usage = || Error::usage(format!("--set {assignment}: KEY=VALUE is wanted, such as train.steps=100"));
    let (path, value) = assignment.split_once('=').ok_or_else(usage)?;
    let shown = if explain::is_secret(path.trim()) { path.trim() } else { assignment };
    let no_table = |key: &str| {
        Error::usage(format!(
            "--set {shown}: {key:?} is a key of a table, and what is in front of it is a value"
        ))
    };
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

    fn loaded(config: &str, set: &[&str]) -> Result<Loaded> {
        let set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        load(config, &set)
    }

    #[test]
    fn every_built_in_configuration_is_valid() {
        for name in builtin::names() {
            loaded(name, &[]).unwrap();
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
        let loaded = loaded("sample", &["train.steps=777", "name=other"]).unwrap();
        assert_eq!(loaded.config.name, "other");
        assert!(loaded.text.contains("steps = 777"), "{}", loaded.text);
    }

    /// A valid configuration with every kind of value.
    const TEXT: &str = r#"name = "mine"
seed = 1

[sources.input]
code = 1
path = "input.jsonl"
format.rows = { text = "text" }

[text]
validation_share = 0.1
rules = [
    { words = { words_min = 3 } },
    { language = { allowed = ["eng"] } },
]

[text.near]
preset = "fineweb"
    "#;

    fn refused(text: &str) -> String {
        parse("my.toml", text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_told_with_line_key_what_stands_there_and_what_may() {
        parse("my.toml", TEXT.to_owned()).unwrap();
        let cases: &[(&str, &str, usize, &[&str])] = &[
            ("seed = 1", "seed = -1", 2, &["seed is -1, must be a whole number from 0 to "]),
            ("seed = 1", "seed = 1.5", 2, &["seed is 1.5, must be a whole number"]),
            ("seed = 1", "seed = \"1\"", 2, &["seed is \"1\", must be a whole number"]),
            ("seed = 1\n", "", 1, &[":1: seed: this key is missing"]),
            ("seed = 1", "sede = 1", 2, &["sede: there is no such key", "did you mean `seed`?"]),
            ("seed = 1", "seed = 1\nseed = 2", 3, &["seed: this key is there for a second time"]),
            ("seed = 1", "seed = ", 2, &["top level", "is not valid TOML"]),
            ("name = \"mine\"", "name = 2021-01-01", 1, &["name is 2021-01-01, must be text in quotes"]),
            ("name = \"mine\"", "name = true", 1, &["name is true, must be text in quotes"]),
            (
                "code = 1",
                "code = 300",
                5,
                &["sources.input.code is 300, must be a whole number from 0 to 255"],
            ),
            ("path = \"input.jsonl\"", "path = [1]", 6, &["sources.input.path is [1], must be"]),
            ("path = \"input.jsonl\"", "pth = \"x\"", 6, &["sources.input.pth"]),
            (
                "format.rows = { text = \"text\" }",
                "format = \"rows\"",
                7,
                &["format is \"rows\"", "{ rows = {"],
            ),
            (
                "format.rows",
                "format.row",
                7,
                &["sources.input.format is \"row\", must be", "did you mean `rows`?"],
            ),
            ("text = \"text\" }", "txt = \"text\" }", 7, &["format.rows.txt: there is no such key"]),
            ("share = 0.1", "share = \"x\"", 10, &["text.validation_share is \"x\", must be a number"]),
            ("share = 0.1", "share = 1.5", 10, &["validation_share is 1.5, must be from 0 to 1"]),
            (
                "words_min = 3",
                "words_min = -3",
                12,
                &["text.rules[0].words.words_min is -3, must be a whole"],
            ),
            ("words_min = 3", "words_mni = 3", 12, &["text.rules[0].words.words_mni", "`words_min`"]),
            (
                "{ words = {",
                "{ wrds = {",
                12,
                &["text.rules[0] is \"wrds\", must be", "did you mean `words`?"],
            ),
            ("words_min = 3", "words_min = 9, words_max = 4", 12, &["words_min 9 is above words_max 4"]),
            ("[\"eng\"]", "\"eng\"", 13, &["rules[1].language.allowed is \"eng\", must be a list"]),
            ("[\"eng\"]", "[5]", 13, &["rules[1].language.allowed[0] is 5, must be text in quotes"]),
            ("[text.near]", "[text.near", 16, &["is not valid TOML"]),
            (
                "preset = \"fineweb\"",
                "preset = \"finweb\"",
                17,
                &["near.preset is \"finweb\"", "\"fineweb\" or \"megatron\""],
            ),
            (
                "preset = \"fineweb\"",
                "preset = 3",
                17,
                &["near.preset is 3, must be \"fineweb\" or \"megatron\""],
            ),
            ("preset = \"fineweb\"", "jaccard_min = 7", 17, &["near.jaccard_min"]),
        ];
        for (right, wrong, line, expected) in cases {
            assert!(TEXT.contains(right), "{right}");
            let error = refused(&TEXT.replacen(right, wrong, 1));
            assert!(error.starts_with(&format!("my.toml:{line}: ")), "{wrong}: {error}");
            assert!(expected.iter().all(|part| error.contains(part)), "{wrong}: {error}");
            assert!(!error.contains("variant") && !error.contains("u64"), "{wrong}: {error}");
        }
        let near = "[text.near]\npreset = \"fineweb\"\n";
        let error = refused(&TEXT.replace(near, "near = 3\n"));
        assert!(error.contains("text.near is 3, must be a table of the keys preset, bands, "), "{error}");
    }

    #[test]
    fn a_mistake_in_an_override_names_the_override_and_one_in_the_file_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        let refused = |text: &str, set: &[&str]| {
            std::fs::write(&path, text).unwrap();
            loaded(path.to_str().unwrap(), set).unwrap_err().to_string()
        };
        let cases = [
            ("seed=-1", "seed is -1, must be a whole number"),
            ("text.near.preset=finweb", "text.near.preset is \"finweb\", must be"),
            ("text.near.presett=x", "text.near.presett: there is no such key; did you mean `preset`?"),
            ("txt.rules=[]", "txt: there is no such key"),
            ("text.validation_share=2", "validation_share is 2"),
            ("sources.other.code=7", "sources.other.format: this key is missing"),
            ("text.rules=[{words={words_min=9,words_max=4}}]", "words_min 9 is above"),
            ("seed.more=1", "\"more\" is a key of a table"),
        ];
        for (assignment, expected) in cases {
            let error = refused(TEXT, &["name=other", assignment, "text.near.partitions=2"]);
            assert!(error.starts_with(&format!("--set {assignment}: ")), "{error}");
            assert!(error.contains(expected), "{assignment}: {error}");
        }
        let error = refused(&TEXT.replace("seed = 1", "seed = -1"), &["name=other"]);
        assert!(error.starts_with(&format!("{}:2: seed is -1", path.display())), "{error}");
        let error = refused(&TEXT.replace("seed = 1", "seed = "), &["name=other"]);
        assert!(error.starts_with(&format!("{}:2: ", path.display())), "{error}");
        // What the file lacks an override may give.
        std::fs::write(&path, TEXT.replace("seed = 1\n", "")).unwrap();
        assert_eq!(loaded(path.to_str().unwrap(), &["seed=5"]).unwrap().config.seed, 5);
    }

    #[test]
    fn an_override_of_an_unknown_key_is_refused() {
        let error = loaded("sample", &["train.stepps=7"]).unwrap_err().to_string();
        assert!(error.contains("did you mean `steps`?"), "{error}");
        assert!(loaded("sample", &["nonsense"]).is_err());
        assert!(loaded("no-such-config", &[]).is_err());
    }
}
