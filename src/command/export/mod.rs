//! `kosmos export`: a run's results as files that other tools read.

mod texts;
mod webdataset;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::{ExportArgs, ExportFormat};
use crate::exit::Usage;
use crate::folder::Folder;

/// What files are called while not all of them are written.
const PARTIAL: &str = ".partial";

/// Writes files of the asked format into a new or empty folder.
pub(crate) fn export(arguments: &ExportArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let sealed = folder.sealed()?;
    match arguments.format {
        ExportFormat::Jsonl => texts::export(&sealed, texts::Form::JsonLines, arguments),
        ExportFormat::Parquet => texts::export(&sealed, texts::Form::Parquet, arguments),
        ExportFormat::Webdataset => {
            let stages = folder.stages()?;
            let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
            webdataset::export(&sealed, &names, arguments)
        }
    }
}

/// The error of a stage that is not there to export from.
fn unfinished(stage: &str, dir: &Path) -> anyhow::Error {
    Usage(format!("{} has no finished stage {stage}: run it first", dir.display())).into()
}

/// Makes the folder, and removes what an export left that did not end.
fn prepare(out: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot use {}", out.display());
    fs::create_dir_all(out).with_context(failed)?;
    for entry in fs::read_dir(out).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if !path.to_string_lossy().ends_with(PARTIAL) {
            let message = format!("{} holds other files: name an empty folder", out.display());
            return Err(Usage(message).into());
        }
        fs::remove_file(&path).with_context(failed)?;
    }
    Ok(())
}
