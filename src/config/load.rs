//! From a file or a built-in name to a checked configuration and its frozen text.

use std::path::Path;

use anyhow::Context;
use toml_edit::{DocumentMut, Item, Key, Table, Value};

use super::{Config, builtin};
use crate::cli::ConfigArgs;
use crate::exit::Usage;

/// Largest distance at which a key is suggested for a misspelt one.
const SUGGESTION_DISTANCE_MAX: usize = 4;

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
    let (origin, text) = locate(&arguments.config)?;
    let mut loaded = parse(&origin, text)?;
    if !arguments.set.is_empty() {
        let mut document: DocumentMut = loaded.text.parse().context("configuration")?;
        for assignment in &arguments.set {
            set(&mut document, assignment)?;
        }
        loaded = parse("with --set", document.to_string())?;
    }
    Ok(loaded)
}

/// Parses and checks the text of a configuration; `origin` names it in errors.
pub(crate) fn parse(origin: &str, text: String) -> anyhow::Result<Loaded> {
    let config: Config = toml::from_str(&text).map_err(|error| Usage(explain(origin, &text, &error)))?;
    config.validate().map_err(|problem| Usage(format!("{origin}: {problem}")))?;
    Ok(Loaded { config, text })
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

/// Sets one key, as cargo's `--config` does: `train.steps=100`. What is no TOML value is a string.
fn set(document: &mut DocumentMut, assignment: &str) -> anyhow::Result<()> {
    let usage = || Usage(format!("--set {assignment}: KEY=VALUE is wanted, such as train.steps=100"));
    let (path, value) = assignment.split_once('=').ok_or_else(usage)?;
    let mut keys = Key::parse(path.trim()).map_err(|_| usage())?;
    let last = keys.pop().ok_or_else(usage)?;
    let value = value.trim();
    let value: Value = value.parse().unwrap_or_else(|_| Value::from(value));
    let mut item = document.as_item_mut();
    for key in keys {
        let table = item.as_table_like_mut().ok_or_else(usage)?;
        item = table.entry(key.get()).or_insert_with(|| Item::Table(Table::new()));
    }
    let table = item.as_table_like_mut().ok_or_else(usage)?;
    table.insert(last.get(), Item::Value(value));
    Ok(())
}

/// Returns `file:line: [section] what is wrong; did you mean ...?`.
fn explain(origin: &str, text: &str, error: &toml::de::Error) -> String {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let section = before
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| line.starts_with('[') && line.ends_with(']'))
        .unwrap_or("top level");
    let message = error.message();
    let suggestion = nearest(message).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("{origin}:{line}: {section}: {message}{suggestion}")
}

/// Returns the expected name nearest to the unknown one, from a message in serde's words:
/// ``unknown field `word_min`, expected `words_min` or `words_max` ``.
fn nearest(message: &str) -> Option<&str> {
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown").then(|| names.next())??;
    names
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .min()
        .filter(|(distance, _)| *distance <= SUGGESTION_DISTANCE_MAX)
        .map(|(_, name)| name)
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
