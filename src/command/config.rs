//! `kosmos config`: looks into configurations.

use std::process::ExitCode;

use crate::cli::ConfigCommand;
use crate::config::{builtin, load};
use crate::exit::Usage;
use crate::flow::{Flow, Surroundings};

/// Checks, lists or shows configurations.
pub(crate) fn config(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(arguments) => {
            let loaded = load(&arguments)?;
            let flow = Flow::new(&loaded.config, &Surroundings::offline(&loaded.config)?)?;
            println!("{} is valid; its stages:", arguments.config);
            for stage in &flow.stages {
                println!("  {:<22} <- {}", stage.name(), stage.inputs().join(", "));
            }
        }
        ConfigCommand::List => builtin::names().for_each(|name| println!("{name}")),
        ConfigCommand::Show { name } => match builtin::find(&name) {
            Some(text) => print!("{text}"),
            None => return Err(Usage(format!("no built-in configuration {name}")).into()),
        },
    }
    Ok(ExitCode::SUCCESS)
}
