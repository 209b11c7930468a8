//! `kosmos render`: what another program is to do, as a script.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use corpus::store::Place;
use pipeline::Prepared;
use pipeline::run::Options;
use pipeline::slurm::Slurm;

use super::run::default_dir;
use crate::cli::{ConfigArgs, WorkDir, run_place};
use crate::opening::{child, enter, load};
use crate::print::say;
use crate::progress::Display;

#[derive(Debug, Subcommand)]
pub(crate) enum RenderCommand {
    /// Print a shell script that submits all stages that are not sealed, each behind the ones before it
    Slurm(RenderArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The run's folder, or its place in an object store [default: run/NAME]
    #[arg(long, value_parser = run_place())]
    pub(crate) dir: Option<Place>,
    #[command(flatten)]
    pub(crate) work: WorkDir,
}

/// Prints the script; the run's folder is made, and nothing is run.
pub(crate) fn render(command: RenderCommand) -> anyhow::Result<ExitCode> {
    let RenderCommand::Slurm(arguments) = command;
    let loaded = load(&arguments.config)?;
    let dir = arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name));
    enter(&loaded)?;
    let prepared =
        Prepared::new(&loaded, &arguments.work.location(&dir)?, &Options::default(), &Display::new())?;
    let child = child(prepared.folder())?;
    let slurm = Slurm::new(&loaded.config.slurm, prepared.folder(), child.program);
    say!("{}", slurm.submission(prepared.flow())?)?;
    Ok(ExitCode::SUCCESS)
}
