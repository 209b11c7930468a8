//! Verification of a whole run: everything that the ledger lists is read again, and made again where that is wanted.

use std::collections::BTreeSet;
use std::error::Error as _;

use corpus::repair::{Repair, Seals, repair};
use corpus::verify::Finding;
use corpus::{Cancel, Description, Inputs};

use crate::{Context, Error, Flow, Folder, Result};

/// What is told while a run is verified.
#[derive(Debug)]
pub enum Told<'t> {
    /// A seal of no known stage that is wrong.
    Seal(&'t Finding),
    /// A file or entry of a finished stage that is wrong.
    Wrong(&'t str, &'t Finding),
    /// A file of a stage that is not finished; `true` if the next run makes it again from there.
    Unfinished(&'t str, &'t Finding, bool),
    /// How the repair of a stage goes on.
    Repair(&'t str, String),
}

/// What was found in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Finished stages.
    pub stages: usize,
    /// Their files.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// What is wrong and stays so.
    pub wrong: usize,
    /// What was wrong and was repaired.
    pub repaired: usize,
}

/// What makes the stages of the last run, with what they talk to.
pub type Again<'a> = &'a dyn Fn(&Folder) -> Result<(Context, Flow)>;

/// Verifies all finished stages, and what the tasks of others committed. Where the stages can be made `again`, what is
/// damaged is repaired; the folder must be locked then.
///
/// # Errors
/// When no stage is finished, or the store fails in another way than by a missing or damaged file.
pub fn verify(
    folder: &Folder,
    again: Option<Again<'_>>,
    tell: &mut dyn FnMut(Told<'_>) -> Result<()>,
) -> Result<Verified> {
    // In the order in which they are run, so that a stage is repaired before those that read it.
    let in_order = folder.stages()?;
    let Seals { sealed, findings, repaired } =
        corpus::repair::seals(&folder.store, &in_order, again.is_some())?;
    findings.iter().try_for_each(|finding| tell(Told::Seal(finding)))?;
    if sealed.0.is_empty() && findings.is_empty() {
        return Err(Error::Usage(format!("no stage of {} is sealed yet", folder.store)));
    }
    let mut found =
        Verified { stages: sealed.0.len(), wrong: findings.len(), repaired, ..Verified::default() };
    // Made when the first stage is repaired.
    let mut made = None;
    for stage in in_order.iter().map(|stage| &stage.name) {
        let Some(dataset) = sealed.0.get(stage) else { continue };
        let findings = corpus::verify::verify(&folder.store, dataset.manifest())?;
        findings.iter().try_for_each(|finding| tell(Told::Wrong(stage, finding)))?;
        let left = match again {
            Some(again) if !findings.is_empty() => {
                let (_context, flow) = match made.take() {
                    Some(flow) => made.insert(flow),
                    None => made.insert(again(folder)?),
                };
                repair_stage(folder, flow, &sealed, (stage, &findings), tell)?
            }
            _ => findings.len(),
        };
        found.wrong += left;
        found.repaired += findings.len() - left;
        found.files += dataset.manifest().part_count();
        found.bytes += dataset.manifest().bytes();
    }
    let unfinished = unfinished(folder, &in_order, &sealed, again.is_some(), tell)?;
    match again {
        Some(_) => found.repaired += unfinished,
        None => found.wrong += unfinished,
    }
    Ok(found)
}

/// Runs the tasks of the findings again; returns how much is still wrong.
fn repair_stage(
    folder: &Folder,
    flow: &Flow,
    sealed: &Inputs,
    (name, findings): (&str, &[Finding]),
    tell: &mut dyn FnMut(Told<'_>) -> Result<()>,
) -> Result<usize> {
    let mut say = |text: String| tell(Told::Repair(name, text));
    let Some(stage) = flow.stage(name) else {
        say("the configuration of the last run has no such stage".to_owned())?;
        return Ok(findings.len());
    };
    let manifest = sealed.get(name)?.manifest();
    if corpus::repair::plan(&folder.store, manifest)? > 0 {
        say("the record of its tasks put back".to_owned())?;
    }
    let tasks: BTreeSet<u32> = findings.iter().filter_map(|finding| finding.task).collect();
    for task in tasks {
        let places = (&folder.store, &folder.work);
        say(match repair(places, stage, sealed, manifest, task, &Cancel::default()) {
            // The other tasks may be repaired all the same.
            Err(error) => {
                let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
                format!("task {task} cannot be run again: {error}{cause}")
            }
            Ok(Repair::Done(count)) => format!("task {task}: {count} files and entries put back"),
            Ok(Repair::Differs(detail)) => format!("{detail}; --rebuild {name} runs the whole stage again"),
        })?;
    }
    Ok(corpus::verify::verify(&folder.store, manifest)?.len())
}

/// Looks through what the tasks of stages that are not sealed committed; returns how much is wrong.
fn unfinished(
    folder: &Folder,
    stages: &[Description],
    sealed: &Inputs,
    mends: bool,
    tell: &mut dyn FnMut(Told<'_>) -> Result<()>,
) -> Result<usize> {
    let mut count = 0;
    for stage in stages.iter().filter(|stage| !sealed.0.contains_key(&stage.name)) {
        let Some(fingerprint) = stage.current(&folder.store, sealed)? else { continue };
        let findings = corpus::repair::unfinished(&folder.store, &stage.name, &fingerprint, mends)?;
        findings.iter().try_for_each(|finding| tell(Told::Unfinished(&stage.name, finding, mends)))?;
        count += findings.len();
    }
    Ok(count)
}
