//! A run: what is stale and what changed is told first, then one stage runs after the other.

mod changes;
mod runner;
mod selection;
mod stale;

use std::io;
use std::time::Duration;

use corpus::crash::Crashes;
use corpus::executor::Executor;
use corpus::probe::Prober;
use corpus::record::RETRY;
use corpus::{Cancel, Dataset, Description, Inputs, Observer};
use images::flow::{PASSES, pass_name};

use crate::config::{Config, Loaded};
use crate::folder::{Folder, RunLock};
use crate::location::Location;
use crate::{Context, Error, Flow, Result};

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
    lock: RunLock,
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
        location: &Location<'_>,
        options: &Options,
        watch: &dyn Watch,
    ) -> Result<Self> {
        let (folder, config) = (Folder::create(location)?, &loaded.config);
        let lock = folder.lock()?;
        let retry_passes = retry_passes(&folder, config, options.retry_failed, watch)?;
        let context = Context::start(config, location.environment())?;
        let flow = Flow::new(config, &context, retry_passes)?;
        // Stages are listed without opening what the configuration names, so a misspelt one is told first.
        options.selection.check(&flow.names())?;
        let selection = options.selection.clone();
        let selection = changes::refuse(&folder, config, context.client(), selection, watch)?;
        let before = folder.stages()?;
        let stages = described(&flow, &selection, &before)?;
        stale::refuse(&folder, &before, &stages, &covering(&selection, &before, &stages))?;
        folder.freeze(&loaded.text, &stages)?;
        Ok(Self { config, folder, lock, context, flow, selection, stages, retry_passes })
    }

    /// Runs the selected stages, where the executor says, or else on so many threads; returns the datasets of all that are sealed.
    ///
    /// # Errors
    /// The first task error that retries did not cure, and [`Error::Failed`] where a source failed too often.
    pub fn run(
        &self,
        (executor, workers): (Option<&dyn Executor>, usize),
        cancel: &Cancel,
        prober: &dyn Prober,
        watch: &dyn Watch,
    ) -> Result<Inputs> {
        let crashes = Crashes::watch(&self.folder.work.crashes())?;
        let runner = Runner {
            folder: &self.folder,
            executor,
            workers,
            cancel,
            crashes: &crashes,
            limits: &self.config.limits,
            sources: self.config.sources.keys().cloned().collect(),
            prober,
            watch,
        };
        self.lock.stops(cancel);
        let stages = self.flow.stages.iter().map(AsRef::as_ref).zip(&self.stages);
        let result = runner.run(stages, &self.selection);
        if result.is_err() && self.lock.is_lost() {
            let place = self.folder.place();
            return Err(Error::Failed(format!(
                "{place} could not be kept to this run: it was out of reach too long, or another run took it; what is \
                 committed stays, run again to continue"
            )));
        }
        result
    }

    /// Returns the run's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns what the stages talk to.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the stages themselves.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Returns what the stages are, in order.
    pub fn stages(&self) -> &[Description] {
        &self.stages
    }

    /// Returns the last pass over images, if there is any.
    pub fn last_pass(&self) -> Option<String> {
        let images = self.config.images.as_ref()?;
        Some(pass_name(images.passes + self.retry_passes - 1))
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
    let last = pass_name(images.passes + passes - 1);
    let sealed = folder.sealed()?;
    let Some(dataset) = sealed.0.get(&last) else {
        return Err(Error::usage(format!("--retry-failed: {last} is not finished; run without it first")));
    };
    if dataset.summary(RETRY)?.rows == 0 {
        watch.note(&format!("{last}: no image failed for a reason that may have passed"));
        return Ok(passes);
    }
    folder.set_retry_passes(passes + 1)?;
    Ok(passes + 1)
}

/// Describes all stages. Those that are not going to run stay as they were last run, and files that their settings
/// name need not be there.
fn described(flow: &Flow, selection: &Selection, before: &[Description]) -> Result<Vec<Description>> {
    let mut is_behind = false;
    let mut described = Vec::new();
    for stage in &flow.stages {
        let name = stage.name();
        let is_run = match &selection.only {
            Some(only) => *only == name,
            None => !is_behind,
        };
        is_behind |= selection.until.as_ref() == Some(&name);
        let known = before.iter().find(|known| known.name == name && known.is_read());
        if let Some(known) = known.filter(|_| !is_run) {
            described.push(known.clone());
            continue;
        }
        described.push(match Description::of(stage.as_ref()) {
            // It is told when the stage is to run.
            Err(_) if !is_run => Description::unread(stage.as_ref()),
            described => described?,
        });
    }
    Ok(described)
}

/// Returns the stages whose change the user agreed to: those to run again, and passes that were just added.
fn covering(selection: &Selection, before: &[Description], stages: &[Description]) -> Vec<String> {
    let is_known = |name: &String| before.iter().any(|stage| stage.name == *name);
    let added = stages.iter().map(|stage| &stage.name);
    let added = added.filter(|name| name.starts_with(PASSES) && !is_known(name));
    selection.rebuild.iter().chain(added).cloned().collect()
}
