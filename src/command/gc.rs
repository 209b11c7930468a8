//! `kosmos gc`: deletes what no current stage needs.

use std::process::ExitCode;

use corpus::Cancel;

use crate::cli::GcArgs;
use crate::flow::{Flow, Surroundings};
use crate::folder::Folder;
use crate::number::{bytes, grouped};
use crate::run::Runner;

/// Shows, or with `--delete` deletes, old results of stages that are sealed with the current settings.
pub(crate) fn gc(arguments: &GcArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let config = folder.config()?;
    let flow = Flow::new(&config, &Surroundings::offline(&config)?)?;
    let (cancel, crashes) = (Cancel::default(), folder.crashes()?);
    let runner = Runner { folder: &folder, workers: 1, cancel: &cancel, crashes: &crashes };
    let sealed = runner.sealed_stages(&flow.stages)?;
    let current =
        sealed.0.iter().map(|(name, dataset)| (name.clone(), dataset.manifest().fingerprint.clone()));
    let garbage = corpus::gc::find(&folder.store, &current.collect())?;
    for (path, size) in &garbage.files {
        println!("{:>12}  {path}", bytes(*size));
    }
    if arguments.delete {
        corpus::gc::sweep(&folder.store, &garbage)?;
    }
    let verb = if arguments.delete { "deleted" } else { "would be deleted (--delete does it)" };
    println!("{} files, {}: {verb}", grouped(garbage.files.len() as u64), bytes(garbage.bytes()));
    Ok(ExitCode::SUCCESS)
}
