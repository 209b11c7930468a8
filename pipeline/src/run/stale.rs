//! What is stale: results of settings that are no longer those of the configuration.

use std::collections::BTreeSet;

use corpus::{Description, Ledger};

use crate::folder::Folder;
use crate::{Error, Result};

/// Returns the stages whose settings changed since they were run, and those after them that
/// have results, in order.
fn stale(folder: &Folder, before: &[Description], stages: &[Description]) -> Result<Vec<String>> {
    let ledger = Ledger::new(folder.store.clone());
    let mut touched = BTreeSet::new();
    let mut stale = Vec::new();
    for stage in stages {
        let name = &stage.name;
        let changed = before.iter().any(|known| known.name == *name && known != stage);
        if changed || stage.inputs.iter().any(|input| touched.contains(input)) {
            if ledger.has_results(name)? {
                stale.push(name.clone());
            }
            touched.insert(name.clone());
        }
    }
    Ok(stale)
}

/// Returns the stages that a rebuild of these may change: they and all that follow from them.
fn covered(stages: &[Description], rebuild: &[String]) -> BTreeSet<String> {
    let mut covered: BTreeSet<String> = rebuild.iter().cloned().collect();
    for stage in stages {
        if stage.inputs.iter().any(|input| covered.contains(input)) {
            covered.insert(stage.name.clone());
        }
    }
    covered
}

/// Refuses to give up existing results unless the user said so.
pub(super) fn refuse(
    folder: &Folder,
    before: &[Description],
    stages: &[Description],
    rebuild: &[String],
) -> Result<()> {
    let stale = stale(folder, before, stages)?;
    let covered = covered(stages, rebuild);
    let uncovered: Vec<&String> = stale.iter().filter(|name| !covered.contains(*name)).collect();
    let Some(first) = uncovered.first() else {
        return Ok(());
    };
    let names: Vec<&str> = uncovered.iter().map(|name| name.as_str()).collect();
    let message = format!(
        "the configuration changed for stages that have results: {}\n  run them again with --rebuild {first} (it covers the stages after it), or use another --dir;\n  the old results stay until `kosmos gc`",
        names.join(", ")
    );
    Err(Error::Usage(message))
}
