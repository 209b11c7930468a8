//! `[limits]`: what a run puts up with before it stops.

use corpus::Dataset;
use ingest::FILES;
use serde::Deserialize;

use crate::exit::Failed;

/// When a run stops although every record is accounted for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Share of a source's files that may yield not one record, checked for sources of ten files or more.
    /// Default 0.5.
    pub(crate) failed_files_share_max: f64,
    /// Mebibytes that one record may take beside the program itself, where records are tried one by one after the
    /// process was killed again and again. Default 2,048.
    pub(crate) record_memory_mb: u64,
}

/// Mebibytes that may be set: beyond 16 TiB a number is a mistake.
const RECORD_MEMORY_MB_MAX: u64 = 1 << 24;

/// Files that a source must have for its share of failed files to tell anything.
const FILES_MIN: u32 = 10;

impl Default for Limits {
    fn default() -> Self {
        Self { failed_files_share_max: 0.5, record_memory_mb: 2_048 }
    }
}

impl Limits {
    /// Checks that the share is one.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let (share, memory) = (self.failed_files_share_max, self.record_memory_mb);
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("failed_files_share_max is {share}, must be from 0 to 1"));
        }
        match (1..=RECORD_MEMORY_MB_MAX).contains(&memory) {
            true => Ok(()),
            false => Err(format!("record_memory_mb is {memory}, must be from 1 to {RECORD_MEMORY_MB_MAX}")),
        }
    }

    /// Refuses to go on with a source most of whose files are broken.
    pub(crate) fn check(&self, dataset: &Dataset) -> Result<(), Failed> {
        let manifest = dataset.manifest();
        let Some(files) = manifest.report.units.get(FILES).filter(|_| manifest.task_count >= FILES_MIN)
        else {
            return Ok(());
        };
        let failed = files.failed_total();
        if failed as f64 <= self.failed_files_share_max * f64::from(manifest.task_count) {
            return Ok(());
        }
        let commonest = files.failed.iter().max_by_key(|(_, count)| **count);
        let reason = commonest.map_or("", |(reason, _)| reason);
        Err(Failed(format!(
            "{}: not one record could be read of {failed} of {} files (most often: {reason}); what is wrong \
             with each is in the stream `failed` of stage {}. Mend the files, or accept it with \
             --set limits.failed_files_share_max=1",
            manifest.stage, manifest.task_count, manifest.stage
        )))
    }
}
