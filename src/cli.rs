//! The command line: it selects what to run and where; the configuration decides how.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use pipeline::place;

/// Rebuild KOSMOS-1's corpus from its public sources, look into it, train the model on it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Log more: -v for debug, -vv for trace; RUST_LOG is honoured too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the stages of a configuration; continues where an earlier run stopped
    Run(RunArgs),
    /// Show how far the stages of a run are, and what they kept, dropped and failed
    Status(StatusArgs),
    /// Run one task of one stage, as schedulers do
    Task(TaskArgs),
    /// Re-read everything the ledger lists: digests, counts, schemas, entries
    Verify(VerifyArgs),
    /// Show column statistics of a run's stages, or of any Parquet files
    Stats(StatsArgs),
    /// Show the first rows of a run's stage, or of any Parquet files
    Inspect(InspectArgs),
    /// Print the paths of a stage's files, for Python, DuckDB and the shell
    Parts(PartsArgs),
    /// Train on the shards that a run has built
    Train(TrainArgs),
    /// Show the main text of saved web pages: HTML files, WARC files, folders of them
    Extract(ExtractArgs),
    /// Write a run's results as files for other tools: texts as JSON lines or Parquet, images as tar
    Export(ExportArgs),
    /// Train a fastText classifier that tells good texts from bad ones
    Classifier(ClassifierArgs),
    /// Look into configurations
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Delete what no current stage of a run needs
    Gc(GcArgs),
}

/// Which configuration, and what of it is overridden.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// A TOML file, or the name of a built-in configuration (`kosmos config list`)
    pub(crate) config: String,
    /// Override one key: --set train.steps=100 (repeatable; recorded in the run's folder)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The run's folder [default: run/NAME]
    #[arg(long, value_parser = local())]
    pub(crate) dir: Option<PathBuf>,
    /// Stop after this stage
    #[arg(long, value_name = "STAGE", conflicts_with = "only")]
    pub(crate) until: Option<String>,
    /// Run this stage alone, on inputs that are there
    #[arg(long, value_name = "STAGE")]
    pub(crate) only: Option<String>,
    /// Run this stage again although its results exist; the stages after it follow where its results
    /// change (repeatable)
    #[arg(long, value_name = "STAGE")]
    pub(crate) rebuild: Vec<String>,
    /// Fetch images again that failed for a reason that may have passed, in one more pass
    #[arg(long, conflicts_with = "only")]
    pub(crate) retry_failed: bool,
    /// Tasks at a time [default: the number of cores]
    #[arg(long)]
    pub(crate) workers: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The run's folder [default: run/NAME]
    #[arg(long, value_parser = local())]
    pub(crate) dir: Option<PathBuf>,
    /// Continue from the newest checkpoint
    #[arg(long)]
    pub(crate) resume: bool,
    /// Train again from the beginning, also if the settings changed; the old results stay until gc
    #[arg(long, conflicts_with = "resume")]
    pub(crate) rebuild: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// Run the tasks of damaged or missing files again, and put back what comes out the same
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// The stage's name
    pub(crate) stage: String,
    /// The task's index, from 0
    pub(crate) index: u32,
    /// Try its next range record by record, write the one in work into this file, and commit nothing
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) probe: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// A run's folder and its stages (DIR text, DIR images.pass0/images), or Parquet files and folders
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A run's folder and a stage (DIR text, DIR images.pass0/images), or Parquet files and folders
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// Rows to show
    #[arg(long, default_value_t = 5)]
    pub(crate) rows: usize,
    /// Print JSON, one row a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PartsArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// The stage, such as text or images.pass0
    pub(crate) stage: String,
    /// One of its streams [default: all]
    pub(crate) stream: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Files (.html, .html.gz, .warc, .warc.gz, ...), or folders searched for them
    #[arg(required = true, value_parser = local())]
    pub(crate) paths: Vec<PathBuf>,
    /// The URL of HTML files, which resolves those of their images [default: the one that each file states]
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Show images, too, where they stand in the text
    #[arg(long)]
    pub(crate) images: bool,
    /// Keep the readings of ruby, in parentheses behind the characters that they are of
    #[arg(long)]
    pub(crate) ruby_readings: bool,
    /// A fastText model that names languages (lid.176.bin, .ftz) [default: trigrams, no file]
    #[arg(long, value_name = "PATH", value_parser = local())]
    pub(crate) language_model: Option<PathBuf>,
    /// Print JSON, one page a line; so it is wherever the output is no terminal
    #[arg(long)]
    pub(crate) json: bool,
    /// Pages at a time [default: the number of cores]
    #[arg(long)]
    pub(crate) workers: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What is written
    #[arg(value_enum)]
    pub(crate) format: ExportFormat,
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// The folder to write to: a new or an empty one
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
    /// Number of files written in parallel, of texts [default: the number of cores]
    #[arg(long)]
    pub(crate) workers: Option<usize>,
    /// Compression of JSON lines [default: zstd]
    #[arg(long, value_enum)]
    pub(crate) compression: Option<Compression>,
    /// Number of files per split, of texts [default: one per part of the run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) files: Option<u32>,
    /// Bytes per file before compression, of texts; a file ends with the text that reaches them
    #[arg(long, value_name = "BYTES", conflicts_with = "files", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) file_bytes: Option<u64>,
    /// Samples of one tar file, of images
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) shard_samples: u64,
}

/// How JSON lines are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// Plain text (.jsonl)
    None,
    /// gzip (.jsonl.gz)
    Gzip,
    /// Zstandard (.jsonl.zst)
    Zstd,
}

/// What results are exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Texts: JSON lines; a missing value is "", and a column without any value is left out
    Jsonl,
    /// Texts: Parquet with the features of Hugging Face datasets
    Parquet,
    /// Images with captions: tar files that the webdataset package reads
    Webdataset,
}

#[derive(Debug, Args)]
pub(crate) struct ClassifierArgs {
    /// The model to write
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
    /// Good texts: JSON, CSV, TSV or Parquet, compressed or not, or folders of them (repeatable)
    #[arg(long, value_name = "PATH", required = true, value_parser = local())]
    pub(crate) good: Vec<PathBuf>,
    /// Bad texts (repeatable)
    #[arg(long, value_name = "PATH", required = true, value_parser = local())]
    pub(crate) bad: Vec<PathBuf>,
    /// The field with the text
    #[arg(long, default_value = "text")]
    pub(crate) field: String,
    /// Texts of each kind at most; of more, evenly spread ones are taken
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(10..).map(|count| count as usize))]
    pub(crate) texts_max: usize,
    /// Numbers in a vector
    #[arg(long, default_value_t = 32)]
    pub(crate) dimension: u32,
    /// Words of a word n-gram at most
    #[arg(long, default_value_t = 2)]
    pub(crate) word_ngrams: u32,
    /// Rows shared by all n-grams
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) buckets: u32,
    /// Passes over the texts
    #[arg(long, default_value_t = 5)]
    pub(crate) epochs: u32,
    /// The learning rate at the beginning
    #[arg(long, default_value_t = 0.1)]
    pub(crate) rate: f32,
    /// Seed of the first weights and of the order
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration and list its stages
    Check(ConfigArgs),
    /// List the built-in configurations
    List,
    /// Print a built-in configuration, to start one's own from
    Show {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// The run's folder
    #[arg(value_parser = local())]
    pub(crate) dir: PathBuf,
    /// Delete; without this only show what would be deleted (-v lists every file)
    #[arg(long)]
    pub(crate) delete: bool,
}

/// Takes a path of this machine, and refuses places elsewhere by name.
fn local() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match place::elsewhere(&path) {
        Some(problem) => Err(problem),
        None => Ok(path),
    })
}
