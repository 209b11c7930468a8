//! A run to look into: stages and streams of a run, or any Parquet files.
//!
//! Of a run only sealed results of the settings it was last run with are seen, whatever else lies in its
//! folder.

use std::path::{Path, PathBuf};

use corpus::gc::MARKER;
use corpus::record::{DROPPED, FAILED, FINGERPRINTS, HELD_OUT, VERDICTS};
use corpus::store::Place;
use corpus::{Dataset, Inputs, Part, WorkFolder};

use crate::context::Environment;
use crate::folder::Folder;
use crate::location::Location;
use crate::{Error, Result};

/// Streams beside a stage's results: what was removed or held out, and what stages leave to each other.
const SIDE_STREAMS: [&str; 5] =
    [DROPPED.name(), FAILED.name(), VERDICTS.name(), FINGERPRINTS.name(), HELD_OUT.name()];

/// A run's finished stages, by the settings it was last run with.
pub struct Opened {
    folder: Folder,
    sealed: Inputs,
}

/// Files of this machine: those of a run in an object store are copies, which go with this.
#[derive(Debug, Default)]
pub struct Files {
    paths: Vec<PathBuf>,
    /// What holds the folders of copies.
    copies: Vec<WorkFolder>,
}

impl Files {
    /// Returns their paths.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

impl Opened {
    /// Opens a run's folder.
    pub fn open(location: &Location<'_>) -> Result<Self> {
        let folder = Folder::open(location)?;
        let sealed = folder.sealed()?;
        Ok(Self { folder, sealed })
    }

    /// Returns where the files of one stream are, `STAGE/STREAM`, or of all streams of a stage: paths, or URLs.
    pub fn places(&self, named: &str) -> Result<Vec<String>> {
        let place = |part: &Part| match self.folder.store.local_path(&part.path) {
            Some(path) => path.display().to_string(),
            None => format!("{}/{}", self.folder.place(), part.path),
        };
        Ok(self.parts(named)?.iter().map(place).collect())
    }

    /// Returns the parts of one stream, `STAGE/STREAM`, or of all streams of a stage.
    fn parts(&self, named: &str) -> Result<Vec<Part>> {
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
        Ok(parts.collect::<corpus::Result<_>>()?)
    }

    /// Returns the first files of a stage's results that hold so many rows: of its only stream besides those of what was
    /// removed.
    pub fn results(&self, named: &str, rows: u64) -> Result<Files> {
        let parts = self.parts(&self.stream_of_results(named)?)?;
        let mut before = 0;
        let first = parts.into_iter().take_while(|part| {
            let is_wanted = before < rows;
            before += part.rows;
            is_wanted
        });
        self.files(first.collect())
    }

    /// Returns the stream of a stage's results as `STAGE/STREAM`: its only one besides those of what was removed.
    pub fn stream_of_results(&self, named: &str) -> Result<String> {
        if named.contains('/') {
            return Ok(named.to_owned());
        }
        let all = filled(self.dataset(named)?);
        let results: Vec<&str> = all.iter().copied().filter(|name| !SIDE_STREAMS.contains(name)).collect();
        match (results.as_slice(), all.as_slice()) {
            ([only], _) => Ok(format!("{named}/{only}")),
            (_, [only]) => Ok(format!("{named}/{only}")),
            (_, []) => Err(Error::usage(format!("stage {named} wrote nothing"))),
            _ => {
                let (streams, example) = (all.join(", "), results.first().unwrap_or(&all[0]));
                let message =
                    format!("stage {named} has streams {streams}: name one, as in {named}/{example}");
                Err(Error::Usage(message))
            }
        }
    }

    /// Returns the Parquet files of all finished stages.
    fn tables(&self) -> Result<Vec<Part>> {
        let mut tables = Vec::new();
        for part in self.sealed.0.values().flat_map(|dataset| dataset.parts_of(|_| true)) {
            let part = part?;
            tables.extend(part.path.ends_with(".parquet").then_some(part));
        }
        Ok(tables)
    }

    /// Returns the files of parts, copied to this machine where they are not on it.
    fn files(&self, parts: Vec<Part>) -> Result<Files> {
        let mut files = Files::default();
        for part in parts {
            let path = match self.folder.store.local_path(&part.path) {
                Some(path) => path,
                None => {
                    let folder = self.folder.work.scratch()?.join(&part.stream);
                    self.folder.store.local_file(&part.path, &folder)?
                }
            };
            files.paths.push(path);
        }
        files.copies.push(self.folder.work.clone());
        Ok(files)
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
pub fn files(arguments: &[PathBuf], work: Option<&Path>, environment: Environment<'_>) -> Result<Files> {
    let mut files = Files::default();
    let mut add = |more: Files| {
        files.paths.extend(more.paths);
        files.copies.extend(more.copies);
    };
    let mut arguments = arguments.iter().peekable();
    while let Some(path) = arguments.next() {
        let Some(location) = Location::of_run(path, work, environment)? else {
            match within_run(path) {
                Some((run, stage)) => {
                    let location = Location::new(&Place::Folder(run), None, environment)?;
                    let run = Opened::open(&location)?;
                    add(run.files(run.parts(&stage)?)?);
                }
                None => add(Files { paths: vec![path.clone()], ..Files::default() }),
            }
            continue;
        };
        let run = Opened::open(&location)?;
        let mut is_named = false;
        while let Some(stage) = arguments.next_if(|next| !is_place(next)) {
            is_named = true;
            add(run.files(run.parts(&stage.to_string_lossy())?)?);
        }
        if !is_named {
            add(run.files(run.tables()?)?);
        }
    }
    match files.paths.is_empty() {
        true => Err(Error::usage("there are no Parquet files in what was named")),
        false => Ok(files),
    }
}

/// Tells what is a run, a file or a folder from the name of a stage.
fn is_place(argument: &Path) -> bool {
    argument.exists() || Place::parse(argument).is_ok_and(|place| place.folder().is_none())
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
