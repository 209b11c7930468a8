//! `kosmos config`: looks into configurations.

use std::process::ExitCode;

use clap::Subcommand;
use pipeline::Error::Usage;
use pipeline::config::builtin;
use pipeline::config::keys::{Default, Key, keys};
use pipeline::{Context, Flow};

use crate::cli::ConfigArgs;
use crate::opening::{enter, load};
use crate::print::{self, Stdout, note, say};

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
    /// List the keys that a configuration may have, with their defaults
    Keys {
        /// A section or a key, such as `fetch` or `text.near`; all if absent
        #[arg(value_name = "SECTION")]
        section: Option<String>,
    },
}

/// Checks, lists or shows configurations.
pub(crate) fn config(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(arguments) => {
            let loaded = load(&arguments)?;
            enter(&loaded)?;
            let context = Context::offline(&loaded.config)?;
            let flow = Flow::new(&loaded.config, &context, 0)?;
            // Files that settings name are opened, so that a missing one is told now.
            flow.descriptions()?;
            // Files of sources may still come.
            for missing in ingest::flow::missing_files(&loaded.config.sources, context.client())? {
                note!("warning: {missing}");
            }
            say!("{} is valid; its stages:", arguments.config)?;
            for stage in &flow.stages {
                say!("  {:<22} <- {}", stage.name(), stage.inputs().join(", "))?;
            }
        }
        ConfigCommand::List => {
            builtin::names().try_for_each(|name| say!("{name:<8} {}", builtin::summary(name)))?;
        }
        ConfigCommand::Keys { section } => list_keys(section.as_deref().unwrap_or_default())?,
        ConfigCommand::Show { name } => match builtin::find(&name) {
            Some(text) => print::text(text)?,
            None => return Err(Usage(format!("no built-in configuration {name}")).into()),
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the keys of a section, or that key.
fn list_keys(section: &str) -> anyhow::Result<()> {
    let keys = keys();
    let is_below = |key: &&Key| {
        let rest = key.path.strip_prefix(section);
        section.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut found = keys.iter().filter(is_below).peekable();
    if found.peek().is_none() {
        return Err(Usage(format!("no section or key {section}; `kosmos config keys` lists all")).into());
    }
    let mut out = Stdout::new();
    for Key { path, value, default, meaning } in found {
        let default = match default {
            Default::Value(value) => format!("default {value}"),
            other => other.to_string(),
        };
        writeln!(out, "{path}  ({value}; {default})")?;
        if !meaning.is_empty() {
            writeln!(out, "    {meaning}")?;
        }
    }
    Ok(out.flush()?)
}
