//! A run to look into: stages and streams of a run, or any Parquet files.
//!
//! Of a run only sealed results of the settings it was last run with are seen, whatever else lies in its
//! folder.

use std::path::{Path, PathBuf};

use corpus::gc::MARKER;
use corpus::{Dataset, Inputs};

use crate::folder::Folder;
use crate::{Error, Result};

/// Streams that hold no results: what was removed, and what stages leave to each other.
const SIDE_STREAMS: [&str; 4] = ["dropped", "failed", "verdicts", "fingerprints"];

/// A run's finished stages, by the settings it was last run with.
pub struct Opened {
    folder: Folder,
    sealed: Inputs,
}

impl Opened {
    /// Opens a run's folder.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Folder::open(path)?;
        let sealed = folder.sealed()?;
        Ok(Self { folder, sealed })
    }

    /// Returns the files of one stream, `STAGE/STREAM`, or of all streams of a stage.
    pub fn files(&self, named: &str) -> Result<Vec<PathBuf>> {
        let (stage, stream) =
            named.split_once('/').map_or((named, None), |(stage, stream)| (stage, Some(stream)));
        let dataset = self.dataset(stage)?;
        let streams: Vec<&str> =
            dataset.manifest().streams.iter().map(|summary| summary.stream.as_str()).collect();
        if let Some(stream) = stream.filter(|stream| !streams.contains(stream)) {
            let message =
                format!("stage {stage} has no stream {stream:?}; there are: {}", streams.join(", "));
            return Err(Error::Usage(message));
        }
        let parts = dataset.parts_of(|summary| stream.is_none_or(|stream| summary.stream == stream));
        parts.map(|part| Ok(self.folder.path().join(part?.path))).collect()
    }

    /// Returns the files of a stage's results: of its only stream besides those of what was removed.
    pub fn results(&self, named: &str) -> Result<Vec<PathBuf>> {
        if named.contains('/') {
            return self.files(named);
        }
        let all = filled(self.dataset(named)?);
        let results: Vec<&str> = all.iter().copied().filter(|name| !SIDE_STREAMS.contains(name)).collect();
        match (results.as_slice(), all.as_slice()) {
            ([only], _) => self.files(&format!("{named}/{only}")),
            (_, [only]) => self.files(&format!("{named}/{only}")),
            (_, []) => Err(Error::usage(format!("stage {named} wrote nothing"))),
            _ => {
                let message = format!(
                    "stage {named} has streams {}: name one, as in {named}/{}",
                    all.join(", "),
                    all[0]
                );
                Err(Error::Usage(message))
            }
        }
    }

    /// Returns the Parquet files of all finished stages.
    fn tables(&self) -> Result<Vec<PathBuf>> {
        let mut tables = Vec::new();
        for part in self.sealed.0.values().flat_map(|dataset| dataset.parts_of(|_| true)) {
            let part = part?;
            if part.path.ends_with(".parquet") {
                tables.push(self.folder.path().join(&part.path));
            }
        }
        Ok(tables)
    }

    fn dataset(&self, stage: &str) -> Result<&Dataset> {
        if let Some(dataset) = self.sealed.0.get(stage) {
            return Ok(dataset);
        }
        let known = self.folder.stages()?;
        let message = match known.iter().any(|known| known.name == stage) {
            true => format!("stage {stage} is not finished with the settings of the last run"),
            false => {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                format!("no stage {stage:?}; there are: {}", names.join(", "))
            }
        };
        Err(Error::Usage(message))
    }
}

/// Returns the files that arguments name: `DIR [STAGE[/STREAM] ...]` of a run, or files and folders.
pub fn files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut arguments = arguments.iter().peekable();
    while let Some(path) = arguments.next() {
        if !path.join(MARKER).exists() {
            match within_run(path) {
                Some((run, stage)) => files.extend(Opened::open(&run)?.files(&stage)?),
                None => files.push(path.clone()),
            }
            continue;
        }
        let run = Opened::open(path)?;
        let mut is_named = false;
        while let Some(stage) = arguments.next_if(|next| !next.exists()) {
            is_named = true;
            files.extend(run.files(&stage.to_string_lossy())?);
        }
        if !is_named {
            files.extend(run.tables()?);
        }
    }
    match files.is_empty() {
        true => Err(Error::usage("there are no Parquet files in what was named")),
        false => Ok(files),
    }
}

/// Returns the names of a dataset's streams that have a part.
fn filled(dataset: &Dataset) -> Vec<&str> {
    let streams = dataset.manifest().streams.iter().filter(|summary| summary.part_count > 0);
    streams.map(|summary| summary.stream.as_str()).collect()
}

/// Tells that a path is a stage's folder in a run, `DIR/data/STAGE`, which may hold results of several
/// settings.
fn within_run(path: &Path) -> Option<(PathBuf, String)> {
    let stage = path.file_name()?.to_str()?;
    let data = path.parent()?;
    let run = data.parent()?;
    let is_stage = data.file_name()? == "data" && run.join(MARKER).exists();
    is_stage.then(|| (run.to_owned(), stage.to_owned()))
}
