//! The command line: it selects what to run and where; the configuration decides how. Arguments of a command stand
//! with the command.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, RangedU64ValueParser, TypedValueParser};
use clap::{Args, Parser};
use corpus::store::Place;
use pipeline::{Loaded, Location, place};

use crate::command::Command;
use crate::opening::{environment, load};

/// Rebuild KOSMOS-1's corpus from its public sources, inspect it, and train the model on it.
#[derive(Debug, Parser)]
#[command(bin_name = "kosmos", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Log more: -v for debug, -vv for trace (RUST_LOG works too)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which configuration, and what of it is overridden.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// A TOML file or the name of a built-in configuration (`kosmos config list`)
    pub(crate) config: String,
    /// Override one key: --set train.steps=100 (repeatable; recorded in the run's folder)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// A configuration, and where its run is.
#[derive(Debug, Args)]
pub(crate) struct ConfigRun {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The run's folder or object store prefix (s3://BUCKET/PREFIX) [default: run/NAME]
    #[arg(long, value_parser = run_place())]
    dir: Option<Place>,
    #[command(flatten)]
    work: WorkDir,
}

impl ConfigRun {
    /// Reads the configuration and finds its run.
    pub(crate) fn load(&self) -> anyhow::Result<(Loaded, Location<'static>)> {
        let loaded = load(&self.config)?;
        let dir = self.dir.clone().unwrap_or_else(|| default_dir(&loaded.config.name));
        let location = self.work.location(&dir)?;
        Ok((loaded, location))
    }
}

/// Returns where a run goes unless `--dir` says otherwise.
pub(crate) fn default_dir(name: &str) -> Place {
    Place::Folder(Path::new("run").join(name))
}

/// A run, by where it is.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunDir {
    /// The run's folder or object store prefix (s3://BUCKET/PREFIX)
    #[arg(value_parser = run_place())]
    pub(crate) dir: Place,
    #[command(flatten)]
    pub(crate) work: WorkDir,
}

impl RunDir {
    /// Finds the run.
    pub(crate) fn location(&self) -> anyhow::Result<Location<'static>> {
        self.work.location(&self.dir)
    }
}

/// The folder of this machine that a run in an object store has.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkDir {
    /// For a run in an object store: local folder for scratch files, logs and copies [default: in the user's
    /// cache]
    #[arg(long, value_name = "DIR", value_parser = local())]
    pub(crate) work: Option<PathBuf>,
}

impl WorkDir {
    /// Finds a run.
    pub(crate) fn location(&self, place: &Place) -> anyhow::Result<Location<'static>> {
        Ok(Location::new(place, self.work.as_deref(), &environment)?)
    }
}

/// Threads at most.
const WORKERS_MAX: u64 = 4_096;

/// Takes where a run is, and refuses places that there is no store for by name.
pub(crate) fn run_place() -> impl TypedValueParser<Value = Place> {
    PathBufValueParser::new().try_map(|path| parse_place(&path))
}

/// As [`run_place`], of what may be a run, a file or the name of a stage.
pub(crate) fn path_or_run() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| parse_place(&path).map(|_| path))
}

fn parse_place(path: &Path) -> Result<Place, String> {
    let place = Place::parse(path)?;
    match place.folder().and_then(place::elsewhere) {
        Some(problem) => Err(problem),
        None => Ok(place),
    }
}

/// Takes a path of this machine, and refuses places elsewhere by name.
pub(crate) fn local() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match place::elsewhere(&path) {
        Some(problem) => Err(problem),
        None => Ok(path),
    })
}

/// Takes a number of threads.
pub(crate) fn workers() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(1..=WORKERS_MAX)
}
