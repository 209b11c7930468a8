//! What rules read from files: digested when a stage is made, loaded before its first record.
//!
//! A file's content is part of a stage's settings, its path is not: a model may move, but results
//! of another model are not taken for those of this one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cel::Program;
use corpus::{Error, NamedFile, Result};
use serde::Serialize;
use serde_json::Value;

use crate::blocklist::Blocklists;
use crate::fasttext::Model;

/// What a rule's files hold.
#[derive(Debug, Default)]
pub enum Loaded {
    /// The rule has no files.
    #[default]
    Nothing,
    /// A fastText model.
    Model(Box<Model>),
    /// Lists of what is blocked.
    Blocklists(Blocklists),
    /// An expression.
    Program(Arc<Program>),
}

impl Loaded {
    /// Returns the model, where there is one.
    pub fn model(&self) -> Option<&Model> {
        match self {
            Self::Model(model) => Some(model),
            _ => None,
        }
    }

    /// Returns the expression, where there is one.
    pub fn program(&self) -> Option<&Program> {
        match self {
            Self::Program(program) => Some(program),
            _ => None,
        }
    }

    /// Returns what users should know of the files, a sentence each.
    pub fn notes(&self) -> &[String] {
        self.blocklists().map_or(&[], Blocklists::notes)
    }

    /// Returns the lists, where there are some.
    pub fn blocklists(&self) -> Option<&Blocklists> {
        match self {
            Self::Blocklists(lists) => Some(lists),
            _ => None,
        }
    }
}

/// The files that a rule names under one key of its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFiles {
    /// The key.
    pub key: &'static str,
    /// The files, in the order of the setting.
    pub paths: Vec<PathBuf>,
}

/// A rule of a configuration, which may need files.
pub trait Rule: Serialize + Send + Sync {
    /// Returns the files it reads.
    fn files(&self) -> Vec<NamedFiles>;

    /// Reads them.
    ///
    /// # Errors
    /// With a sentence that names the file.
    fn load(&self) -> Result<Loaded, String>;
}

/// A rule with what it has read.
#[derive(Debug)]
pub struct Ready<R> {
    /// The rule.
    pub rule: R,
    /// What its files hold.
    pub loaded: Loaded,
}

impl<R: Rule> Ready<R> {
    /// Loads what the rule needs.
    ///
    /// # Errors
    /// With a sentence that names the file.
    pub fn new(rule: R) -> Result<Self, String> {
        Ok(Self { loaded: rule.load()?, rule })
    }
}

/// Returns the settings of a stage's rules with the digests of their files in the place of the paths.
///
/// # Errors
/// When a file cannot be read; the rule and its key are named.
pub fn settings(stage: &str, rules: &[impl Rule]) -> Result<Vec<Value>> {
    let of_rule = |(index, rule)| settings_of(stage, index, rule);
    rules.iter().enumerate().map(of_rule).collect()
}

fn settings_of(stage: &str, index: usize, rule: &impl Rule) -> Result<Value> {
    let mut value = serde_json::to_value(rule).unwrap_or_default();
    for NamedFiles { key, paths } in rule.files() {
        // A rule is an object of one key, its name, with its settings.
        let settings = value.as_object_mut().and_then(|rules| rules.iter_mut().next());
        let Some((name, Value::Object(settings))) = settings else { continue };
        let digests: Result<Vec<_>> = paths.iter().map(|path| digest(path)).collect();
        let digests = digests.map_err(Error::of_setting(stage, &format!("rules[{index}].{name}.{key}")))?;
        settings.insert(key.to_owned(), digests.into());
    }
    Ok(value)
}

fn digest(path: &Path) -> Result<Value> {
    Ok(NamedFile::new(path).digest()?.as_str().into())
}

/// Opens a model for a rule's key.
pub(super) fn open_model(key: &str, path: &Path) -> Result<Loaded, String> {
    let model = Model::open(path).map_err(|error| format!("{key}: {}: {error}", path.display()))?;
    Ok(Loaded::Model(Box::new(model)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rule::{Language, TextRule};

    fn rule(path: &Path) -> TextRule {
        TextRule::Language(Language { model: Some(path.to_owned()), ..Language::default() })
    }

    #[test]
    fn content_is_part_of_the_settings_and_a_path_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            settings("text.rules", &[rule(&path)]).unwrap()
        };
        let one = write("one", "weights");
        assert_eq!(one, write("two", "weights"));
        assert_ne!(one, write("two", "other weights"));
        assert!(!one[0].to_string().contains("one"), "{one:?}");
        let missing = [rule(&folder.path().join("missing"))];
        let error = settings("text.rules", &missing).unwrap_err().to_string();
        assert!(error.starts_with("stage text.rules: rules[0].language.model: cannot "), "{error}");
        assert!(error.contains("missing"), "{error}");
    }

    #[test]
    fn a_rule_without_files_keeps_its_settings() {
        let value = settings("text.rules", &[TextRule::Language(Language::default())]).unwrap();
        assert_eq!(value[0].to_string(), r#"{"language":{"allowed":["eng"],"confidence_min":0.0}}"#);
    }

    #[test]
    fn what_is_no_model_is_refused_by_key_and_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lid.bin");
        let refused = |rule: TextRule| Ready::new(rule).unwrap_err();
        assert!(refused(rule(&path)).contains("lid.bin"));
        std::fs::write(&path, "<html>not found</html>").unwrap();
        let error = refused(rule(&path));
        assert!(error.starts_with("language.model: ") && error.contains("fastText"), "{error}");
    }
}
