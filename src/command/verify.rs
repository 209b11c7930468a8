//! `kosmos verify`: re-reads everything the ledger lists; repairs it where it is asked to.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use corpus::repair::{Repair, Seals, repair};
use corpus::verify::Finding;
use corpus::{Cancel, Description, Inputs};
use pipeline::Error::Usage;
use pipeline::Folder;
use pipeline::number::{bytes, grouped};

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
    // In the order in which they are run, so that a stage is repaired before those that read it.
    let in_order = folder.stages()?;
    let Seals { sealed, findings, repaired: resealed } =
        corpus::repair::seals(&folder.store, &in_order, arguments.repair)?;
    for finding in &findings {
        say!("{}: {}", finding.path, finding.detail)?;
    }
    if sealed.0.is_empty() && findings.is_empty() {
        return Err(Usage(format!("no stage of {} is sealed yet", folder.store)).into());
    }
    // Made when the first stage is repaired.
    let mut made = None;
    let (mut wrong, mut repaired) = (findings.len(), resealed);
    let (mut part_count, mut byte_count) = (0, 0);
    for stage in in_order.iter().map(|stage| &stage.name) {
        let Some(dataset) = sealed.0.get(stage) else { continue };
        let findings = corpus::verify::verify(&folder.store, dataset.manifest())?;
        for finding in &findings {
            let task = finding.task.map_or_else(String::new, |task| format!(" (task {task})"));
            say!("{stage}: {}: {}{task}", finding.path, finding.detail)?;
        }
        let left = match arguments.repair && !findings.is_empty() {
            true => {
                let (_context, flow) = match made.take() {
                    Some(again) => made.insert(again),
                    None => made.insert(last_run(&folder)?),
                };
                repair_stage(&folder, flow, &sealed, (stage, &findings))?
            }
            false => findings.len(),
        };
        (wrong, repaired) = (wrong + left, repaired + findings.len() - left);
        part_count += dataset.manifest().part_count();
        byte_count += dataset.manifest().bytes();
    }
    let unfinished = unfinished(&folder, &in_order, &sealed, arguments.repair)?;
    match arguments.repair {
        true => repaired += unfinished,
        false => wrong += unfinished,
    }
    let how =
        if arguments.repair { format!(", {} repaired", grouped(repaired as u64)) } else { String::new() };
    say!(
        "{} stages, {} files, {}: {} wrong{how}",
        sealed.0.len(),
        grouped(part_count),
        bytes(byte_count),
        grouped(wrong as u64)
    )?;
    if wrong > 0 && !arguments.repair {
        say!("kosmos verify --repair runs these tasks again, and puts back what comes out the same")?;
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tasks of the findings again; returns how much is still wrong.
fn repair_stage(
    folder: &Folder,
    flow: &pipeline::Flow,
    sealed: &Inputs,
    (name, findings): (&str, &[Finding]),
) -> anyhow::Result<usize> {
    let Some(stage) = flow.stage(name) else {
        say!("{name}: the configuration of the last run has no such stage")?;
        return Ok(findings.len());
    };
    let manifest = sealed.get(name)?.manifest();
    if corpus::repair::plan(&folder.store, manifest)? > 0 {
        say!("{name}: the record of its tasks put back")?;
    }
    let tasks: BTreeSet<u32> = findings.iter().filter_map(|finding| finding.task).collect();
    for task in tasks {
        let places = (&folder.store, &folder.work);
        match repair(places, stage, sealed, manifest, task, &Cancel::default()) {
            // The other tasks may be repaired all the same.
            Err(error) => {
                let cause =
                    std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
                say!("{name}: task {task} cannot be run again: {error}{cause}")?;
            }
            Ok(Repair::Done(count)) => say!("{name}: task {task}: {count} files and entries put back")?,
            Ok(Repair::Differs(detail)) => {
                say!("{name}: {detail}; --rebuild {name} runs the whole stage again")?
            }
        }
    }
    Ok(corpus::verify::verify(&folder.store, manifest)?.len())
}

/// Looks through what the tasks of stages that are not sealed committed; returns how much is wrong.
fn unfinished(
    folder: &Folder,
    stages: &[Description],
    sealed: &Inputs,
    mends: bool,
) -> anyhow::Result<usize> {
    let mut count = 0;
    for stage in stages.iter().filter(|stage| !sealed.0.contains_key(&stage.name)) {
        let Some(fingerprint) = stage.current(&folder.store, sealed)? else { continue };
        let findings = corpus::repair::unfinished(&folder.store, &stage.name, &fingerprint, mends)?;
        for finding in &findings {
            let what = if mends { "; given up from here, the next run makes it again" } else { "" };
            say!("{}: {}: {}{what}", stage.name, finding.path, finding.detail)?;
        }
        count += findings.len();
    }
    Ok(count)
}
