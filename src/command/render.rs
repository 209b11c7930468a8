//! `kosmos render`: what another program is to do, as a script.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use pipeline::Prepared;
use pipeline::run::Options;
use pipeline::slurm::Slurm;

use crate::cli::ConfigRun;
use crate::opening::{child, enter};
use crate::print::say;
use crate::progress::Display;

#[derive(Debug, Subcommand)]
pub(crate) enum RenderCommand {
    /// Print a shell script that submits all unfinished stages, each dependent on the ones before it
    Slurm(RenderArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    pub(crate) run: ConfigRun,
}

/// Prints the script; the run's folder is made, and nothing is run.
pub(crate) fn render(command: RenderCommand) -> anyhow::Result<ExitCode> {
    let RenderCommand::Slurm(arguments) = command;
    let (loaded, location) = arguments.run.load()?;
    enter(&loaded)?;
    let prepared = Prepared::new(&loaded, &location, &Options::default(), &Display::new())?;
    let child = child(prepared.folder())?;
    let slurm = Slurm::new(&loaded.config.slurm, prepared.folder(), child.program);
    say!("{}", slurm.submission(prepared.flow())?)?;
    Ok(ExitCode::SUCCESS)
}
