//! What `stats`, `inspect` and `parts` look at: stages and streams of a run, or any Parquet files.
//!
//! Of a run only sealed results of the settings it was last run with are seen, whatever else lies in its
//! folder.

use std::path::{Path, PathBuf};

use corpus::gc::MARKER;
use corpus::{Dataset, Inputs};

use crate::exit::Usage;
use crate::folder::Folder;

/// Streams that hold no results: what was removed, and what stages leave to each other.
const SIDE_STREAMS: [&str; 4] = ["dropped", "failed", "verdicts", "fingerprints"];

/// Returns the files that arguments name: `DIR [STAGE[/STREAM] ...]` of a run, or files and folders.
pub(crate) fn files(arguments: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut arguments = arguments.iter().peekable();
    while let Some(path) = arguments.next() {
        if !path.join(MARKER).exists() {
            match within_run(path) {
                Some((run, stage)) => files.extend(of_stage(&run, &stage)?),
                None => files.push(path.clone()),
            }
            continue;
        }
        let mut stages = Vec::new();
        while let Some(stage) = arguments.next_if(|next| !next.exists()) {
            stages.push(stage.to_string_lossy().into_owned());
        }
        match stages.is_empty() {
            true => files.extend(of_run(path)?),
            false => {
                for stage in stages {
                    files.extend(of_stage(path, &stage)?);
                }
            }
        }
    }
    match files.is_empty() {
        true => Err(Usage("there are no Parquet files in what was named".to_owned()).into()),
        false => Ok(files),
    }
}

/// Returns the files of one stream of a run; all streams of the stage if none is named.
pub(crate) fn of_stage(run: &Path, named: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = Folder::open(run)?;
    let sealed = folder.sealed()?;
    let (stage, stream) =
        named.split_once('/').map_or((named, None), |(stage, stream)| (stage, Some(stream)));
    let dataset = dataset(&folder, &sealed, stage)?;
    let streams = streams(dataset);
    if let Some(stream) = stream.filter(|stream| !streams.iter().any(|known| known == stream)) {
        let there = if streams.is_empty() { "none".to_owned() } else { streams.join(", ") };
        let message = format!("stage {stage} wrote no stream {stream:?}; there are: {there}");
        return Err(Usage(message).into());
    }
    let parts = dataset.manifest().parts.iter();
    let parts = parts.filter(|part| stream.is_none_or(|stream| part.stream == stream));
    Ok(parts.map(|part| folder.path().join(&part.path)).collect())
}

/// Returns the results of a stage alone: its only stream besides those of what was removed.
pub(crate) fn results_of(run: &Path, named: &str) -> anyhow::Result<Vec<PathBuf>> {
    if named.contains('/') {
        return of_stage(run, named);
    }
    let folder = Folder::open(run)?;
    let sealed = folder.sealed()?;
    let all = streams(dataset(&folder, &sealed, named)?);
    let results: Vec<&String> = all.iter().filter(|name| !SIDE_STREAMS.contains(&name.as_str())).collect();
    match (results.as_slice(), all.as_slice()) {
        ([only], _) => of_stage(run, &format!("{named}/{only}")),
        (_, [only]) => of_stage(run, &format!("{named}/{only}")),
        (_, []) => Err(Usage(format!("stage {named} wrote nothing")).into()),
        _ => {
            let message =
                format!("stage {named} has streams {}: name one, as in {named}/{}", all.join(", "), all[0]);
            Err(Usage(message).into())
        }
    }
}

/// Returns the Parquet files of all sealed stages.
fn of_run(run: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = Folder::open(run)?;
    let sealed = folder.sealed()?;
    let parts = sealed.0.values().flat_map(|dataset| &dataset.manifest().parts);
    let tables = parts.filter(|part| part.path.ends_with(".parquet"));
    Ok(tables.map(|part| folder.path().join(&part.path)).collect())
}

fn dataset<'s>(folder: &Folder, sealed: &'s Inputs, stage: &str) -> anyhow::Result<&'s Dataset> {
    if let Some(dataset) = sealed.0.get(stage) {
        return Ok(dataset);
    }
    let known = folder.stages()?;
    let message = match known.iter().any(|known| known.name == stage) {
        true => format!("stage {stage} is not finished with the settings of the last run"),
        false => {
            let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            format!("no stage {stage:?}; there are: {}", names.join(", "))
        }
    };
    Err(Usage(message).into())
}

/// Returns the names of a dataset's streams.
fn streams(dataset: &Dataset) -> Vec<String> {
    let mut names: Vec<String> = dataset.manifest().parts.iter().map(|part| part.stream.clone()).collect();
    names.sort();
    names.dedup();
    names
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
