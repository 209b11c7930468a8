//! A run: what is stale and what changed is told first, then one stage runs after the other.

mod changes;
mod runner;
mod selection;
mod stale;

use std::io;
use std::path::Path;
use std::time::Duration;

use corpus::crash::Crashes;
use corpus::probe::Prober;
use corpus::{Cancel, Dataset, Description, Inputs, Observer};
use images::RETRY;

use crate::config::{Config, Loaded};
use crate::context::Environment;
use crate::folder::{Folder, RunLock};
use crate::{Context, Error, Flow, Result, names};

use runner::Runner;
pub use selection::Selection;

/// Is told how a run goes.
pub trait Watch: Observer {
    /// A stage is sealed: after so much time, or by an earlier run.
    ///
    /// # Errors
    /// When whoever listens is gone, which ends the run.
    fn sealed(&self, dataset: &Dataset, took: Option<Duration>) -> io::Result<()>;
    /// Something that the user may want to know.
    fn note(&self, line: &str);
}

/// What a run is asked to do beyond its configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which stages are run.
    pub selection: Selection,
    /// Whether images that failed for a reason that may have passed are fetched in one more pass.
    pub retry_failed: bool,
}

/// A run that was checked and may begin; nobody else runs in its folder meanwhile.
pub struct Prepared<'c> {
    config: &'c Config,
    folder: Folder,
    _lock: RunLock,
    context: Context,
    flow: Flow,
    selection: Selection,
    stages: Vec<Description>,
    retry_passes: u32,
}

impl<'c> Prepared<'c> {
    /// Opens a run's folder, lists the stages, and records both in the folder. Relative paths of the configuration
    /// are those of the current folder.
    ///
    /// # Errors
    /// [`Error::Usage`] for unknown stages, and where results would be given up that nobody said to rebuild.
    pub fn new(
        loaded: &'c Loaded,
        dir: &Path,
        options: &Options,
        environment: Environment<'_>,
        watch: &dyn Watch,
    ) -> Result<Self> {
        let (folder, config) = (Folder::create(dir)?, &loaded.config);
        let lock = folder.lock()?;
        let retry_passes = retry_passes(&folder, config, options.retry_failed, watch)?;
        // A misspelt name is told before anything that the configuration names is opened.
        options.selection.check(&names::possible(config, retry_passes))?;
        let context = Context::start(config, environment)?;
        let flow = Flow::new(config, &context, retry_passes)?;
        let stages = flow.descriptions();
        let stage_names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        options.selection.check(&stage_names)?;
        let selection = options.selection.clone();
        let selection = changes::refuse(&folder, config, context.client(), selection, watch)?;
        stale::refuse(&folder, &stages, &covering(&folder, &selection, &stage_names)?)?;
        folder.freeze(&loaded.text, &stages)?;
        Ok(Self { config, folder, _lock: lock, context, flow, selection, stages, retry_passes })
    }

    /// Runs the selected stages; returns the datasets of all that are sealed.
    ///
    /// # Errors
    /// The first task error that retries did not cure, and [`Error::Failed`] where a source failed too often.
    pub fn run(
        &self,
        workers: usize,
        cancel: &Cancel,
        prober: &dyn Prober,
        watch: &dyn Watch,
    ) -> Result<Inputs> {
        let crashes = Crashes::watch(&self.folder.crashes())?;
        let runner = Runner {
            folder: &self.folder,
            workers,
            cancel,
            crashes: &crashes,
            limits: &self.config.limits,
            sources: self.config.sources.keys().cloned().collect(),
            prober,
            watch,
        };
        runner.run(&self.flow.stages, &self.selection)
    }

    /// Returns the run's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns what the stages talk to.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the stages, in order.
    pub fn stages(&self) -> &[Description] {
        &self.stages
    }

    /// Returns the last pass over images, if there is any.
    pub fn last_pass(&self) -> Option<String> {
        let images = self.config.images.as_ref()?;
        Some(names::pass(images.passes + self.retry_passes - 1))
    }
}

/// Returns the passes over images beyond those of the configuration; one more if failures are to be retried
/// and the last pass left some.
fn retry_passes(folder: &Folder, config: &Config, retry_failed: bool, watch: &dyn Watch) -> Result<u32> {
    let passes = folder.retry_passes()?;
    if !retry_failed {
        return Ok(passes);
    }
    let Some(images) = &config.images else {
        return Err(Error::usage("--retry-failed: the configuration has no [images]"));
    };
    let last = names::pass(images.passes + passes - 1);
    let sealed = folder.sealed()?;
    let Some(dataset) = sealed.0.get(&last) else {
        return Err(Error::usage(format!("--retry-failed: {last} is not finished; run without it first")));
    };
    let left: u64 = dataset.parts(RETRY).map(|part| part.rows).sum();
    if left == 0 {
        watch.note(&format!("{last}: no image failed for a reason that may have passed"));
        return Ok(passes);
    }
    folder.set_retry_passes(passes + 1)?;
    Ok(passes + 1)
}

/// Returns the stages whose change the user agreed to: those to run again, and passes that were just added.
fn covering(folder: &Folder, selection: &Selection, names: &[String]) -> Result<Vec<String>> {
    let before = folder.stages()?;
    let is_known = |name: &String| before.iter().any(|stage| stage.name == *name);
    let is_added = |name: &&String| name.starts_with(names::PASSES) && !is_known(name);
    Ok(selection.rebuild.iter().chain(names.iter().filter(is_added)).cloned().collect())
}
