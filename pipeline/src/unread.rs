//! Sources without a record: not one was read of their files, and none failed. A file may rightly hold none, so this is
//! told and stops no run that has others.

use corpus::record::FILES;
use corpus::{Description, Inputs};
use ingest::{FILE_UNIT, shown_location};

use crate::number::grouped;

/// Files that are named.
const SHOWN_MAX: usize = 3;

/// Returns true for the stages that read a source.
pub fn is_source(stage: &Description) -> bool {
    stage.inputs.contains(&format!("{}.{FILE_UNIT}", stage.name))
}

/// Returns a sentence about a finished source of which not one record was read; none about any other.
///
/// # Errors
/// When its listing cannot be read.
pub fn sentence(source: &str, sealed: &Inputs) -> corpus::Result<Option<String>> {
    let listing = sealed.0.get(&format!("{source}.{FILE_UNIT}"));
    let (Some(dataset), Some(listing)) = (sealed.0.get(source), listing) else {
        return Ok(None);
    };
    // Files are counted beside records: those that hold none are dropped.
    let mut units = dataset.manifest().report.units.iter().filter(|(unit, _)| *unit != FILES.name());
    if units.any(|(_, counts)| counts.read > 0) {
        return Ok(None);
    }
    let mut files = Vec::new();
    for file in listing.rows(FILES).take(SHOWN_MAX) {
        files.push(shown_location(&file?.url));
    }
    let count = listing.summary(FILES)?.rows;
    let more = count.saturating_sub(files.len() as u64);
    let files = match more {
        0 => files.join(", "),
        _ => format!("{} and {} more", files.join(", "), grouped(more)),
    };
    let why = match sealed.0.contains_key(&format!("{source}.index")) {
        true => "its index selects none",
        false => "empty, blank lines, or a header alone",
    };
    Ok(Some(format!("{source}: not one record was read of {files} ({why})")))
}
