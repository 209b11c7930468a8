//! Evaluation sets, read once for all stages that need them.

use std::sync::{Arc, Mutex, PoisonError};

use corpus::digest::Digest;
use corpus::{Error, Result};
use serde_json::{Value, json};

use super::Index;
use crate::config::DecontaminateConfig;
use crate::rows::files;

/// The evaluation sets of a run: digested when stages are made, loaded before the first document.
#[derive(Debug)]
pub struct EvaluationSets {
    /// What is looked for, and what happens to it.
    pub config: DecontaminateConfig,
    settings: Value,
    index: Mutex<Option<Arc<Index>>>,
}

impl EvaluationSets {
    /// Digests the files: their content is part of a stage's settings, their paths are not.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn new(config: DecontaminateConfig) -> Result<Self> {
        let mut sets = serde_json::Map::new();
        for (name, set) in &config.sets {
            let (stage, key) = ("text.decontaminate", format!("sets.{name}.path"));
            let paths = files(&set.path).map_err(|error| Error::Settings {
                stage: stage.to_owned(),
                detail: format!("{key}: {error}"),
            })?;
            let digests: Result<Vec<_>> =
                paths.iter().map(|path| Ok(Digest::of_file(path)?.0.to_string())).collect();
            let digests = digests.map_err(Error::of_setting(stage, &key))?;
            sets.insert(name.clone(), json!({"files": digests, "fields": set.fields}));
        }
        let settings = json!({
            "sets": sets,
            "words": config.words,
            "words_min": config.words_min,
        });
        Ok(Self { config, settings, index: Mutex::new(None) })
    }

    /// Returns what decides about the n-grams.
    pub fn settings(&self) -> &Value {
        &self.settings
    }

    /// Returns the n-grams, read if that has not been done.
    ///
    /// # Errors
    /// When a set cannot be used.
    pub fn index(&self, stage: &str) -> Result<Arc<Index>> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = index.as_ref() {
            return Ok(Arc::clone(index));
        }
        let read = Index::read(&self.config)
            .map_err(|error| Error::Settings { stage: stage.to_owned(), detail: error.to_string() })?;
        Ok(Arc::clone(index.insert(Arc::new(read))))
    }
}
