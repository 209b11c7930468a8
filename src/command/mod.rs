//! The subcommands: one file each, with its arguments. A new one is a file, and its lines here.

mod classifier;
mod config;
mod export;
mod extract;
mod gc;
mod inspect;
mod migrate;
mod parts;
mod render;
mod run;
mod stats;
mod status;
mod task;
mod train;
mod verify;
use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the stages of a configuration; continues where an earlier run stopped
    Run(run::RunArgs),
    /// Show how far the stages of a run are, and what they kept, dropped and failed
    Status(status::StatusArgs),
    /// Run tasks of one stage, as schedulers do
    Task(task::TaskArgs),
    /// Print scripts for a scheduler, by which the stages run without a driver
    #[command(subcommand)]
    Render(render::RenderCommand),
    /// Re-read everything the ledger lists: digests, counts, schemas, entries
    Verify(verify::VerifyArgs),
    /// Show column statistics of a run's stages, or of any Parquet files
    Stats(stats::StatsArgs),
    /// Show the first rows of a run's stage, or of any Parquet files
    Inspect(inspect::InspectArgs),
    /// Print the paths of a stage's files, for Python, DuckDB and the shell
    Parts(parts::PartsArgs),
    /// Train on the shards that a run has built
    Train(train::TrainArgs),
    /// Show the main text of saved web pages: HTML files, WARC files, folders of them
    Extract(extract::ExtractArgs),
    /// Write a run's results as files for other tools: texts as JSON lines or Parquet, images as tar
    Export(export::ExportArgs),
    /// Train a fastText classifier that tells good texts from bad ones
    Classifier(classifier::ClassifierArgs),
    /// Look into configurations
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Delete what no current stage of a run needs
    Gc(gc::GcArgs),
    /// Carry the folder of an earlier version over to this one; no part is changed
    Migrate(migrate::MigrateArgs),
}

/// Runs a subcommand; the exit code tells scripts how it ended.
pub(crate) fn execute(command: Command, verbose: u8) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::Task(arguments) => task::task(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Stats(arguments) => stats::stats(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Parts(arguments) => parts::parts(&arguments),
        Command::Train(arguments) => train::train(arguments),
        Command::Extract(arguments) => extract::extract(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Classifier(arguments) => classifier::classifier(&arguments),
        Command::Config(command) => config::config(command),
        Command::Render(command) => render::render(command),
        Command::Migrate(arguments) => migrate::migrate(&arguments),
        Command::Gc(arguments) => gc::gc(&arguments, verbose > 0),
    }
}
