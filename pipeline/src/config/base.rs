//! Where relative paths of a configuration lead: to the folder of its file, from wherever it is run.
//!
//! The folder is recorded in the run's `config.toml` as `base_dir`; the paths themselves stay as they are
//! written, since fingerprints are made of them.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Value};

use super::load;
use crate::{Error, Result};

/// The key that records the folder.
const BASE_KEY: &str = "base_dir";
/// The last part of keys whose values are paths.
const PATH_KEYS: [&str; 8] = ["path", "files", "model", "dir", "evaluation", "domains", "urls", "words"];

/// Loads a configuration, and finds and records the folder of its relative paths: that of its file, or the
/// current one for a built-in configuration. Paths in overrides are relative to the current folder.
///
/// # Errors
/// As [`load::load`].
pub fn load_based(config: &str, set: &[String], current: &Path) -> Result<load::Loaded> {
    let base = base_of(config, current)?;
    let set = set.iter().map(|assignment| match base == current {
        true => assignment.clone(),
        false => absolute(assignment, current),
    });
    let mut loaded = load::load(config, &set.collect::<Vec<_>>())?;
    if loaded.config.base_dir.is_none() {
        loaded.text = recorded(&loaded.text, &base)?;
        loaded.config.base_dir = Some(base);
    }
    Ok(loaded)
}

fn base_of(config: &str, current: &Path) -> Result<PathBuf> {
    let path = Path::new(config);
    if !path.is_file() {
        return Ok(current.to_owned());
    }
    let path = path.canonicalize().map_err(Error::because(|| format!("cannot resolve {config}")))?;
    Ok(path.parent().map_or_else(|| current.to_owned(), Path::to_owned))
}

/// Returns the text with the folder in front of everything else, where no table has begun.
fn recorded(text: &str, base: &Path) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(Error::because(|| "configuration".to_owned()))?;
    let name = base.to_str();
    let base = name.ok_or_else(|| Error::usage(format!("the name of {} is not UTF-8", base.display())))?;
    document.insert(BASE_KEY, toml_edit::value(base));
    Ok(document.to_string())
}

/// Makes the relative paths of an override absolute: `sources.a.path=x` and lists of paths.
fn absolute(assignment: &str, current: &Path) -> String {
    let Some((key, value)) = assignment.split_once('=') else {
        return assignment.to_owned();
    };
    let last = key.trim().rsplit('.').next().unwrap_or_default();
    if !PATH_KEYS.contains(&last) {
        return assignment.to_owned();
    }
    let join = |path: &str| current.join(path).to_string_lossy().into_owned();
    let resolved = match value.trim().parse::<Value>() {
        Ok(Value::String(path)) if is_relative(path.value()) => Value::from(join(path.value())).to_string(),
        Ok(Value::Array(paths)) => {
            let paths = paths.iter().map(|path| match path.as_str() {
                Some(path) if is_relative(path) => Value::from(join(path)),
                _ => path.clone(),
            });
            Value::Array(paths.collect()).to_string()
        }
        Err(_) if is_relative(value.trim()) => Value::from(join(value.trim())).to_string(),
        _ => return assignment.to_owned(),
    };
    format!("{key}={resolved}")
}

fn is_relative(path: &str) -> bool {
    !path.contains("://") && Path::new(path).is_relative()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_overrides_are_those_of_the_current_folder() {
        let absolute = |text| absolute(text, Path::new("/here"));
        assert_eq!(absolute("sources.a.path=x.jsonl"), "sources.a.path=\"/here/x.jsonl\"");
        assert_eq!(absolute("sources.a.path=/x.jsonl"), "sources.a.path=/x.jsonl");
        assert_eq!(
            absolute("sources.a.files=[\"x\", \"https://a/b\"]"),
            "sources.a.files=[\"/here/x\", \"https://a/b\"]"
        );
        assert_eq!(absolute("train.steps=100"), "train.steps=100");
        assert_eq!(absolute("sources.a.path=s3://a/b"), "sources.a.path=s3://a/b");
    }
}
