//! A run's folder: its marker, its frozen configuration, and what was accepted before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use corpus::crash::Crashes;
use corpus::gc::MARKER;
use corpus::{Stage, Store};
use serde::{Deserialize, Serialize};

use crate::config::{Config, load};
use crate::exit::Usage;

/// Version of the folder's layout.
const FOLDER_FORMAT: u32 = 1;
const CONFIG_FILE: &str = "config.toml";
const ACCEPTED_FILE: &str = "accepted.json";

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
}

/// What a stage's settings were when the user last agreed to run them, by stage name.
pub(crate) type Accepted = BTreeMap<String, String>;

/// A run's folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    pub(crate) store: Store,
}

impl Folder {
    /// Opens the folder of a new or an earlier run.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let is_ours = path.join(MARKER).exists();
        let is_empty = std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        if !is_ours && !is_empty {
            let message = format!("{} holds other files: name an empty folder with --dir", path.display());
            return Err(Usage(message).into());
        }
        let store = Store::local(path)?;
        let marker = serde_json::to_vec(&Marker { format: FOLDER_FORMAT })?;
        store.put_if_absent(MARKER, marker.into())?;
        Self::open(path)
    }

    /// Opens the folder of an earlier run.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if !path.join(MARKER).exists() {
            return Err(Usage(format!("{} is not the folder of a run", path.display())).into());
        }
        let store = Store::local(path)?;
        let bytes = store.get(MARKER)?.unwrap_or_default();
        let marker: Marker =
            serde_json::from_slice(&bytes).with_context(|| format!("{MARKER} is damaged"))?;
        if marker.format != FOLDER_FORMAT {
            let message = format!(
                "{} has format {}, this program reads {FOLDER_FORMAT}",
                path.display(),
                marker.format
            );
            return Err(Usage(message).into());
        }
        corpus::engine::remove_leftovers(&store)?;
        Ok(Self { path: store.folder().to_owned(), store })
    }

    /// Returns the folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to watch for records on which the process dies.
    pub(crate) fn crashes(&self) -> anyhow::Result<Crashes> {
        Ok(Crashes::watch(&self.path.join("crashes"))?)
    }

    /// Reads the configuration that the folder's stages were last run with.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let path = self.path.join(CONFIG_FILE);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(load::parse(&path.display().to_string(), text)?.config)
    }

    /// Reads what was accepted before; nothing in a new folder.
    pub(crate) fn accepted(&self) -> anyhow::Result<Accepted> {
        match std::fs::read(self.path.join(ACCEPTED_FILE)) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).with_context(|| format!("{ACCEPTED_FILE} is damaged"))
            }
            Err(_) => Ok(Accepted::new()),
        }
    }

    /// Records the configuration of this run and the stages' settings as accepted.
    pub(crate) fn freeze(&self, config_text: &str, accepted: &Accepted) -> anyhow::Result<()> {
        self.replace(CONFIG_FILE, config_text.as_bytes())?;
        self.replace(ACCEPTED_FILE, &serde_json::to_vec_pretty(accepted)?)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let temporary = self.path.join(format!(".{name}.{}", std::process::id()));
        std::fs::write(&temporary, bytes).with_context(|| format!("cannot write {name}"))?;
        std::fs::rename(&temporary, self.path.join(name)).with_context(|| format!("cannot replace {name}"))
    }
}

/// Returns the settings of every stage in the form that is compared between runs.
pub(crate) fn settings_of(stages: &[Box<dyn Stage>]) -> Accepted {
    let describe = |stage: &dyn Stage| {
        let text = format!("{} {:?} {}", stage.version(), stage.inputs(), stage.settings());
        corpus::digest::Digest::of(text.as_bytes()).short().to_owned()
    };
    stages.iter().map(|stage| (stage.name(), describe(stage.as_ref()))).collect()
}
