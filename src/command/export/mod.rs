//! `kosmos export`: a run's results as files that other tools read.

mod text_file;
mod texts;
mod webdataset;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use pipeline::Error::Usage;
use pipeline::Folder;

use crate::cli::{RunDir, local};

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
    #[arg(long)]
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

/// How the names of files start and end while not all of them are written: no other tool uses both.
const PARTIAL_START: &str = ".kosmos-export-";
const PARTIAL_END: &str = ".partial";

/// Writes files of the asked format into a new or empty folder.
pub(crate) fn export(arguments: &ExportArgs) -> anyhow::Result<ExitCode> {
    check(arguments)?;
    let folder = Folder::open(&arguments.run.location()?)?;
    let sealed = folder.sealed()?;
    match arguments.format {
        ExportFormat::Jsonl | ExportFormat::Parquet => texts::export(&sealed, arguments),
        ExportFormat::Webdataset => {
            let stages = folder.stages()?;
            let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
            webdataset::export(&sealed, &names, arguments)
        }
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

/// The error of a stage that is not there to export from.
fn unfinished(stage: &str, run: &RunDir) -> anyhow::Error {
    Usage(format!("{} has no finished stage {stage}: run it first", run.dir)).into()
}

/// Makes the folder, and removes what an export left that did not end. A folder with anything else in it is
/// refused before a file is removed.
fn prepare(out: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot use {}", out.display());
    fs::create_dir_all(out).with_context(failed)?;
    let mut left = Vec::new();
    for entry in fs::read_dir(out).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        if !entry.file_type().with_context(failed)?.is_file() || !is_partial(&entry.file_name()) {
            let (out, other) = (out.display(), entry.file_name());
            let message = format!("{out} holds other files ({}): name an empty folder", other.display());
            return Err(Usage(message).into());
        }
        left.push(entry.path());
    }
    left.iter().try_for_each(fs::remove_file).with_context(failed)
}

/// Returns the name of an unfinished file; `what` is of small letters, digits and dashes.
fn partial(what: &str) -> String {
    format!("{PARTIAL_START}{what}{PARTIAL_END}")
}

/// Tells whether a file is named as by [`partial`].
fn is_partial(name: &OsStr) -> bool {
    let what = name.to_str().and_then(|name| name.strip_prefix(PARTIAL_START)?.strip_suffix(PARTIAL_END));
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    what.is_some_and(|what| !what.is_empty() && what.bytes().all(is_ours))
}

/// Gives a finished file its name, which nothing else has.
fn publish(path: &Path, out: &Path, name: &str) -> anyhow::Result<()> {
    let target = out.join(name);
    if target.exists() {
        return Err(Usage(format!("{} was written by something else meanwhile", target.display())).into());
    }
    fs::rename(path, target).with_context(|| format!("cannot name {name}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_keeps_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let ours = partial("train-00000-00000");
        let others = ["movie.mkv.partial", ".00000.partial", "notes.txt", ".kosmos-export-.partial"];
        for other in others {
            fs::write(out.join(&ours), "ours").unwrap();
            fs::write(out.join(other), "theirs").unwrap();
            let error = prepare(out).unwrap_err().to_string();
            assert!(error.contains("holds other files") && error.contains(other), "{error}");
            assert_eq!(fs::read(out.join(&ours)).unwrap(), b"ours", "{other}");
            assert_eq!(fs::read(out.join(other)).unwrap(), b"theirs");
            fs::remove_file(out.join(other)).unwrap();
        }
        fs::create_dir(out.join(partial("folder"))).unwrap();
        assert!(prepare(out).is_err());
        fs::remove_dir(out.join(partial("folder"))).unwrap();
        prepare(out).unwrap();
        assert_eq!(fs::read_dir(out).unwrap().count(), 0);
    }

    #[test]
    fn a_name_that_something_else_took_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(partial("00000"));
        fs::write(&path, "ours").unwrap();
        fs::write(folder.path().join("00000.tar"), "theirs").unwrap();
        assert!(publish(&path, folder.path(), "00000.tar").is_err());
        assert_eq!(fs::read(folder.path().join("00000.tar")).unwrap(), b"theirs");
        publish(&path, folder.path(), "00001.tar").unwrap();
        assert_eq!(fs::read(folder.path().join("00001.tar")).unwrap(), b"ours");
    }
}
