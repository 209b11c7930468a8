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
mod tokenizer;
mod train;
mod verify;
use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the stages of a configuration, continuing an earlier run
    Run(run::RunArgs),
    /// Show a run's progress and its kept, dropped and failed counts
    Status(status::StatusArgs),
    /// Run single tasks of a stage (used by cluster schedulers)
    Task(task::TaskArgs),
    /// Print scripts that run the stages on a cluster without a driver
    #[command(subcommand)]
    Render(render::RenderCommand),
    /// Re-read everything in the ledger and check digests, counts, schemas and entries
    Verify(verify::VerifyArgs),
    /// Show column statistics of a run's stages or of any Parquet files
    Stats(stats::StatsArgs),
    /// Show the first rows of a run's stage or of any Parquet files
    Inspect(inspect::InspectArgs),
    /// Print the paths of a stage's files, for Python, DuckDB and the shell
    Parts(parts::PartsArgs),
    /// Train on the shards of a run
    Train(train::TrainArgs),
    /// Extract the main text of web pages from HTML files, WARC files and folders of them
    Extract(extract::ExtractArgs),
    /// Export a run's texts as JSON lines or Parquet, or its images as tar files
    Export(export::ExportArgs),
    /// Train a fastText classifier on good and bad texts
    Classifier(classifier::ClassifierArgs),
    /// Check, train and try tokenizers
    #[command(subcommand)]
    Tokenizer(tokenizer::TokenizerCommand),
    /// Inspect configurations
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// List data that no current stage of a run uses, or delete it
    Gc(gc::GcArgs),
    /// Migrate a run's folder of an earlier version; no data is changed
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
        Command::Tokenizer(command) => tokenizer::tokenizer(&command),
        Command::Config(command) => config::config(command),
        Command::Render(command) => render::render(command),
        Command::Migrate(arguments) => migrate::migrate(&arguments),
        Command::Gc(arguments) => gc::gc(&arguments, verbose > 0),
    }
}
