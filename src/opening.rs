//! How commands open what they are given: a configuration, and the stages of an earlier run.

use anyhow::Context as _;
use pipeline::child::Child;
use pipeline::config::load_based;
use pipeline::{Context, Error, Flow, Folder, Loaded, Result};

use crate::cli::ConfigArgs;

/// Loads the configuration that arguments name, with their overrides.
pub(crate) fn load(arguments: &ConfigArgs) -> anyhow::Result<Loaded> {
    let current = std::env::current_dir().context("cannot tell the current folder")?;
    Ok(load_based(&arguments.config, &arguments.set, &current)?)
}

/// Makes the folder of relative paths the current one, so that they mean the same in every command.
pub(crate) fn enter(loaded: &Loaded) -> Result<()> {
    let Some(base) = &loaded.config.base_dir else {
        return Ok(());
    };
    std::env::set_current_dir(base).map_err(Error::because(|| {
        format!(
            "cannot enter {}, against which relative paths are resolved: if it was moved, `kosmos run` with the \
             configuration at its new place records that, or change base_dir in the run's config.toml",
            base.display()
        )
    }))
}

/// Makes the stages of the last run again, to run some of them; they live no longer than their context.
pub(crate) fn last_run(folder: &Folder) -> Result<(Context, Flow)> {
    let loaded = folder.config()?;
    enter(&loaded)?;
    let context = Context::start(&loaded.config, &environment)?;
    let flow = Flow::new(&loaded.config, &context, folder.retry_passes()?)?;
    Ok((context, flow))
}

/// Returns a variable of the environment.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns this program, to be started again for one task of a run.
pub(crate) fn child(folder: &Folder) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(Child { program, place: folder.place().clone(), work: folder.work.path().to_owned() })
}
