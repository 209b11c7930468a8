//! `kosmos verify`: re-reads everything the ledger lists.

use std::process::ExitCode;

use corpus::{Cancel, Ledger};

use crate::cli::FolderArgs;
use crate::exit::Usage;
use crate::flow::{Flow, Surroundings};
use crate::folder::Folder;
use crate::number::{bytes, grouped};
use crate::run::Runner;

/// Verifies all sealed stages; the exit code is 1 if and only if something is wrong.
pub(crate) fn verify(arguments: &FolderArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&arguments.dir)?;
    let config = folder.config()?;
    let flow = Flow::new(&config, &Surroundings::offline(&config)?)?;
    let (cancel, crashes) = (Cancel::default(), folder.crashes()?);
    let runner = Runner { folder: &folder, workers: 1, cancel: &cancel, crashes: &crashes };
    let sealed = runner.sealed_stages(&flow.stages)?;
    if sealed.0.is_empty() {
        return Err(Usage(format!("no stage of {} is sealed yet", folder.path().display())).into());
    }
    let mut finding_count = 0;
    let (mut part_count, mut byte_count) = (0, 0);
    for (stage, dataset) in &sealed.0 {
        let findings = corpus::verify::verify(&folder.store, dataset.manifest())?;
        for finding in &findings {
            println!("{stage}: {}: {}", finding.path, finding.detail);
        }
        finding_count += findings.len();
        part_count += dataset.manifest().parts.len() as u64;
        byte_count += dataset.manifest().parts.iter().map(|part| part.bytes).sum::<u64>();
    }
    finding_count += unsealed_orphans(&folder, &flow, &sealed)?;
    println!(
        "{} stages, {} files, {}: {} wrong",
        sealed.0.len(),
        grouped(part_count),
        bytes(byte_count),
        grouped(finding_count as u64)
    );
    Ok(if finding_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A stage that has entries for what follows from it but no manifest has lost its seal.
fn unsealed_orphans(folder: &Folder, flow: &Flow, sealed: &corpus::Inputs) -> anyhow::Result<usize> {
    let ledger = Ledger::new(folder.store.clone());
    let mut count = 0;
    for stage in &flow.stages {
        let is_sealed = sealed.0.contains_key(&stage.name());
        let followers = flow.stages.iter().filter(|other| other.inputs().contains(&stage.name()));
        for follower in followers {
            if !is_sealed && !ledger.fingerprints(&follower.name())?.is_empty() {
                println!("{}: no manifest, although {} was run on it", stage.name(), follower.name());
                count += 1;
            }
        }
    }
    Ok(count)
}
