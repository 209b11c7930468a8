//! A stage as a run's folder records it: enough to find its results without its configuration.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Dataset, Fingerprint, Inputs, Ledger, Result, Stage, Store};

/// What identifies a stage beside the content of its inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The stage's name.
    pub name: String,
    /// The stages whose datasets it reads.
    pub inputs: Vec<String>,
    /// The version of its output.
    pub version: u32,
    /// The settings that decide its output.
    pub settings: Value,
}

impl Description {
    /// Describes a stage.
    ///
    /// # Errors
    /// When a file that its settings name cannot be read.
    pub fn of(stage: &dyn Stage) -> Result<Self> {
        let settings = stage.settings()?;
        Ok(Self { name: stage.name(), inputs: stage.inputs(), version: stage.version(), settings })
    }

    /// Describes a stage that is not going to run, and whose settings name what is not there: it has no results.
    pub fn unread(stage: &dyn Stage) -> Self {
        let settings = Value::Null;
        Self { name: stage.name(), inputs: stage.inputs(), version: stage.version(), settings }
    }

    /// Returns false if and only if it is of [`Self::unread`].
    pub fn is_read(&self) -> bool {
        !self.settings.is_null()
    }

    /// Returns the fingerprint that the stage has with these inputs, in its first generation.
    ///
    /// # Errors
    /// When an input is not sealed.
    pub fn fingerprint(&self, inputs: &Inputs) -> Result<Fingerprint> {
        let datasets = self.inputs.iter().map(|name| inputs.get(name));
        let datasets = datasets.collect::<Result<Vec<_>>>()?;
        let manifests: Vec<_> = datasets.iter().map(|dataset| dataset.manifest()).collect();
        Ok(Fingerprint::new(&self.name, self.version, &self.settings, &manifests))
    }

    /// Returns the fingerprint whose results count; `None` where an input is not sealed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn current(&self, store: &Store, inputs: &Inputs) -> Result<Option<Fingerprint>> {
        if self.inputs.iter().any(|name| !inputs.0.contains_key(name)) {
            return Ok(None);
        }
        Ledger::new(store.clone()).current(&self.name, &self.fingerprint(inputs)?).map(Some)
    }

    /// Returns the stage's dataset; `None` where it or an input is not sealed.
    ///
    /// # Errors
    /// When the store fails or the manifest is damaged.
    pub fn dataset(&self, store: &Store, inputs: &Inputs) -> Result<Option<Dataset>> {
        let Some(fingerprint) = self.current(store, inputs)? else {
            return Ok(None);
        };
        let manifest = Ledger::new(store.clone()).manifest(&self.name, &fingerprint)?;
        Ok(manifest.map(|manifest| Dataset::new(store.clone(), manifest)))
    }
}

/// Returns the datasets of all stages that are sealed; a stage comes after those it reads.
///
/// # Errors
/// When the store fails or a manifest is damaged.
pub fn sealed<'d>(store: &Store, stages: impl IntoIterator<Item = &'d Description>) -> Result<Inputs> {
    let mut sealed = Inputs::default();
    for stage in stages {
        if let Some(dataset) = stage.dataset(store, &sealed)? {
            sealed.0.insert(stage.name.clone(), dataset);
        }
    }
    Ok(sealed)
}
