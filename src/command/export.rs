//! `kosmos export`: a run's results as files that other tools read.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use pipeline::Error::Usage;
use pipeline::export::{self, Division, Form, ImageExport, TextExport};
use pipeline::number::grouped;
use pipeline::{Folder, cores};

use crate::cli::{RunDir, local, workers};
use crate::print::say;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Output format
    #[arg(value_enum)]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// The output folder; must be new or empty
    #[arg(value_parser = local())]
    pub(crate) out: PathBuf,
    /// Texts: number of files written in parallel [default: number of cores]
    #[arg(long, value_parser = workers())]
    pub(crate) workers: Option<usize>,
    /// Compression of JSON lines [default: zstd]
    #[arg(long, value_enum)]
    pub(crate) compression: Option<Compression>,
    /// Texts: number of files per split [default: one per part of the run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) files: Option<u32>,
    /// Texts: bytes per file before compression; the last text may exceed them
    #[arg(long, value_name = "BYTES", conflicts_with = "files", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) file_bytes: Option<u64>,
    /// Images: samples per tar file
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

/// Writes files of the asked format into a new or empty folder.
pub(crate) fn export(arguments: &ExportArgs) -> anyhow::Result<ExitCode> {
    check(arguments)?;
    let folder = Folder::open(&arguments.run.location()?)?;
    match arguments.format {
        ExportFormat::Jsonl => texts(&folder, Form::JsonLines(compression(arguments)), arguments)?,
        ExportFormat::Parquet => texts(&folder, Form::Parquet, arguments)?,
        ExportFormat::Webdataset => {
            let samples_max = arguments.shard_samples;
            let ImageExport { samples, files } = export::images(&folder, &arguments.out, samples_max)?;
            say!("{} images in {} files in {}", grouped(samples), grouped(files), arguments.out.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn texts(folder: &Folder, form: Form, arguments: &ExportArgs) -> anyhow::Result<()> {
    let division = match (arguments.files, arguments.file_bytes) {
        (Some(files), _) => Division::Files(files.into()),
        (None, Some(bytes)) => Division::Bytes(bytes),
        (None, None) => Division::Parts,
    };
    let workers = arguments.workers.unwrap_or_else(cores);
    let TextExport { training, validation, files } =
        export::texts(folder, &arguments.out, (form, division), workers)?;
    let (training, validation, out) = (grouped(training), grouped(validation), arguments.out.display());
    say!("{training} training and {validation} validation texts in {files} files in {out}")?;
    Ok(())
}

fn compression(arguments: &ExportArgs) -> export::Compression {
    match arguments.compression {
        Some(Compression::None) => export::Compression::None,
        Some(Compression::Gzip) => export::Compression::Gzip,
        Some(Compression::Zstd) | None => export::Compression::Zstd,
    }
}

/// Refuses options that the format has no use for.
fn check(arguments: &ExportArgs) -> anyhow::Result<()> {
    let is_text = arguments.format != ExportFormat::Webdataset;
    let options = [
        (
            "--compression",
            arguments.compression.is_some() && arguments.format != ExportFormat::Jsonl,
            "jsonl",
        ),
        ("--files", arguments.files.is_some() && !is_text, "jsonl and parquet"),
        ("--file-bytes", arguments.file_bytes.is_some() && !is_text, "jsonl and parquet"),
    ];
    match options.iter().find(|(_, is_wrong, _)| *is_wrong) {
        Some((option, _, formats)) => {
            Err(Usage(format!("{option} is an option of the formats {formats} only")).into())
        }
        None => Ok(()),
    }
}
