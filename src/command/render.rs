//! `kosmos render`: what another program is to do, as a script.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use pipeline::Prepared;
use pipeline::run::Options;
use pipeline::slurm::Slurm;

use super::run::default_dir;
use crate::cli::{ConfigArgs, local};
use crate::opening::{child, enter, environment, load};
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
    /// The run's folder [default: run/NAME]
    #[arg(long, value_parser = local())]
    pub(crate) dir: Option<PathBuf>,
}

/// Prints the script; the run's folder is made, and nothing is run.
pub(crate) fn render(command: RenderCommand) -> anyhow::Result<ExitCode> {
    let RenderCommand::Slurm(arguments) = command;
    let loaded = load(&arguments.config)?;
    let dir = arguments.dir.unwrap_or_else(|| default_dir(&loaded.config.name));
    let dir = std::path::absolute(dir)?;
    enter(&loaded)?;
    let prepared = Prepared::new(&loaded, &dir, &Options::default(), &environment, &Display::new())?;
    let slurm = Slurm::new(&loaded.config.slurm, prepared.folder(), child(prepared.folder())?.program);
    say!("{}", slurm.submission(prepared.flow())?)?;
    Ok(ExitCode::SUCCESS)
}
