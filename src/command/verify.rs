//! `kosmos verify`: re-reads everything the ledger lists; repairs it where it is asked to.

use std::process::ExitCode;

use clap::Args;
use pipeline::number::{bytes, grouped};
use pipeline::verify::{Told, Verified};
use pipeline::{Error, Folder};

use crate::cli::RunDir;
use crate::opening::last_run;
use crate::print::say;
use crate::tensors;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) run: RunDir,
    /// Rerun the tasks of damaged or missing files, and restore results that are identical
    #[arg(long)]
    pub(crate) repair: bool,
}

/// Verifies all sealed stages; the exit code is 1 if and only if something is wrong and stays so.
pub(crate) fn verify(arguments: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.run.location()?)?;
    if arguments.repair {
        tensors::go_on_if_possible(&folder.config()?)?;
    }
    let _lock = arguments.repair.then(|| folder.lock()).transpose()?;
    let again = arguments.repair.then_some(&last_run as pipeline::verify::Again<'_>);
    let Verified { stages, files, bytes: size, wrong, repaired } =
        pipeline::verify::verify(&folder, again, &mut tell)?;
    let (files, size) = (grouped(files), bytes(size));
    let how =
        if arguments.repair { format!(", {} repaired", grouped(repaired as u64)) } else { String::new() };
    say!("{stages} stages, {files} files, {size}: {} wrong{how}", grouped(wrong as u64))?;
    if wrong > 0 && !arguments.repair {
        say!("kosmos verify --repair runs these tasks again, and puts back what comes out the same")?;
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(told: Told<'_>) -> pipeline::Result<()> {
    let said = match told {
        Told::Seal(finding) => say!("{}: {}", finding.path, finding.detail),
        Told::Wrong(stage, finding) => {
            let task = finding.task.map_or_else(String::new, |task| format!(" (task {task})"));
            say!("{stage}: {}: {}{task}", finding.path, finding.detail)
        }
        Told::Unfinished(stage, finding, is_given_up) => {
            let what = if is_given_up { "; given up from here, the next run makes it again" } else { "" };
            say!("{stage}: {}: {}{what}", finding.path, finding.detail)
        }
        Told::Repair(stage, text) => say!("{stage}: {text}"),
    };
    said.map_err(Error::because(|| "cannot write to stdout".to_owned()))
}
