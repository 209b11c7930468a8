//! `kosmos config`: looks into configurations.

use std::process::ExitCode;

use crate::cli::ConfigCommand;
use crate::config::{builtin, load_based};
use crate::exit::Usage;
use crate::flow::{Flow, RunContext};
use crate::print::{self, say};

/// Checks, lists or shows configurations.
pub(crate) fn config(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(arguments) => {
            let loaded = load_based(&arguments)?;
            loaded.enter()?;
            let flow = Flow::new(&loaded.config, &RunContext::offline(&loaded.config)?, 0)?;
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
