//! `kosmos config`: looks into configurations.

use std::process::ExitCode;

use clap::Subcommand;
use pipeline::Error::Usage;
use pipeline::config::builtin;
use pipeline::{Context, Flow};

use crate::cli::ConfigArgs;
use crate::opening::{enter, load};
use crate::print::{self, say};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration and list its stages
    Check(ConfigArgs),
    /// List the built-in configurations
    List,
    /// Print a built-in configuration, as a start for your own
    Show {
        /// Its name
        name: String,
    },
}

/// Checks, lists or shows configurations.
pub(crate) fn config(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(arguments) => {
            let loaded = load(&arguments)?;
            enter(&loaded)?;
            let flow = Flow::new(&loaded.config, &Context::offline(&loaded.config)?, 0)?;
            // Files that settings name are opened, so that a missing one is told now.
            flow.descriptions()?;
            say!("{} is valid; its stages:", arguments.config)?;
            for stage in &flow.stages {
                say!("  {:<22} <- {}", stage.name(), stage.inputs().join(", "))?;
            }
        }
        ConfigCommand::List => builtin::names().try_for_each(|name| say!("{name}"))?,
        ConfigCommand::Show { name } => match builtin::find(&name) {
            Some(text) => print::text(text)?,
            None => return Err(Usage(format!("no built-in configuration {name}")).into()),
        },
    }
    Ok(ExitCode::SUCCESS)
}
