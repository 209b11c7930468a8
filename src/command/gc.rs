//! `kosmos gc`: deletes what no current stage needs.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use pipeline::Folder;
use pipeline::garbage::Unneeded;
use pipeline::number::{bytes, grouped};

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
    let unneeded = Unneeded::find(&folder)?;
    let mut totals: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (stage, path, size) in unneeded.files() {
        if verbose {
            say!("{:>12}  {path}", bytes(size))?;
        }
        let (files, sum) = totals.entry(stage).or_default();
        (*files, *sum) = (*files + 1, *sum + size);
    }
    let mut table = Table::new(&["stage", "files", "size"]);
    for (stage, (files, size)) in &totals {
        table.push([(*stage).to_owned(), grouped(*files), bytes(*size)]);
    }
    if !totals.is_empty() {
        print::text(&table.to_string())?;
    }
    if arguments.delete {
        unneeded.delete(&folder)?;
    }
    let verb = if arguments.delete { "deleted" } else { "would be deleted (--delete does it)" };
    let (files, sum) = totals.values().fold((0, 0), |(f, s), (files, size)| (f + files, s + size));
    say!("{} files, {}: {verb}", grouped(files), bytes(sum))?;
    Ok(ExitCode::SUCCESS)
}
