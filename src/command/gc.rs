//! `kosmos gc`: deletes what no current stage needs.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use corpus::Inputs;
use pipeline::Folder;
use pipeline::number::{bytes, grouped};
use train::flow::TRAIN;

use crate::cli::RunDir;
use crate::print::{self, say};
use crate::table::Table;

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// Delete the data; without this option, only show what would be deleted (-v lists every file)
    #[arg(long)]
    pub(crate) delete: bool,
}

/// Shows, or with `--delete` deletes, old results of stages that are sealed with the current settings.
pub(crate) fn gc(arguments: &GcArgs, verbose: bool) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.run.location()?)?;
    let _lock = arguments.delete.then(|| folder.lock()).transpose()?;
    let sealed = folder.sealed()?;
    let current =
        sealed.0.iter().map(|(name, dataset)| (name.clone(), dataset.manifest().fingerprint.clone()));
    let garbage = corpus::gc::find(&folder.store, &current.collect())?;
    let old_trainings = old_trainings(&folder, &sealed)?;
    let mut totals: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (path, size) in garbage.files.iter().chain(&old_trainings) {
        if verbose {
            say!("{:>12}  {path}", bytes(*size))?;
        }
        let (files, sum) = totals.entry(stage_of(path).to_owned()).or_default();
        (*files, *sum) = (*files + 1, *sum + size);
    }
    let mut table = Table::new(&["stage", "files", "size"]);
    for (stage, (files, size)) in &totals {
        table.push([stage.clone(), grouped(*files), bytes(*size)]);
    }
    if !totals.is_empty() {
        print::text(&table.to_string())?;
    }
    if arguments.delete {
        corpus::gc::sweep(&folder.store, &garbage)?;
        train::checkpoint::sweep(&folder.store, &old_trainings)?;
    }
    let verb = if arguments.delete { "deleted" } else { "would be deleted (--delete does it)" };
    let (files, sum) = totals.values().fold((0, 0), |(f, s), (files, size)| (f + files, s + size));
    say!("{} files, {}: {verb}", grouped(files), bytes(sum))?;
    Ok(ExitCode::SUCCESS)
}

/// Finds checkpoints of trainings that are not the current one, which is left alone while its inputs are
/// not sealed.
fn old_trainings(folder: &Folder, sealed: &Inputs) -> anyhow::Result<Vec<(String, u64)>> {
    let stages = folder.stages()?;
    let Some(stage) = stages.iter().find(|stage| stage.name == TRAIN) else {
        return Ok(Vec::new());
    };
    match stage.current(&folder.store, sealed)? {
        Some(current) => Ok(train::checkpoint::garbage(&folder.store, &current)?),
        None => Ok(Vec::new()),
    }
}

/// Returns the second component: `data/STAGE/...`, `ledger/STAGE/...`, `checkpoints/...`.
fn stage_of(path: &str) -> &str {
    match path.split_once('/') {
        Some(("checkpoints", _)) => TRAIN,
        Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
        None => path,
    }
}
