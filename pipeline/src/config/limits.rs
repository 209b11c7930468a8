//! `[limits]`: what a run puts up with before it stops.

use corpus::record::FAILED;
use corpus::{Counts, Dataset};
use ingest::FILE_UNIT;
use serde::Deserialize;

/// Failures at which a run stops, even though every record is accounted for.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Maximum share of a source's files that yield no records at all. Checked for sources of ten files or
    /// more.
    pub failed_files_share_max: f64,
    /// Maximum share of the records of a source, or of the rows of evaluation sets, that fail. Checked once
    /// 100 were read, or if none could be read.
    pub failed_share_max: f64,
    /// Memory in MiB that one record may use on top of the program itself. Applies only if the process was
    /// killed repeatedly and records are tried one at a time.
    pub record_memory_mb: u64,
}

/// Mebibytes that may be set: beyond 16 TiB a number is a mistake.
const RECORD_MEMORY_MB_MAX: u64 = 1 << 24;

/// Files that a source must have for its share of failed files to tell anything.
const FILES_MIN: u32 = 10;
/// Records that a source must have for the same.
const RECORDS_MIN: u64 = 100;
/// Failed records that are shown, and characters of each.
const EXAMPLES: usize = 3;
const EXAMPLE_CHARS: usize = 120;

impl Default for Limits {
    fn default() -> Self {
        Self { failed_files_share_max: 0.5, failed_share_max: 0.5, record_memory_mb: 2_048 }
    }
}

impl Limits {
    /// Checks that the share is one.
    pub fn validate(&self) -> Result<(), String> {
        let shares = [
            ("failed_files_share_max", self.failed_files_share_max),
            ("failed_share_max", self.failed_share_max),
        ];
        for (key, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{key} is {share}, must be from 0 to 1"));
            }
        }
        let memory = self.record_memory_mb;
        match (1..=RECORD_MEMORY_MB_MAX).contains(&memory) {
            true => Ok(()),
            false => Err(format!("record_memory_mb is {memory}, must be from 1 to {RECORD_MEMORY_MB_MAX}")),
        }
    }

    /// Says why a run must not go on with what a source gave: most of its files, or of its records, are broken.
    ///
    /// # Errors
    /// When its results cannot be read.
    pub fn complaint(&self, dataset: &Dataset) -> corpus::Result<Option<String>> {
        if let Some(complaint) = self.of_files(dataset) {
            return Ok(Some(complaint));
        }
        self.of_records(dataset)
    }

    fn of_files(&self, dataset: &Dataset) -> Option<String> {
        let manifest = dataset.manifest();
        let files = manifest.report.units.get(FILE_UNIT).filter(|_| manifest.task_count >= FILES_MIN)?;
        let failed = files.failed_total();
        if failed as f64 <= self.failed_files_share_max * f64::from(manifest.task_count) {
            return None;
        }
        let (reason, _) = commonest(files)?;
        Some(format!(
            "{}: not one record could be read of {failed} of {} files (most often: {reason}); what is wrong \
             with each is in the stream `failed` of stage {}. Mend the files, or accept it with \
             --set limits.failed_files_share_max=1",
            manifest.stage, manifest.task_count, manifest.stage
        ))
    }

    fn of_records(&self, dataset: &Dataset) -> corpus::Result<Option<String>> {
        let manifest = dataset.manifest();
        let units = manifest.report.units.iter().filter(|(unit, _)| *unit != FILE_UNIT);
        let broken = units.max_by_key(|(_, counts)| counts.failed_total());
        let Some((unit, counts)) = broken.filter(|(_, counts)| self.is_broken(counts)) else {
            return Ok(None);
        };
        let Some((reason, count)) = commonest(counts) else { return Ok(None) };
        let mut examples = Vec::new();
        for row in dataset.rows(FAILED) {
            let row = row?;
            if row.reason == reason {
                let place = row.url.filter(|url| !url.is_empty()).unwrap_or(row.preview);
                examples.push(format!(
                    "  {}: {}",
                    place.chars().take(EXAMPLE_CHARS).collect::<String>(),
                    row.value
                ));
            }
            if examples.len() == EXAMPLES {
                break;
            }
        }
        Ok(Some(format!(
            "{}: {} of {} {unit} could not be read, {count} of them for the reason {reason}:\n{}\n  All are in the \
             stream `failed` of stage {}. Mend the source or its format, or accept it with --set \
             limits.failed_share_max=1",
            manifest.stage,
            counts.failed_total(),
            counts.read,
            examples.join("\n"),
            manifest.stage
        )))
    }

    /// Returns true if more failed than is put up with, or nothing at all could be read.
    fn is_broken(&self, counts: &Counts) -> bool {
        let failed = counts.failed_total();
        let share = failed as f64 / counts.read.max(1) as f64;
        let is_enough = counts.read >= RECORDS_MIN || failed == counts.read;
        failed > 0 && is_enough && share > self.failed_share_max
    }
}

/// Returns the commonest reason of a unit's failures, with its count.
fn commonest(counts: &Counts) -> Option<(&str, u64)> {
    let commonest = counts.failed.iter().max_by_key(|(_, count)| **count);
    commonest.map(|(reason, count)| (reason.as_str(), *count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_broken_if_most_of_many_records_failed_or_all_of_few() {
        let limits = Limits::default();
        let counts = |read, failed| Counts {
            read,
            kept: read - failed,
            failed: [("x".to_owned(), failed)].into(),
            ..Counts::default()
        };
        for (read, failed, is_broken) in [
            (100, 51, true),
            (100, 50, false),
            (99, 98, false),
            (99, 99, true),
            (1, 1, true),
            (0, 0, false),
            (9, 0, false),
        ] {
            assert_eq!(limits.is_broken(&counts(read, failed)), is_broken, "{failed} of {read}");
        }
        let lenient = Limits { failed_share_max: 1.0, ..limits };
        assert!(!lenient.is_broken(&counts(1_000, 1_000)));
    }
}
